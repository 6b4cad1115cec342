/* A sanitizer sees what is never destroyed, or twice. */
#include "bus/nats_waste.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static natsMsg *
make(const char *bytes, int len)
{
	natsMsg *message;
	CU_ASSERT_EQUAL_FATAL(natsMsg_Create(&message, "a", NULL, bytes, len), NATS_OK);
	return message;
}

static void
test_nats_waste_goes_when_there_is_enough_of_it(void)
{
	struct sl_nats_waste waste = { 0 };
	for (unsigned i = 1; i <= 2 * SL_NATS_WASTE_MAX + 3; i++) {
		sl_nats_waste_add(&waste, make("b", 1));
		CU_ASSERT_EQUAL(waste.count, i % SL_NATS_WASTE_MAX);
	}
	sl_nats_waste_empty(&waste);
	CU_ASSERT_EQUAL(waste.count, 0);
	sl_nats_waste_empty(&waste);
}

static void
test_nats_waste_never_holds_many_bytes(void)
{
	struct sl_nats_waste waste = { 0 };
	char *bytes = calloc(1, SL_NATS_WASTE_BYTES_MAX);
	sl_nats_waste_add(&waste, make(bytes, 100));
	CU_ASSERT_EQUAL(waste.bytes, 100);
	sl_nats_waste_add(&waste, make(bytes, (int)SL_NATS_WASTE_BYTES_MAX));
	CU_ASSERT_EQUAL(waste.count, 0);
	CU_ASSERT_EQUAL(waste.bytes, 0);
	free(bytes);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_waste_goes_when_there_is_enough_of_it),
		UNIT_TEST(test_nats_waste_never_holds_many_bytes),
		{ NULL, NULL },
	};
	if (nats_Open(-1) != NATS_OK) /* a connection does that otherwise */
		return 1;
	return unit_main("nats_waste", tests);
}
