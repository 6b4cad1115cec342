#include "config/config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/log_lines.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define ARGS_MAX 32

/* Parses "sluice" and `line`, cut at spaces; the one before can not be reread any more. */
static int
parse(struct sl_config *config, const char *line)
{
	static char copy[1024], name[] = "sluice", *argv[ARGS_MAX + 2] = { name }; /* for reread */
	int argc = 1;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok(copy, " "); word && argc <= ARGS_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	return sl_config_parse(config, argc, argv);
}

/* Parses with the file's content `json` and `line` behind it. */
static int
parse_file(struct sl_config *config, const char *json, const char *line)
{
	char path[] = "/tmp/test_config.XXXXXX", full[256];
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, json, strlen(json)), (ssize_t)strlen(json));
	close(fd);
	snprintf(full, sizeof full, "--config %s %s", path, line);
	int err = parse(config, full);
	unlink(path);
	return err;
}

static void
expect_refused(const char *line, const char *option, const char *right)
{
	struct sl_config config;
	CU_ASSERT_EQUAL(parse(&config, line), SL_EINVAL);
	if (!strstr(config.error, option) || !strstr(config.error, right))
		fprintf(stderr, "%s: \"%s\" lacks %s or %s\n", line, config.error, option, right);
	CU_ASSERT_PTR_NOT_NULL(strstr(config.error, option));
	CU_ASSERT_PTR_NOT_NULL(strstr(config.error, right));
}

static void
expect_file_refused(const char *json, const char *option, const char *right)
{
	struct sl_config config;
	CU_ASSERT_EQUAL(parse_file(&config, json, ""), SL_EINVAL);
	if (!strstr(config.error, option) || !strstr(config.error, right))
		fprintf(stderr, "%s: \"%s\" lacks %s or %s\n", json, config.error, option, right);
	CU_ASSERT_PTR_NOT_NULL(strstr(config.error, option));
	CU_ASSERT_PTR_NOT_NULL(strstr(config.error, right));
}

static void
test_config_defaults_suit_a_newcomer(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, ""), 0);
	CU_ASSERT_EQUAL(c.action, SL_CONFIG_RUN);
	CU_ASSERT_EQUAL_FATAL(c.listen_count, 1);
	CU_ASSERT_STRING_EQUAL(c.listen[0].host, "127.0.0.1");
	CU_ASSERT_EQUAL(c.listen[0].port, 8080);
	CU_ASSERT_FALSE(c.listen_given);
	CU_ASSERT(c.shards >= 1 && c.shards <= 64);
	CU_ASSERT_STRING_EQUAL(c.base_path, "/");
	CU_ASSERT_STRING_EQUAL(c.web, SLUICE_WEB_DIR);
	CU_ASSERT_EQUAL(c.drain_ms, 10000);
	CU_ASSERT_EQUAL(c.log_level, SL_LOG_INFO);
	CU_ASSERT_PTR_NULL(c.config);
	CU_ASSERT_EQUAL(c.public_origin.count, 0);
	CU_ASSERT_EQUAL(c.allow_origin.count, 0);
	CU_ASSERT_FALSE(c.allow_anonymous);
	CU_ASSERT_FALSE(c.demo);
	CU_ASSERT_TRUE(c.check);
	CU_ASSERT_PTR_NULL(c.check_reports);
	CU_ASSERT_EQUAL(c.heartbeat_s, 15);
	CU_ASSERT_EQUAL(c.request_timeout_ms, 10000);
	sl_config_finish(&c);
}

