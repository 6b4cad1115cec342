#include "config/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char path[] = "/tmp/test_reread.XXXXXX";

static void
write_file(const char *json)
{
	FILE *file = fopen(path, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	fputs(json, file);
	fclose(file);
}

static void
parse(struct sl_config *config, const char *option, const char *value)
{
	static char words[4][32], *argv[] = { words[0], words[1], path, words[2], words[3] };
	snprintf(words[0], sizeof words[0], "sluice");
	snprintf(words[1], sizeof words[1], "--config");
	snprintf(words[2], sizeof words[2], "%s", option ? option : "");
	snprintf(words[3], sizeof words[3], "%s", option ? value : "");
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(config, option ? 5 : 3, argv), 0);
}

/* One of two values that the option may have in the file: `text` is how it is told. */
static void
write_value(const struct sl_config_option *option, bool is_second, char json[64], char text[64])
{
	unsigned long long number = option->min + is_second;
	static const char *const words[][2] = {
		[SL_CONFIG_FLAG] = { "false", "true" }, [SL_CONFIG_TEXT] = { "one", "two" },
		[SL_CONFIG_PATH] = { "/one/", "/two/" }, [SL_CONFIG_LEVEL] = { "error", "debug" },
		[SL_CONFIG_LISTEN] = { "127.0.0.1:81", "localhost:0,[::1]:82,unix:/run/s" },
		[SL_CONFIG_FILES] = { "one", "two,three" }, [SL_CONFIG_PATTERNS] = { "a.*", "b,*" },
		[SL_CONFIG_ORIGIN] = { "https://one", "http://two:81,http://[::1]:82" },
		[SL_CONFIG_NETWORK] = { "10.0.0.0/8", "192.0.2.1,fd00::/8,unix" },
		[SL_CONFIG_NAME] = { "one", "two" },
		[SL_CONFIG_SERVERS] = { "nats://one", "tls://two:81,nats://[::1]:82" },
		[SL_CONFIG_RAISES] = { "10.0.0.0/8=3", "192.0.2.1=off,subject:a*=2" },
	};
	switch (option->kind) {
	case SL_CONFIG_COUNT:
	case SL_CONFIG_SIZE:
		snprintf(json, 64, "%llu", number);
		snprintf(text, 64, "%llu%s", number % 1024 || !number ? number : number / 1024,
			option->kind == SL_CONFIG_SIZE && number && number % 1024 == 0 ? "K" : "");
		break;
	case SL_CONFIG_DURATION:
		snprintf(json, 64, "%g", (double)number / 1000);
		strcpy(text, json);
		break;
	case SL_CONFIG_FLAG:
		snprintf(json, 64, "%s", words[option->kind][is_second]);
		strcpy(text, json);
		break;
	case SL_CONFIG_CHOICE: {
		const char *word = option->choices + (is_second ? strcspn(option->choices, "|") + 1 : 0);
		snprintf(text, 64, "%.*s", (int)strcspn(word, "|"), word);
		break;
	}
	default: snprintf(text, 64, "%s", words[option->kind][is_second]);
	}
	if (sl_config_option_is_list(option)) {
		size_t len = (size_t)snprintf(json, 64, "[\"");
		for (const char *c = text; *c; c++)
			len += (size_t)snprintf(json + len, 64 - len, *c == ',' ? "\",\"" : "%c", *c);
		snprintf(json + len, 64 - len, "\"]");
	} else if (option->kind > SL_CONFIG_FLAG) {
		snprintf(json, 64, "\"%s\"", text);
	}
}

static void
write_option(const struct sl_config_option *option, bool is_second, char text[64])
{
	char json[64], file[128];
	write_value(option, is_second, json, text);
	snprintf(file, sizeof file, "{\"%s\":%s}", option->name, json);
	write_file(file);
}

static void
expect_text(const struct sl_config *config, const struct sl_config_option *option,
	const char *expected)
{
	char *text = sl_config_option_text(config, option);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	if (strcmp(text, expected) != 0)
		fprintf(stderr, "%s: \"%s\" instead of \"%s\"\n", option->name, text, expected);
	CU_ASSERT_STRING_EQUAL(text, expected);
	free(text);
}

