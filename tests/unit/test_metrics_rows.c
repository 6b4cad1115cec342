#include "http/metrics_rows.h"

#include <string.h>

#include "bus/bus.h"
#include "tests/unit/unit.h"

static void
test_metrics_rows_are_each_of_a_number_of_its_own(void)
{
	const struct sl_bus_row *const tables[] = { sl_bus_rows, sl_backend_rows };
	for (size_t a = 0; a < 2; a++)
		for (const struct sl_bus_row *row = tables[a]; row->row.name; row++) {
			unsigned same_field = 0, same_key = 0;
			CU_ASSERT(row->row.key && row->row.help && row->field % sizeof(uint64_t) == 0);
			for (size_t b = 0; b < 2; b++)
				for (const struct sl_bus_row *other = tables[b]; other->row.name; other++) {
					same_field += other->field == row->field;
					same_key += a == b && strcmp(other->row.key, row->row.key) == 0;
				}
			CU_ASSERT_EQUAL(same_field, 1);
			CU_ASSERT_EQUAL(same_key, 1);
		}
}

static void
test_metrics_rows_find_their_numbers(void)
{
	struct sl_bus_stats stats = { .evicted_log = 7, .backend = { .lag = 8, .away_ms = 9 } };
	uint64_t sum = 0;
	unsigned times = 0;
	for (const struct sl_bus_row *row = sl_bus_rows; row->row.name; row++)
		sum += sl_bus_row_get(&stats, row);
	CU_ASSERT_EQUAL(sum, 7);
	for (const struct sl_bus_row *row = sl_backend_rows; row->row.name; row++) {
		sum += sl_bus_row_get(&stats, row);
		if (sl_bus_row_is_time(row)) {
			times++;
			CU_ASSERT_EQUAL(sl_bus_row_get(&stats, row), 9);
			CU_ASSERT_PTR_NOT_NULL(strstr(row->row.name, "_seconds"));
		}
	}
	CU_ASSERT_EQUAL(sum, 24);
	CU_ASSERT_EQUAL(times, 1);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_metrics_rows_are_each_of_a_number_of_its_own),
		UNIT_TEST(test_metrics_rows_find_their_numbers),
		{ NULL, NULL },
	};
	return unit_main("metrics_rows", tests);
}