static void
test_config_default_limits_are_those_of_the_design(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, ""), 0);
	CU_ASSERT_STRING_EQUAL(c.backend, "memory");
	CU_ASSERT_EQUAL(c.history_messages, 1000);
	CU_ASSERT_EQUAL(c.history_bytes, 1 << 20);
	CU_ASSERT_EQUAL(c.history_age_ms, 300000);
	CU_ASSERT_EQUAL(c.history_total_bytes, 256 << 20);
	CU_ASSERT_EQUAL(c.max_channels_total, 1000000);
	CU_ASSERT_EQUAL(c.mailbox_messages, 16384);
	CU_ASSERT_EQUAL(c.idempotency_keys, 100000);
	CU_ASSERT_EQUAL(c.max_message_bytes, 64 << 10);
	CU_ASSERT_EQUAL(c.max_fragments, 1024);
	CU_ASSERT_EQUAL(c.max_channels, 64);
	CU_ASSERT_EQUAL(c.max_header_bytes, 16 << 10);
	CU_ASSERT_EQUAL(c.outbox_bytes, 256 << 10);
	CU_ASSERT_EQUAL(c.outbox_total_bytes, 256 << 20);
	CU_ASSERT(c.max_connections > 0 && c.max_connections <= 100000);
	CU_ASSERT_EQUAL(c.max_connections_per_address, 1000);
	sl_config_finish(&c);
}

static void
test_config_takes_every_kind_of_value(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--shards 3 --base-path push --drain 0.25 --demo --backend slow "
		"--log-level debug --max-message 2m --history-total 2G --web /srv/web --heartbeat=4"), 0);
	CU_ASSERT_EQUAL(c.shards, 3);
	CU_ASSERT_STRING_EQUAL(c.base_path, "/push/");
	CU_ASSERT_EQUAL(c.drain_ms, 250);
	CU_ASSERT_TRUE(c.demo);
	CU_ASSERT_STRING_EQUAL(c.backend, "slow");
	CU_ASSERT_EQUAL(c.log_level, SL_LOG_DEBUG);
	CU_ASSERT_EQUAL(c.max_message_bytes, 2 << 20);
	CU_ASSERT_EQUAL(c.history_total_bytes, UINT64_C(2) << 30);
	CU_ASSERT_STRING_EQUAL(c.web, "/srv/web");
	CU_ASSERT_EQUAL(c.heartbeat_s, 4);
	sl_config_finish(&c);
}

static void
test_config_every_flag_can_be_unset(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		struct sl_config c;
		char line[128], file[64];
		if (option->kind != SL_CONFIG_FLAG)
			continue;
		bool *flag = (bool *)((char *)&c + option->field);
		snprintf(file, sizeof file, "{\"%s\": true}", option->name);
		snprintf(line, sizeof line, "--no-%s", option->name);
		CU_ASSERT_EQUAL_FATAL(parse_file(&c, file, line), 0);
		CU_ASSERT_FALSE(*flag);
		sl_config_finish(&c);
		snprintf(file, sizeof file, "{\"%s\": false}", option->name);
		CU_ASSERT_EQUAL_FATAL(parse_file(&c, file, ""), 0);
		CU_ASSERT_FALSE(*flag);
		sl_config_finish(&c);
		snprintf(line, sizeof line, "--no-%s --%s", option->name, option->name);
		CU_ASSERT_EQUAL_FATAL(parse(&c, line), 0);
		CU_ASSERT_TRUE(*flag);
		sl_config_finish(&c);
		snprintf(line, sizeof line, "--no-%s=1", option->name);
		CU_ASSERT_EQUAL(parse(&c, line), SL_EINVAL);
	}
}

static void
test_config_listens_at_every_address_given(void)
{
	struct sl_config c;
	char text[SL_LISTEN_ADDRESS_MAX];
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--listen localhost:0 --listen [::1]:81 --listen unix:/run/s.sock "
		"--listen 10.0.0.1:65535"), 0);
	CU_ASSERT_EQUAL_FATAL(c.listen_count, 4);
	CU_ASSERT_TRUE(c.listen_given);
	static const char *const forms[] = { "localhost:0", "[::1]:81", "unix:/run/s.sock", "10.0.0.1:65535" };
	static const bool loopback[] = { true, true, true, false };
	static const int families[] = { AF_UNSPEC, AF_INET6, AF_UNIX, AF_INET };
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(sl_listen_address_format(&c.listen[i], text), strlen(forms[i]));
		CU_ASSERT_STRING_EQUAL(text, forms[i]);
		CU_ASSERT_EQUAL(sl_listen_address_is_loopback(&c.listen[i]), loopback[i]);
		CU_ASSERT_EQUAL(c.listen[i].sockaddr.ss_family, families[i]);
	}
	sl_config_finish(&c);
}