static bool
is_of_file(const struct sl_config_option *option)
{
	return option->kind != SL_CONFIG_HEADING && option->kind != SL_CONFIG_ACTION
		&& strcmp(option->name, "config") != 0;
}

/* ---- tests ---- */

static void
test_reread_changes_what_can_be_changed_and_nothing_else(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		struct sl_config old, now, again;
		char first[64], second[64];
		if (!is_of_file(option))
			continue;
		write_option(option, false, first);
		parse(&old, NULL, NULL);
		expect_text(&old, option, first);
		write_option(option, true, second);
		CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
		expect_text(&now, option, option->needs_restart ? first : second);
		CU_ASSERT_EQUAL(now.listen_given, old.listen_given);
		CU_ASSERT_EQUAL_FATAL(sl_config_reread(&now, &again), 0); /* the file still differs */
		expect_text(&again, option, option->needs_restart ? first : second);
		sl_config_finish(&again);
		sl_config_finish(&now);
		expect_text(&old, option, first);
		sl_config_finish(&old);
	}
}

static void
test_reread_keeps_the_default_of_what_needs_a_restart(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		struct sl_config old, now;
		char second[64];
		if (!is_of_file(option) || !option->needs_restart)
			continue;
		write_file("{}");
		parse(&old, NULL, NULL);
		char *first = sl_config_option_text(&old, option);
		write_option(option, true, second);
		CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
		expect_text(&now, option, first);
		CU_ASSERT_FALSE(now.listen_given);
		free(first);
		sl_config_finish(&now);
		sl_config_finish(&old);
	}
}

static void
test_reread_clips_connections_by_the_shards_that_there_are(void)
{
	struct sl_config old, now;
	write_file("{\"shards\":1,\"max-connections\":10000000}");
	parse(&old, NULL, NULL);
	write_file("{\"shards\":64,\"max-connections\":10000000}");
	CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
	CU_ASSERT_EQUAL(now.max_connections, old.max_connections);
	sl_config_finish(&now);
	sl_config_finish(&old);
}

static void
test_reread_knows_what_the_command_line_decides(void)
{
	struct sl_config old, now;
	const struct sl_config_option *heartbeat = sl_config_option_find("heartbeat");
	size_t place = (size_t)(heartbeat - sl_config_options);
	write_file("{\"drain\":1}");
	parse(&old, "--heartbeat", "20");
	CU_ASSERT_FALSE(old.overridden[place]);
	write_file("{\"drain\":1,\"heartbeat\":30}");
	CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
	CU_ASSERT_EQUAL(now.heartbeat_s, 20);
	for (size_t i = 0; i < SL_CONFIG_OPTIONS_MAX; i++)
		CU_ASSERT_EQUAL(now.overridden[i], i == place);
	sl_config_finish(&now);
	sl_config_finish(&old);
}

static void
test_reread_logs_what_changed_what_was_ignored_and_what_the_command_line_decides(void)
{
	struct sl_config old, now;
	write_file("{\"heartbeat\":10,\"backend\":\"memory\",\"web\":\"/a\",\"max-fragments\":7}");
	parse(&old, "--drain", "3");
	write_file("{\"heartbeat\":11,\"backend\":\"slow\",\"web\":\"/b\",\"max-fragments\":7,\"drain\":4,"
		"\"client-publish\":\"a \\\"b\\\" \\\\\"}");
	sl_log_set_level(SL_LOG_INFO);
	log_lines_begin();
	CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
	sl_config_log_changes(&old, &now);
	const char *log = log_lines_end();
	sl_log_set_level(SL_LOG_ERROR);
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "reload.ignored option=backend value=\"slow\" "
		"in_force=\"memory\" reason=\"this option needs a restart\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "reload.changed option=heartbeat value=\"11\" was=\"10\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "reload.changed option=web value=\"/b\" was=\"/a\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log,
		"reload.changed option=client-publish value=\"a \\\"b\\\" \\\\\" was=\"\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "reload.overridden option=drain in_force=\"3\" "
		"reason=\"the command line sets this option, so the file does not change it\"\n"));
	CU_ASSERT_PTR_NULL(strstr(log, "reload.changed option=backend"));
	CU_ASSERT_PTR_NULL(strstr(log, "max-fragments"));
	sl_config_finish(&now);
	sl_config_finish(&old);
}

