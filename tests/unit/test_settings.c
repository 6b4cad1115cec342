#include "http/settings.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"
#include "util/log.h"

static int
create(struct sl_settings **out, char *web)
{
	struct sl_config config;
	char name[] = "sluice", level[] = "--log-level=error", origin[] = "--public-origin=https://a.example";
	char *argv[] = { name, level, origin, web };
	int err = sl_config_parse(&config, 4, argv);
	if (err != 0) {
		sl_config_finish(&config);
		return err;
	}
	sl_log_set_level(SL_LOG_ERROR + 1);
	return sl_settings_create(out, &config, NULL, 0, 4711);
}

static void
test_settings_live_until_the_last_lets_go(void)
{
	struct sl_settings *settings;
	char web[] = "--web=/nonexistent";
	CU_ASSERT_EQUAL_FATAL(create(&settings, web), 0);
	CU_ASSERT_STRING_EQUAL(settings->config.web, "/nonexistent"); /* no files, and a warning */
	CU_ASSERT_PTR_NOT_NULL(settings->access);
	CU_ASSERT_PTR_NOT_NULL(settings->files);
	CU_ASSERT_PTR_EQUAL(sl_settings_ref(settings), settings);
	sl_settings_unref(settings);
	CU_ASSERT_EQUAL(settings->refs, 1);
	sl_settings_unref(settings);
	sl_settings_unref(NULL);
}

static void
test_settings_without_memory_are_none(void)
{
	char web[] = "--web=/nonexistent";
	for_each_failing_allocation(failing) {
		struct sl_settings *settings = NULL;
		if (create(&settings, web) == 0)
			sl_settings_unref(settings);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_settings_live_until_the_last_lets_go),
		UNIT_TEST(test_settings_without_memory_are_none),
		{ NULL, NULL },
	};
	return unit_main("settings", tests);
}