static void
test_config_tls_options_are_lists_of_their_own(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--tls-listen 127.0.0.1:1 --tls-listen unix:/run/s.sock "
		"--tls-cert a.pem --tls-cert b.pem --tls-key a.key --tls-key b.key --tls-ticket-keys k"), 0);
	CU_ASSERT_EQUAL_FATAL(c.tls_listen_count, 2);
	CU_ASSERT_EQUAL(c.tls_listen[0].port, 1);
	CU_ASSERT_FALSE(c.listen_given); /* the default, which TLS listeners replace */
	CU_ASSERT_EQUAL_FATAL(c.tls_cert.count, 2);
	CU_ASSERT_EQUAL_FATAL(c.tls_key.count, 2);
	CU_ASSERT_STRING_EQUAL(c.tls_cert.texts[1], "b.pem");
	CU_ASSERT_STRING_EQUAL(c.tls_key.texts[0], "a.key");
	CU_ASSERT_STRING_EQUAL(c.tls_ticket_keys, "k");
	sl_config_finish(&c);
	CU_ASSERT_EQUAL_FATAL(parse_file(&c, "{\"tls-listen\": \"[::1]:2\", \"tls-cert\": [\"a\", \"b\"],"
		"\"tls-key\": \"c\"}", "--tls-cert d"), 0);
	CU_ASSERT_EQUAL(c.tls_listen_count, 1);
	CU_ASSERT_FALSE(c.listen_given);
	CU_ASSERT_EQUAL_FATAL(c.tls_cert.count, 1); /* a list that is given replaces the list */
	CU_ASSERT_STRING_EQUAL(c.tls_cert.texts[0], "d");
	CU_ASSERT_EQUAL(c.tls_key.count, 1);
	sl_config_finish(&c);
	expect_refused("--tls-listen 443", "--tls-listen", "127.0.0.1:8080");
	expect_file_refused("{\"tls-cert\": [1]}", "tls-cert", "the path of a file");
}

static void
test_config_token_options(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, ""), 0);
	CU_ASSERT_EQUAL(c.token_key.count + c.anonymous_subscribe.count + c.anonymous_publish.count, 0);
	CU_ASSERT_EQUAL(c.admin_listen_count, 0);
	CU_ASSERT(!c.token_issuer && !c.token_audience && !c.token_cookie && !c.secret);
	CU_ASSERT_EQUAL(c.token_max_age_ms, 86400000);
	CU_ASSERT_EQUAL(c.max_revocations, 10000);
	sl_config_finish(&c);
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--token-key a --token-key b --token-issuer i --token-audience d "
		"--token-max-age 60 --token-cookie c --secret s --revocations r --max-revocations 7 --admin-listen [::1]:9"), 0);
	CU_ASSERT_EQUAL_FATAL(c.token_key.count, 2);
	CU_ASSERT_STRING_EQUAL(c.token_key.texts[1], "b");
	CU_ASSERT_STRING_EQUAL(c.token_issuer, "i");
	CU_ASSERT_STRING_EQUAL(c.token_audience, "d");
	CU_ASSERT_STRING_EQUAL(c.token_cookie, "c");
	CU_ASSERT_STRING_EQUAL(c.secret, "s");
	CU_ASSERT_STRING_EQUAL(c.revocations, "r");
	CU_ASSERT_EQUAL(c.token_max_age_ms, 60000);
	CU_ASSERT_EQUAL(c.max_revocations, 7);
	CU_ASSERT_EQUAL_FATAL(c.admin_listen_count, 1);
	CU_ASSERT_EQUAL(c.admin_listen[0].port, 9);
	CU_ASSERT_FALSE(c.listen_given); /* the default stays beside it */
	sl_config_finish(&c);
	CU_ASSERT_EQUAL_FATAL(parse_file(&c, "{\"anonymous-subscribe\": [\"news.*\", \"a\"],"
		"\"anonymous-publish\": \"*\", \"token-max-age\": 1.5}", "--anonymous-subscribe b"), 0);
	CU_ASSERT_EQUAL_FATAL(c.anonymous_subscribe.count, 1);
	CU_ASSERT_STRING_EQUAL(c.anonymous_subscribe.texts[0], "b");
	CU_ASSERT_STRING_EQUAL(c.anonymous_publish.texts[0], "*");
	CU_ASSERT_EQUAL(c.token_max_age_ms, 1500);
	sl_config_finish(&c);
	expect_refused("--admin-listen 443", "--admin-listen", "127.0.0.1:8080");
	expect_file_refused("{\"anonymous-publish\": [1]}", "anonymous-publish", "prefix.* or *");
}

