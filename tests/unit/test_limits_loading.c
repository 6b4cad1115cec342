#include "limits_loading.h"

#include <stdio.h>

#include "config/config.h"
#include "tests/unit/unit.h"

static void
test_limits_loading_takes_each_option(void)
{
	static char words[][40] = { "sluice", "--request-rate=1", "--publish-rate=2", "--publish-bytes=3",
		"--delivery-rate=4", "--subscribe-rate=5", "--history-rate=6", "--token-failure-rate=7",
		"--max-connections-per-address=8", "--max-connections-per-subject=9", "--max-connections=10",
		"--reserved-connections=11", "--raise-limits=subject:ann=off", "--limits=on",
		"--max-sessions-per-client=12" };
	char *argv[sizeof words / sizeof *words];
	int argc = (int)(sizeof words / sizeof *words);
	struct sl_config config;
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, argc, argv), 0);
	struct sl_limits limits = sl_limits_loading_get(&config);
	CU_ASSERT_FALSE(limits.is_off);
	for (uint64_t i = 0; i < SL_LIMIT_COUNT; i++)
		CU_ASSERT_EQUAL(limits.rates[i], i + 1);
	CU_ASSERT_EQUAL(limits.max_per_address, 8);
	CU_ASSERT_EQUAL(limits.max_per_subject, 9);
	CU_ASSERT_EQUAL(limits.max_connections, 10);
	CU_ASSERT_EQUAL(limits.reserved_percent, 11);
	CU_ASSERT_EQUAL(limits.max_sessions, 12);
	CU_ASSERT_PTR_EQUAL(limits.raises, &config.raise_limits);
	CU_ASSERT_EQUAL(limits.raises->count, 1);
	sl_config_finish(&config);
}

static void
test_limits_loading_off_is_off(void)
{
	static char words[][16] = { "sluice", "--limits=off" };
	char *argv[] = { words[0], words[1] };
	struct sl_config config;
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, 2, argv), 0);
	CU_ASSERT_TRUE(sl_limits_loading_get(&config).is_off);
	sl_config_finish(&config);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_limits_loading_takes_each_option),
		UNIT_TEST(test_limits_loading_off_is_off),
		{ NULL, NULL },
	};
	return unit_main("limits_loading", tests);
}
