#include "config/options.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"
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
test_options_have_names_and_letters_of_their_own(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		CU_ASSERT_PTR_NOT_NULL_FATAL(option->help);
		CU_ASSERT_EQUAL(option->name == NULL, option->kind == SL_CONFIG_HEADING);
		if (!option->name)
			continue;
		CU_ASSERT_PTR_EQUAL(sl_config_option_find(option->name), option);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT(!option->letter || option->letter != sl_config_options[j].letter);
		bool has_value = option->kind != SL_CONFIG_FLAG && option->kind != SL_CONFIG_ACTION;
		CU_ASSERT_EQUAL(option->arg != NULL, has_value);
	}
	CU_ASSERT_PTR_NULL(sl_config_option_find("no-such-option"));
	CU_ASSERT_PTR_NULL(sl_config_option_find(""));
}

static void
test_options_defaults_are_values_that_they_take(void)
{
	struct sl_config config = { 0 };
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		if (!option->fallback)
			continue;
		CU_ASSERT_EQUAL(sl_config_option_set(&config, option, option->fallback), 0);
		char *text = sl_config_option_text(&config, option);
		CU_ASSERT_STRING_EQUAL(text, option->fallback); /* and written as the manual has them */
		free(text);
	}
	finish(&config);
}

static void
test_options_say_what_they_expect(void)
{
	static const struct {
		const char *name, *range, *expects;
	} rows[] = {
		{ "shards", "1 to 64", "a whole number from 1 to 64" },
		{ "max-header", "4K to 64K", "a whole number, or one with K, M or G behind it, from 4K to 64K (bytes)" },
		{ "request-timeout", "0.1 to 600", "a number with at most three decimals from 0.1 to 600 (seconds)" },
		{ "backend", "memory|slow", "one of memory|slow" },
		{ "log-level", "error|warning|info|debug", "one of error|warning|info|debug" },
		{ "demo", "", "true or false" },
		{ "web", "", "a text that is not empty" },
		{ "base-path", "", "a path such as /push/ (letters, digits, - . _ ~)" },
		{ "listen", "", SL_LISTEN_ADDRESS_FORMS },
		{ "token-key", "", "the path of a file" },
		{ "anonymous-publish", "", "the name of a channel, prefix.* or *" },
		{ "token-max-age", "1 to 315360000", "a number with at most three decimals from 1 to 315360000 (seconds)" },
		{ "public-origin", "", "http://HOST or https://HOST, perhaps with :PORT, and no path" },
		{ "allow-origin", "", "http://HOST, https://HOST or the scheme of an app such as capacitor://HOST,"
			" perhaps with :PORT, and no path" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *range = sl_config_option_range(find(rows[i].name));
		char *expects = sl_config_option_expects(find(rows[i].name), false);
		CU_ASSERT_STRING_EQUAL(range, rows[i].range);
		CU_ASSERT_STRING_EQUAL(expects, rows[i].expects);
		free(range);
		free(expects);
	}
}

static void
test_options_know_which_are_lists(void)
{
	static const char *const lists[] = { "listen", "tls-listen", "admin-listen", "tls-cert", "tls-key",
		"token-key", "anonymous-subscribe", "anonymous-publish", "client-publish",
		"public-origin", "allow-origin", "trust-proxy", "raise-limits", "nats", NULL };
	size_t count = 0;
	for (size_t i = 0; lists[i]; i++)
		CU_ASSERT_TRUE(sl_config_option_is_list(find(lists[i])));
	for (size_t i = 0; i < sl_config_option_count; i++)
		count += sl_config_option_is_list(&sl_config_options[i]);
	CU_ASSERT_EQUAL(count, sizeof lists / sizeof *lists - 1);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_options_have_names_and_letters_of_their_own),
		UNIT_TEST(test_options_defaults_are_values_that_they_take),
		UNIT_TEST(test_options_say_what_they_expect),
		UNIT_TEST(test_options_know_which_are_lists),
		{ NULL, NULL },
	};
	return unit_main("options", tests);
}