static void
test_config_origins_equal_what_a_browser_sends(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--public-origin HTTPS://Push.Example.org:443 "
		"--public-origin http://[::1]:8080 --allow-origin http://a:80"), 0);
	CU_ASSERT_EQUAL_FATAL(c.public_origin.count, 2);
	CU_ASSERT_EQUAL_FATAL(c.allow_origin.count, 1);
	CU_ASSERT_STRING_EQUAL(c.public_origin.origins[0].url, "https://push.example.org");
	CU_ASSERT_STRING_EQUAL(c.public_origin.origins[0].authority, "push.example.org");
	CU_ASSERT_STRING_EQUAL(c.public_origin.origins[1].authority, "[::1]:8080");
	CU_ASSERT_STRING_EQUAL(c.allow_origin.origins[0].url, "http://a");
	sl_config_finish(&c);
	expect_refused("--public-origin a.org", "--public-origin", "https://");
	expect_refused("--allow-origin http://a.org/x", "--allow-origin", "no path");
	expect_refused("--public-origin capacitor://localhost", "--public-origin", "https://");
	expect_refused("--allow-origin file://", "--allow-origin", "capacitor://");
}

static void
test_config_refusals_name_the_option_and_what_is_right(void)
{
	expect_refused("--listen example.org:80", "--listen", "127.0.0.1:8080");
	expect_refused("--base-path a//b", "--base-path", "/push/");
	expect_refused("--shards 0", "--shards", "use 1 to 64");
	expect_refused("--shards 65", "--shards", "use 1 to 64");
	expect_refused("--shards two", "--shards", "from 1 to 64");
	expect_refused("--shards -1", "--shards", "whole number");
	expect_refused("--heartbeat 3", "--heartbeat", "use 4 to 60");
	expect_refused("--heartbeat 61", "--heartbeat", "use 4 to 60");
	expect_refused("--drain 601", "--drain", "use 0 to 600");
	expect_refused("--drain 1.", "--drain", "decimals");
	expect_refused("--log-level loud", "--log-level", "error|warning|info|debug");
	expect_refused("--backend nats", "--backend", "memory|slow");
	expect_refused("--backend mem", "--backend", "memory|slow");
	expect_refused("--max-message 0", "--max-message", "use 1 to 16M");
	expect_refused("--max-message 17M", "--max-message", "use 1 to 16M");
	expect_refused("--max-message 1KB", "--max-message", "K, M or G");
	expect_refused("--max-message 99999999999999999999", "--max-message", "out of range");
	expect_refused("--max-message 99999999999999999G", "--max-message", "out of range");
	expect_refused("--max-header 4095", "--max-header", "use 4K to 64K");
	expect_refused("--max-channels 65", "--max-channels", "use 1 to 64");
	expect_refused("--mailbox 63", "--mailbox", "use 64 to 1048576");
	expect_refused("--request-timeout 0", "--request-timeout", "use 0.1 to 600");
}

