#include "http/settings.h"

#include <string.h>

#include "core/tls_context.h"
#include "core/tls_tickets.h"
#include "http/access.h"
#include "tests/unit/certificates.h"
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
	static const uint16_t ports[] = { 4711, 4712 };
	return sl_settings_create(out, &config, NULL, 0, ports, 2);
}

static bool
allows(const struct sl_settings *settings, const char *origin)
{
	struct sl_cors cors;
	return sl_access_origin_allowed(settings->access, (struct sl_span){ origin, strlen(origin) }, &cors);
}

static void
test_settings_live_until_the_last_lets_go(void)
{
	struct sl_settings *settings;
	char web[] = "--web=/nonexistent";
	CU_ASSERT_EQUAL_FATAL(create(&settings, web), 0);
	CU_ASSERT_STRING_EQUAL(settings->config.web, "/nonexistent"); /* no files, and a warning */
	CU_ASSERT_PTR_NOT_NULL(settings->access);
	CU_ASSERT_TRUE(allows(settings, "http://127.0.0.1:4711") && allows(settings, "http://localhost:4712"));
	CU_ASSERT_FALSE(allows(settings, "http://127.0.0.1:4713"));
	CU_ASSERT_PTR_NOT_NULL(settings->files);
	CU_ASSERT_PTR_EQUAL(sl_settings_ref(settings), settings);
	sl_settings_unref(settings);
	CU_ASSERT_EQUAL(settings->refs, 1);
	sl_settings_unref(settings);
	sl_settings_unref(NULL);
}

/* Shards that have not come to the new settings yet keep the old ones' certificates. */
static void
test_settings_hold_their_tls_until_the_last_lets_go(void)
{
	struct sl_settings *settings;
	struct sl_tls_context *context;
	struct sl_tls_tickets *tickets = sl_tls_tickets_create();
	char web[] = "--web=/nonexistent", error[256];
	char cert[CERTIFICATES_PATH_MAX], key[CERTIFICATES_PATH_MAX];
	certificates_make((struct certificate){ "a", "ecdsa", .san = "DNS:a.example" });
	strcpy(cert, certificates_path("a.crt"));
	strcpy(key, certificates_path("a.key"));
	char *paths[2] = { cert, key };
	const struct sl_config config = { .tls_cert = { &paths[0], 1 }, .tls_key = { &paths[1], 1 } };
	CU_ASSERT_EQUAL_FATAL(create(&settings, web), 0);
	CU_ASSERT_PTR_NULL(settings->tls);
	CU_ASSERT_FALSE(settings->is_tls_stale);
	long live = failing_alloc_live();
	CU_ASSERT_EQUAL_FATAL(sl_tls_context_create(&context, &config, tickets, error, sizeof error), 0);
	settings->tls = context;
	sl_settings_ref(settings);
	sl_settings_unref(settings);
	CU_ASSERT_TRUE(failing_alloc_live() > live);
	sl_settings_unref(settings);
	CU_ASSERT_TRUE(failing_alloc_live() < live);
	sl_tls_tickets_destroy(tickets);
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
		UNIT_TEST(test_settings_hold_their_tls_until_the_last_lets_go),
		UNIT_TEST(test_settings_without_memory_are_none),
		{ NULL, NULL },
	};
	return unit_main("settings", tests);
}
