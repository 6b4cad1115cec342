#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_config_option *
find(const char *name)
{
	const struct sl_config_option *option = sl_config_option_find(name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(option);
	return option;
}

static void
finish(struct sl_config *config)
{
	for (size_t i = 0; i < sl_config_option_count; i++)
		sl_config_option_finish(config, &sl_config_options[i]);
}

static void
expect_text(const struct sl_config *config, const char *name, const char *expected)
{
	char *text = sl_config_option_text(config, find(name));
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_STRING_EQUAL(text, expected);
	free(text);
}

/* One value of each kind that has one, as set() takes it and as text() gives it. */
static const struct {
	const char *name, *given, *text;
} values[] = {
	{ "shards", "07", "7" }, { "max-message", "2048k", "2M" }, { "drain", "0.2500", "0.25" },
	{ "history-age", "31536000", "31536000" }, { "demo", "true", "true" }, { "web", "/srv", "/srv" },
	{ "backend", "slow", "slow" }, { "log-level", "debug", "debug" }, { "base-path", "x", "/x/" },
	{ "listen", "unix:/run/a,b", "unix:/run/a,b" }, { "allow-origin", "HTTP://A:80", "http://a" },
	{ "token-key", "/etc/jwks.json", "/etc/jwks.json" }, { "anonymous-publish", "a.*", "a.*" },
	{ "token-max-age", "31536000", "31536000" }, { "admin-listen", "[::1]:9", "[::1]:9" },
	{ "tls-listen", "[::1]:443", "[::1]:443" }, { "tls-cert", "/etc/a,b.pem", "/etc/a,b.pem" },
};
#define VALUES (sizeof values / sizeof *values)

static void
test_options_text_is_what_was_set(void)
{
	struct sl_config config = { 0 };
	for (size_t i = 0; i < VALUES; i++) {
		CU_ASSERT_EQUAL(sl_config_option_set(&config, find(values[i].name), values[i].given), 0);
		expect_text(&config, values[i].name, values[i].text);
	}
	expect_text(&config, "config", ""); /* was not set */
	expect_text(&config, "public-origin", "");
	expect_text(&config, "help", "");
	finish(&config);
}

static void
test_options_that_are_refused_keep_their_value(void)
{
	static const struct {
		const char *name, *wrong;
		int err;
	} rows[] = {
		{ "shards", "65", SL_ETOOBIG }, { "shards", "two", SL_EINVAL },
		{ "max-message", "17M", SL_ETOOBIG }, { "drain", "1.", SL_EINVAL },
		{ "history-age", "31536001", SL_ETOOBIG }, { "web", "", SL_EINVAL },
		{ "backend", "slo", SL_EINVAL }, { "backend", "memory|slow", SL_EINVAL },
		{ "log-level", "loud", SL_EINVAL }, { "base-path", "a//b", SL_EINVAL },
		{ "listen", "nowhere", SL_EINVAL }, { "allow-origin", "file://", SL_EINVAL },
	};
	struct sl_config config = { 0 };
	for (size_t i = 0; i < VALUES; i++)
		sl_config_option_set(&config, find(values[i].name), values[i].given);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CU_ASSERT_EQUAL(sl_config_option_set(&config, find(rows[i].name), rows[i].wrong), rows[i].err);
	for (size_t i = 0; i < VALUES; i++)
		expect_text(&config, values[i].name, values[i].text);
	finish(&config);
}

static void
test_options_lists_grow_and_others_are_replaced(void)
{
	struct sl_config config = { 0 };
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("listen"), "127.0.0.1:1"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("listen"), "[::1]:2"), 0);
	expect_text(&config, "listen", "127.0.0.1:1,[::1]:2");
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("allow-origin"), "http://a"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("allow-origin"), "app://b"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("public-origin"), "http://c"), 0);
	expect_text(&config, "allow-origin", "http://a,app://b");
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("web"), "/a"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("web"), "/b"), 0);
	expect_text(&config, "web", "/b");
	sl_config_option_clear(&config, find("listen"));
	sl_config_option_clear(&config, find("allow-origin"));
	sl_config_option_clear(&config, find("web")); /* no list: nothing happens */
	expect_text(&config, "listen", "");
	expect_text(&config, "allow-origin", "");
	expect_text(&config, "public-origin", "http://c");
	expect_text(&config, "web", "/b");
	finish(&config);
	CU_ASSERT_PTR_NULL(config.web);
}

static void
test_options_flags_and_actions(void)
{
	struct sl_config config = { 0 };
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("demo"), "true"), 0);
	CU_ASSERT_TRUE(config.demo);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("demo"), "false"), 0);
	CU_ASSERT_FALSE(config.demo);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("check-config"), "true"), 0);
	CU_ASSERT_EQUAL(config.action, SL_CONFIG_CHECKED);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("help"), "true"), 0);
	CU_ASSERT_EQUAL(config.action, SL_CONFIG_PRINTED);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, &sl_config_options[0], "true"), SL_EINVAL);
}