/* Every option that has a range refuses both ends of it by its own name. */
static void
test_config_every_range_is_kept(void)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		char line[128];
		if (option->kind != SL_CONFIG_COUNT && option->kind != SL_CONFIG_SIZE
			&& option->kind != SL_CONFIG_DURATION)
			continue;
		uint64_t scale = option->kind == SL_CONFIG_DURATION ? 1000 : 1;
		snprintf(line, sizeof line, "--%s %llu", option->name,
			(unsigned long long)(option->max / scale + 1));
		expect_refused(line, option->name, "out of range");
		struct sl_config c;
		snprintf(line, sizeof line, "--%s %llu", option->name, (unsigned long long)(option->max / scale));
		CU_ASSERT_EQUAL(parse(&c, line), 0);
		sl_config_finish(&c);
		if (option->min == 0)
			continue;
		snprintf(line, sizeof line, "--%s %s", option->name, "0");
		expect_refused(line, option->name, "out of range");
	}
}

static void
test_config_refuses_what_is_no_option(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL(parse(&c, "--no-such-thing"), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&c, "--no-shards"), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&c, "--shards"), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&c, "--demo=maybe"), SL_EINVAL);
	expect_refused("stray", "stray", "--help");
	sl_config_finish(&c); /* harmless after a refusal */
}

static void
test_config_file_has_the_same_names(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse_file(&c, "{\"listen\": [\"127.0.0.1:1\", \"[::1]:2\"], \"shards\": 2,"
		"\"drain\": 0.5, \"demo\": true, \"allow-anonymous\": false, \"max-message\": \"1M\","
		"\"history-bytes\": 4096, \"history-age\": 60, \"public-origin\": \"https://a.org\","
		"\"base-path\": \"/x\", \"log-level\": \"error\"}", ""), 0);
	CU_ASSERT_EQUAL_FATAL(c.listen_count, 2);
	CU_ASSERT_TRUE(c.listen_given);
	CU_ASSERT_EQUAL(c.listen[1].port, 2);
	CU_ASSERT_EQUAL(c.shards, 2);
	CU_ASSERT_EQUAL(c.drain_ms, 500);
	CU_ASSERT_TRUE(c.demo);
	CU_ASSERT_FALSE(c.allow_anonymous);
	CU_ASSERT_EQUAL(c.max_message_bytes, 1 << 20);
	CU_ASSERT_EQUAL(c.history_bytes, 4096);
	CU_ASSERT_EQUAL(c.history_age_ms, 60000);
	CU_ASSERT_EQUAL(c.public_origin.count, 1);
	CU_ASSERT_STRING_EQUAL(c.base_path, "/x/");
	CU_ASSERT_EQUAL(c.log_level, SL_LOG_ERROR);
	sl_config_finish(&c);
}

static void
test_config_command_line_wins_over_the_file(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse_file(&c, "{\"listen\": [\"127.0.0.1:1\", \"127.0.0.1:2\"], \"shards\": 2,"
		"\"heartbeat\": 20, \"allow-origin\": [\"http://a\", \"http://b\"]}",
		"--shards 3 --listen 127.0.0.1:9 --allow-origin http://c --allow-origin http://d"), 0);
	CU_ASSERT_EQUAL(c.shards, 3);
	CU_ASSERT_EQUAL(c.heartbeat_s, 20);
	CU_ASSERT_EQUAL_FATAL(c.listen_count, 1);
	CU_ASSERT_EQUAL(c.listen[0].port, 9);
	CU_ASSERT_EQUAL_FATAL(c.allow_origin.count, 2);
	CU_ASSERT_STRING_EQUAL(c.allow_origin.origins[0].url, "http://c");
	sl_config_finish(&c);
}