static void
test_reread_refuses_a_wrong_file_in_the_log_alone(void)
{
	struct sl_config old, now;
	write_file("{}");
	parse(&old, NULL, NULL);
	write_file("{\"heartbeat\":99}");
	log_lines_begin();
	CU_ASSERT_EQUAL(sl_config_reread(&old, &now), SL_EINVAL);
	const char *log = log_lines_end();
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "error config.refused reason=\"--config "));
	CU_ASSERT_PTR_NOT_NULL(strstr(log, "use 4 to 60 (seconds)"));
	CU_ASSERT_PTR_NULL(strstr(log, "sluice: "));
	sl_config_finish(&old);
}

static void
test_reread_without_memory_leaves_the_old_configuration(void)
{
	struct sl_config old;
	write_file("{\"listen\":\"127.0.0.1:1\",\"backend\":\"memory\",\"web\":\"/a\"}");
	parse(&old, NULL, NULL);
	write_file("{\"listen\":[\"127.0.0.1:2\",\"[::1]:3\"],\"backend\":\"slow\",\"web\":\"/b\"}");
	log_lines_begin();
	for_each_failing_allocation(failing) {
		struct sl_config now;
		int err = sl_config_reread(&old, &now);
		failing_expect(err);
		CU_ASSERT_EQUAL(old.listen_count, 1);
		CU_ASSERT_STRING_EQUAL(old.backend, "memory");
		if (err == 0) {
			CU_ASSERT_EQUAL(now.listen_count, 1);
			CU_ASSERT_STRING_EQUAL(now.web, "/b");
			CU_ASSERT_STRING_EQUAL(now.backend, "memory");
		}
		sl_config_finish(&now);
	}
	log_lines_end();
	sl_config_finish(&old);
}

static void
test_reread_without_memory_logs_no_change_that_is_none(void)
{
	struct sl_config old, now;
	write_file("{\"web\":\"/a\",\"drain\":1}");
	parse(&old, "--drain", "3");
	write_file("{\"web\":\"/b\",\"drain\":2}");
	CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &now), 0);
	sl_log_set_level(SL_LOG_INFO);
	for_each_failing_allocation(failing) {
		log_lines_begin();
		sl_config_log_changes(&old, &now);
		failing_alloc_off();
		const char *log = log_lines_end();
		for (const char *at = log; (at = strstr(at, "reload.changed")); at++)
			CU_ASSERT_PTR_NOT_NULL(strstr(at, "option=web value=\"/b\" was=\"/a\"\n"));
		CU_ASSERT_PTR_NULL(strstr(log, "option=listen"));
	}
	sl_log_set_level(SL_LOG_ERROR);
	sl_config_finish(&now);
	sl_config_finish(&old);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_reread_changes_what_can_be_changed_and_nothing_else),
		UNIT_TEST(test_reread_keeps_the_default_of_what_needs_a_restart),
		UNIT_TEST(test_reread_clips_connections_by_the_shards_that_there_are),
		UNIT_TEST(test_reread_knows_what_the_command_line_decides),
		UNIT_TEST(test_reread_logs_what_changed_what_was_ignored_and_what_the_command_line_decides),
		UNIT_TEST(test_reread_refuses_a_wrong_file_in_the_log_alone),
		UNIT_TEST(test_reread_without_memory_leaves_the_old_configuration),
		UNIT_TEST(test_reread_without_memory_logs_no_change_that_is_none),
		{ NULL, NULL },
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 2;
	close(fd);
	sl_log_set_level(SL_LOG_ERROR);
	int status = unit_main("reread", tests);
	unlink(path);
	return status;
}