static void
test_options_are_copied_whole(void)
{
	struct sl_config from = { .listen_given = true }, to = { 0 };
	for (size_t i = 0; i < sl_config_option_count; i++)
		if (sl_config_options[i].fallback && sl_config_options[i].kind != SL_CONFIG_LISTEN)
			sl_config_option_set(&from, &sl_config_options[i], sl_config_options[i].fallback);
	for (size_t i = 0; i < VALUES; i++)
		sl_config_option_set(&from, find(values[i].name), values[i].given);
	sl_config_option_set(&from, find("listen"), "127.0.0.1:9");
	sl_config_option_set(&to, find("tls-cert"), "/other.pem");
	sl_config_option_set(&to, find("listen"), "127.0.0.1:1");
	sl_config_option_set(&to, find("web"), "/other");
	sl_config_option_set(&to, find("config"), "/other.json");
	for (size_t i = 0; i < sl_config_option_count; i++)
		CU_ASSERT_EQUAL(sl_config_option_copy(&to, &from, &sl_config_options[i]), 0);
	for (size_t i = 0; i < VALUES; i++)
		if (strcmp(values[i].name, "listen") != 0)
			expect_text(&to, values[i].name, values[i].text);
	CU_ASSERT_EQUAL_FATAL(to.listen_count, 2);
	CU_ASSERT_STRING_EQUAL(to.listen[0].path, "/run/a,b"); /* a comma divides nothing here */
	CU_ASSERT_TRUE(to.listen_given);
	CU_ASSERT_PTR_NULL(to.config);
	CU_ASSERT_PTR_NOT_EQUAL(to.web, from.web);
	finish(&to);
	finish(&from);
}

static void
test_options_lists_of_one_kind_are_apart(void)
{
	struct sl_config config = { 0 };
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("listen"), "127.0.0.1:1"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-listen"), "127.0.0.1:2"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-listen"), "127.0.0.1:3"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-cert"), "a"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-key"), "b"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-key"), "c"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("tls-key"), ""), SL_EINVAL);
	expect_text(&config, "listen", "127.0.0.1:1");
	expect_text(&config, "tls-listen", "127.0.0.1:2,127.0.0.1:3");
	expect_text(&config, "tls-cert", "a");
	expect_text(&config, "tls-key", "b,c");
	sl_config_option_clear(&config, find("tls-listen"));
	sl_config_option_clear(&config, find("tls-key"));
	expect_text(&config, "listen", "127.0.0.1:1");
	expect_text(&config, "tls-listen", "");
	expect_text(&config, "tls-cert", "a");
	expect_text(&config, "tls-key", "");
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("admin-listen"), "127.0.0.1:4"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("token-key"), "d"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("anonymous-subscribe"), "news.*"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("anonymous-publish"), "*"), 0);
	CU_ASSERT_EQUAL(sl_config_option_set(&config, find("anonymous-publish"), ""), SL_EINVAL);
	CU_ASSERT_EQUAL(config.listen_count, 1);
	CU_ASSERT_EQUAL(config.admin_listen_count, 1);
	expect_text(&config, "admin-listen", "127.0.0.1:4");
	expect_text(&config, "tls-cert", "a");
	expect_text(&config, "token-key", "d");
	expect_text(&config, "anonymous-subscribe", "news.*");
	expect_text(&config, "anonymous-publish", "*");
	finish(&config);
	CU_ASSERT_EQUAL(config.admin_listen_count, 0);
	CU_ASSERT_EQUAL(config.token_key.count + config.anonymous_publish.count, 0);
}

/* ---- without memory ---- */

static void
test_options_without_memory_keep_their_value(void)
{
	for (size_t i = 0; i < VALUES; i++) {
		const struct sl_config_option *option = find(values[i].name);
		bool allocates = option->kind > SL_CONFIG_FLAG && option->kind != SL_CONFIG_LEVEL;
		if (!allocates)
			continue;
		for_each_failing_allocation(failing) {
			struct sl_config config = { 0 };
			int err = sl_config_option_set(&config, option, values[i].given);
			failing_expect(err);
			if (err == 0)
				expect_text(&config, values[i].name, values[i].text);
			CU_ASSERT_EQUAL(config.listen_count + config.tls_listen_count + config.tls_cert.count +
				config.admin_listen_count + config.token_key.count + config.anonymous_publish.count +
				config.allow_origin.count + (config.web || config.backend || config.base_path), err == 0);
			finish(&config);
		}
	}
}

static void
test_options_without_memory_are_not_told(void)
{
	struct sl_config config = { 0 };
	for (size_t i = 0; i < VALUES; i++)
		sl_config_option_set(&config, find(values[i].name), values[i].given);
	for (size_t i = 0; i < VALUES; i++) {
		const struct sl_config_option *option = find(values[i].name);
		for_each_failing_allocation(failing) {
			char *text = sl_config_option_text(&config, option);
			char *range = text ? sl_config_option_range(option) : NULL;
			char *expects = range ? sl_config_option_expects(option, true) : NULL;
			failing_expect(expects ? 0 : SL_ENOMEM);
			free(text);
			free(range);
			free(expects);
		}
		for_each_failing_allocation(failing) {
			struct sl_config copy = { 0 };
			int err = sl_config_option_copy(&copy, &config, option);
			failing_expect(err);
			finish(&copy);
		}
	}
	finish(&config);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_options_text_is_what_was_set),
		UNIT_TEST(test_options_that_are_refused_keep_their_value),
		UNIT_TEST(test_options_lists_grow_and_others_are_replaced),
		UNIT_TEST(test_options_flags_and_actions),
		UNIT_TEST(test_options_are_copied_whole),
		UNIT_TEST(test_options_lists_of_one_kind_are_apart),
		UNIT_TEST(test_options_without_memory_keep_their_value),
		UNIT_TEST(test_options_without_memory_are_not_told),
		{ NULL, NULL },
	};
	return unit_main("option_values", tests);
}