static void
test_config_file_refusals_name_the_option(void)
{
	expect_file_refused("{\"shards\": \"2\"}", "shards", "from 1 to 64");
	expect_file_refused("{\"shards\": 2.5}", "shards", "whole number");
	expect_file_refused("{\"shards\": true}", "shards", "whole number");
	expect_file_refused("{\"shards\": 65}", "shards", "out of range");
	expect_file_refused("{\"shards\": -1}", "shards", "whole number");
	expect_file_refused("{\"demo\": 1}", "demo", "true or false");
	expect_file_refused("{\"drain\": \"1\"}", "drain", "seconds");
	expect_file_refused("{\"drain\": 1e300}", "drain", "out of range");
	expect_file_refused("{\"web\": null}", "web", "text");
	expect_file_refused("{\"web\": \"\"}", "web", "text");
	expect_file_refused("{\"listen\": []}", "listen", "127.0.0.1:8080");
	expect_file_refused("{\"listen\": [8080]}", "listen", "127.0.0.1:8080");
	expect_file_refused("{\"max-message\": \"1T\"}", "max-message", "K, M or G");
	expect_file_refused("{\"max_message\": 1}", "max_message", "not an option of the file");
	expect_file_refused("{\"config\": \"x\"}", "config", "not an option of the file");
	expect_file_refused("{\"help\": true}", "help", "not an option of the file");
	expect_file_refused("[]", "--config", "one JSON object");
	expect_file_refused("{\"shards\": 1, \"shards\": 2}", "--config", "duplicate");
	expect_file_refused("{\"shards\": 1", "--config", "line 1");
	expect_refused("--config /no/such/file", "--config", "/no/such/file");
}

static void
test_config_reread_sees_the_file_anew_and_keeps_the_old(void)
{
	char path[] = "/tmp/test_config.XXXXXX", line[128];
	int fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "{\"heartbeat\":20}", 16), 16);
	snprintf(line, sizeof line, "--shards 3 --config %s", path);
	struct sl_config old, fresh;
	CU_ASSERT_EQUAL_FATAL(parse(&old, line), 0);
	CU_ASSERT_EQUAL(pwrite(fd, "{\"heartbeat\":30}", 16, 0), 16);
	CU_ASSERT_EQUAL_FATAL(sl_config_reread(&old, &fresh), 0);
	CU_ASSERT_EQUAL(fresh.heartbeat_s, 30);
	CU_ASSERT_EQUAL(fresh.shards, 3);
	CU_ASSERT_EQUAL(old.heartbeat_s, 20);
	sl_config_finish(&fresh);
	CU_ASSERT_EQUAL(pwrite(fd, "{\"heartbeat\":99}", 16, 0), 16);
	CU_ASSERT_EQUAL(sl_config_reread(&old, &fresh), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(fresh.error, "heartbeat"));
	CU_ASSERT_EQUAL(old.heartbeat_s, 20);
	sl_config_finish(&old);
	close(fd);
	unlink(path);
}

static void
expect_parsed_without_memory(const char *json, const char *line, int expected)
{
	log_lines_begin();
	for_each_failing_allocation(failing) {
		struct sl_config c;
		int err = json ? parse_file(&c, json, line) : parse(&c, line);
		failing_alloc_off();
		CU_ASSERT_EQUAL(err, failing_alloc_has_failed() ? SL_ENOMEM : expected);
		if (err == SL_ENOMEM)
			CU_ASSERT_STRING_EQUAL(c.error, "out of memory");
		CU_ASSERT(err == 0 || c.listen == NULL);
		sl_config_finish(&c); /* harmless after a refusal */
	}
	log_lines_end();
}

