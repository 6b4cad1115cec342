#include "bus/backends.h"

#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "config/config.h"
#include "config/options.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Those of the program itself; the ones for tests are tests/backend/backends.c. */

static const struct sl_bus_config bus_config = { .history_messages = 10, .history_bytes = 1 << 20,
	.history_age_ms = 300000, .history_total_bytes = 1 << 24, .channels_max = 10 };

static void
test_backends_are_those_that_the_option_takes(void)
{
	const char *at = sl_config_backends;
	for (const struct sl_backend_kind *kind = sl_backends; kind->name; kind++) {
		size_t len = strlen(kind->name);
		CU_ASSERT_EQUAL_FATAL(strncmp(at, kind->name, len), 0);
		at += len;
		CU_ASSERT_EQUAL_FATAL(*at, kind[1].name ? '|' : '\0');
		at += *at == '|';
	}
	CU_ASSERT_EQUAL(*at, '\0');
}

static void
test_backends_have_the_default_and_none_for_tests(void)
{
	const struct sl_config_option *option = sl_config_option_find("backend");
	struct sl_config config = { 0 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(option);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, option, option->fallback), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, option, "slow"), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(config.backend, "memory");
	sl_config_option_finish(&config, option);
}

/* Its start is under test where there is one. */
static bool
needs_server(const struct sl_backend_kind *kind)
{
	return strcmp(kind->name, "nats") == 0;
}

static void
test_backends_are_made_under_their_names_or_not_at_all(void)
{
	static char url[] = "nats://127.0.0.1:1", bus_name[] = "main", *urls[] = { url };
	const struct sl_config config = { .idempotency_keys = 10, .nats = { urls, 1 }, .nats_bus = bus_name };
	for (const struct sl_backend_kind *kind = sl_backends; kind->name; kind++) {
		for_each_failing_allocation(failing) {
			struct sl_backend *backend;
			struct sl_bus *bus = NULL;
			int err = kind->create(&backend, &config);
			if (err == 0)
				CU_ASSERT_STRING_EQUAL(backend->ops->name, kind->name);
			if (err == 0 && needs_server(kind))
				backend->ops->destroy(backend);
			else if (err == 0)
				err = sl_bus_create(&bus, &bus_config, backend);
			failing_expect(err);
			sl_bus_destroy(bus);
		}
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_backends_are_those_that_the_option_takes),
		UNIT_TEST(test_backends_have_the_default_and_none_for_tests),
		UNIT_TEST(test_backends_are_made_under_their_names_or_not_at_all),
		{ NULL, NULL },
	};
	return unit_main("backends", tests);
}