/* The reader of the file may take the string that it has no memory for as a wrong one. */
static void
test_config_file_that_cannot_be_read_for_want_of_memory_is_refused(void)
{
	json_malloc_t own_malloc;
	json_free_t own_free;
	json_get_alloc_funcs(&own_malloc, &own_free);
	log_lines_begin();
	json_set_alloc_funcs(malloc, free); /* which are the failing ones here */
	for_each_failing_allocation(failing) {
		struct sl_config c;
		int err = parse_file(&c, "{\"web\": \"/a\", \"allow-origin\": [\"http://a\", 5]}", "");
		failing_alloc_off();
		CU_ASSERT(err == SL_EINVAL || (err == SL_ENOMEM && failing_alloc_has_failed()));
		CU_ASSERT(c.error[0] != '\0' && c.web == NULL && c.allow_origin.origins == NULL);
	}
	json_set_alloc_funcs(own_malloc, own_free);
	log_lines_end();
}

static void
test_config_without_memory_is_refused_and_says_so(void)
{
	expect_parsed_without_memory(NULL, "--listen 127.0.0.1:1 --listen [::1]:2 --web /a --web /b "
		"--base-path /x --backend slow --allow-origin http://a --allow-origin http://b", 0);
	expect_parsed_without_memory("{\"listen\": [\"127.0.0.1:1\", \"[::1]:2\"], \"web\": \"/a\","
		"\"heartbeat\": 20, \"drain\": 0.5, \"public-origin\": \"https://a.org\"}", "--drain 2", 0);
	expect_parsed_without_memory(NULL, "--shards 65", SL_EINVAL);
	expect_parsed_without_memory("{\"allow-origin\": [\"http://a\", \"b\"]}", "", SL_EINVAL);
}

static void
test_config_check_config_still_refuses(void)
{
	struct sl_config c;
	CU_ASSERT_EQUAL_FATAL(parse(&c, "--check-config"), 0);
	CU_ASSERT_EQUAL(c.action, SL_CONFIG_CHECKED);
	sl_config_finish(&c);
	expect_refused("--check-config --shards 0", "--shards", "use 1 to 64");
}

static void
test_config_connections_leave_files_for_the_rest(void)
{
	CU_ASSERT_EQUAL(sl_config_fit_connections(100000, 1048576, 4), 100000);
	CU_ASSERT_EQUAL(sl_config_fit_connections(100000, 4096, 2), 4096 - 128 - 2 * 48);
	CU_ASSERT_EQUAL(sl_config_fit_connections(100, 64, 2), 32);
	CU_ASSERT_EQUAL(sl_config_fit_connections(10, 4096, 2), 10);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_config_defaults_suit_a_newcomer),
		UNIT_TEST(test_config_default_limits_are_those_of_the_design),
		UNIT_TEST(test_config_takes_every_kind_of_value),
		UNIT_TEST(test_config_every_flag_can_be_unset),
		UNIT_TEST(test_config_listens_at_every_address_given),
		UNIT_TEST(test_config_tls_options_are_lists_of_their_own),
		UNIT_TEST(test_config_token_options),
		UNIT_TEST(test_config_origins_equal_what_a_browser_sends),
		UNIT_TEST(test_config_refusals_name_the_option_and_what_is_right),
		UNIT_TEST(test_config_every_range_is_kept),
		UNIT_TEST(test_config_refuses_what_is_no_option),
		UNIT_TEST(test_config_file_has_the_same_names),
		UNIT_TEST(test_config_command_line_wins_over_the_file),
		UNIT_TEST(test_config_file_refusals_name_the_option),
		UNIT_TEST(test_config_reread_sees_the_file_anew_and_keeps_the_old),
		UNIT_TEST(test_config_without_memory_is_refused_and_says_so),
		UNIT_TEST(test_config_file_that_cannot_be_read_for_want_of_memory_is_refused),
		UNIT_TEST(test_config_check_config_still_refuses),
		UNIT_TEST(test_config_connections_leave_files_for_the_rest),
		{ NULL, NULL },
	};
	return unit_main("config", tests);
}
