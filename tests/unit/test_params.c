#include "http/params.h"

#include <stdio.h>
#include <string.h>

#include "bus/message.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static char query[8192]; /* the spans of the last parse point into it */
static struct sl_params params;
static struct sl_params_error error;

static int
parse(const char *text)
{
	memset(&params, 0x5a, sizeof params);
	error.code = "none";
	error.message[0] = '\0';
	CU_ASSERT_FATAL(strlen(text) < sizeof query);
	memcpy(query, text, strlen(text));
	return sl_params_parse(&params, query, strlen(text), 4, &error);
}

/* The code, and a message that names the parameter and is not cut off. */
static void
expect_refused(const char *text, const char *code, const char *parameter)
{
	CU_ASSERT_EQUAL(parse(text), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error.code, code);
	CU_ASSERT_EQUAL(strncmp(error.message, parameter, strlen(parameter)), 0);
	CU_ASSERT_TRUE(strlen(error.message) < sizeof error.message - 1);
}

static void
test_params_refusals_show_the_value_and_what_is_right(void)
{
	static const struct { const char *query, *message; } rows[] = {
		{ "channels=a,b%20*", "channels: \"b *\" has a *; use 1 to 255 bytes of UTF-8 without control characters or *" },
		{ "channels=%ff", "channels: \"?\" is not UTF-8; use 1 to 255 bytes of UTF-8 without control characters or *" },
		{ "channels=a,b,c,d,e", "channels: there are too many channels; use at most 4" },
		{ "since=then", "since: \"then\" is not valid; use a cursor of this gateway, such as 9f3a1c07-4182, or 0 for all "
			"kept messages" },
		{ "heartbeat=3", "heartbeat: \"3\" is not valid; use a whole number from 4 to 60 (seconds)" },
		{ "wait=56", "wait: \"56\" is not valid; use a whole number from 0 to 55 (seconds)" },
		{ "format=xml", "format: \"xml\" is not valid; use json or raw" },
		{ "probe=1", "probe: \"1\" is not valid; use 8 to 64 of A-Z a-z 0-9 _ -" },
		{ "wait=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30", "wait: \"***...\" is not valid; use a whole number from 0 to 55 "
			"(seconds)" },
		{ "wait=1&wait=2", "wait: the parameter is repeated; use it once" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CU_ASSERT_EQUAL(parse(rows[i].query), SL_EINVAL);
		CU_ASSERT_STRING_EQUAL(error.message, rows[i].message);
	}
}

static void
test_params_default_when_absent(void)
{
	static const char *const empties[] = { "", "&", "&&", "n=17", "other=1&&x", "=", "=5&" };
	for (size_t i = 0; i < sizeof empties / sizeof *empties; i++) {
		CU_ASSERT_EQUAL(parse(empties[i]), 0);
		CU_ASSERT_EQUAL(params.join.channel_count, 0);
		CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_NOW);
		CU_ASSERT_EQUAL(params.format, SL_FORMAT_JSON);
		CU_ASSERT_EQUAL(params.join.heartbeat_s, -1);
		CU_ASSERT_EQUAL(params.wait_s, -1);
		CU_ASSERT_PTR_NULL(params.channel.bytes);
		CU_ASSERT_PTR_NULL(params.probe.bytes);
		CU_ASSERT_PTR_NULL(params.nonce.bytes);
		CU_ASSERT_PTR_NULL(params.token.bytes);
		CU_ASSERT_PTR_NULL(params.last_event_id.bytes);
		CU_ASSERT_PTR_NULL(params.demo.bytes);
		CU_ASSERT_FALSE(params.join.probes);
		CU_ASSERT_FALSE(params.join.verify);
		CU_ASSERT_EQUAL(params.join.reason, SL_REASON_NONE);
	}
	CU_ASSERT_EQUAL(sl_params_parse(&params, NULL, 0, 64, &error), 0);
}

static void
test_params_verify_is_on_or_off(void)
{
	CU_ASSERT_EQUAL(parse("channels=a"), 0);
	CU_ASSERT_FALSE(params.join.verify);
	CU_ASSERT_EQUAL(parse("verify=0"), 0);
	CU_ASSERT_FALSE(params.join.verify);
	CU_ASSERT_EQUAL(parse("verify=1"), 0);
	CU_ASSERT_TRUE(params.join.verify);
	expect_refused("verify=", "bad_verify", "verify:");
	expect_refused("verify=2", "bad_verify", "verify:");
	expect_refused("verify=true", "bad_verify", "verify:");
	expect_refused("verify=1&verify=1", "bad_parameter", "verify:");
}

static void
test_params_compress_is_on_or_off(void)
{
	CU_ASSERT_EQUAL(parse("channel=a"), 0);
	CU_ASSERT_FALSE(params.uncompressed);
	CU_ASSERT_EQUAL(parse("compress=1"), 0);
	CU_ASSERT_FALSE(params.uncompressed);
	CU_ASSERT_EQUAL(parse("compress=0"), 0);
	CU_ASSERT_TRUE(params.uncompressed);
	expect_refused("compress=", "bad_request", "compress:");
	expect_refused("compress=2", "bad_request", "compress:");
	expect_refused("compress=false", "bad_request", "compress:");
	expect_refused("compress=0&compress=0", "bad_parameter", "compress:");
}

static void
test_params_n_of_another_form_is_ignored(void)
{
	static const char *const others[] = { "n=", "n=a.b", "n=a%20b", "n=%22", "n=0123456789"
		"0123456789012345678901234567890123456789012345678901234" };
	CU_ASSERT_EQUAL(parse("n=1"), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.n, "1"));
	CU_ASSERT_EQUAL(parse("n=aZ%2d_9"), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.n, "aZ-_9"));
	CU_ASSERT_EQUAL(parse("n=1&n=2&n=."), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.n, "2"));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		CU_ASSERT_EQUAL(parse(others[i]), 0);
		CU_ASSERT_EQUAL(params.n.len, 0);
	}
}

static void
test_params_reason_is_one_of_a_few_or_another(void)
{
	CU_ASSERT_EQUAL(parse("channels=a"), 0);
	CU_ASSERT_EQUAL(params.join.reason, SL_REASON_NONE);
	CU_ASSERT_EQUAL(parse("reason=refused"), 0);
	CU_ASSERT_EQUAL(params.join.reason, SL_REASON_REFUSED);
	CU_ASSERT_EQUAL(parse("reason=%70romoted"), 0);
	CU_ASSERT_EQUAL(params.join.reason, SL_REASON_PROMOTED);
	static const char *const others[] = { "reason=", "reason", "reason=Refused", "reason=whatever" };
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		CU_ASSERT_EQUAL(parse(others[i]), 0);
		CU_ASSERT_EQUAL(params.join.reason, SL_REASON_OTHER);
	}
}

static void
test_params_reads_every_parameter(void)
{
	CU_ASSERT_EQUAL(parse("channels=a,b.c&since=9f3a1c07-4182&format=raw&heartbeat=4&wait=55"
		"&probe=Nonce_-8&token=t.o.k&channel=out&nonce=12345678&n=1&n=2"), 0);
	CU_ASSERT_EQUAL_FATAL(params.join.channel_count, 3);
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[0], "a"));
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[1], "b.c"));
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[2], "out"));
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
	CU_ASSERT_EQUAL(params.join.since.epoch, 0x9f3a1c07);
	CU_ASSERT_EQUAL(params.join.since.seq, 4182);
	CU_ASSERT_EQUAL(params.format, SL_FORMAT_RAW);
	CU_ASSERT_EQUAL(params.join.heartbeat_s, 4);
	CU_ASSERT_EQUAL(params.wait_s, 55);
	CU_ASSERT_TRUE(sl_span_equals(params.probe, "Nonce_-8"));
	CU_ASSERT_TRUE(params.join.probes);
	CU_ASSERT_TRUE(sl_span_equals(params.token, "t.o.k"));
	CU_ASSERT_TRUE(sl_span_equals(params.channel, "out"));
	CU_ASSERT_TRUE(sl_span_equals(params.nonce, "12345678"));
}

static void
test_params_decodes_percent_escapes(void)
{
	CU_ASSERT_EQUAL(parse("ch%61nnels=a%2Cb%3ac&token=x%26y%3Dz%25+%e2%82%AC"), 0);
	CU_ASSERT_EQUAL_FATAL(params.join.channel_count, 2);
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[1], "b:c"));
	CU_ASSERT_TRUE(sl_span_equals(params.token, "x&y=z%+\xe2\x82\xac"));
}

static void
test_params_refuses_bad_escapes_and_control_characters(void)
{
	static const char *const bad[] = {
		"token=%", "token=%4", "token=%zz", "token=%4g", "token=%g4", "token=%-1", "x=%4&1=2",
		"token=%00", "token=%0a", "token=%1F", "token=%7f", "token=a\tb", "token=\x7f", "%=1",
		"other=%", "a%0",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_refused(bad[i], "bad_query", "query string");
}

static void
test_params_folds_channels_named_twice(void)
{
	CU_ASSERT_EQUAL(parse("channels=a,b,a,a,c,b,d,a"), 0);
	CU_ASSERT_EQUAL_FATAL(params.join.channel_count, 4);
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[3], "d"));
}

static void
test_params_refuses_bad_channels(void)
{
	static const char *const bad[] = {
		"channels=a,,b", "channels=,", "channels=a,", "channels=,a", "channels=a*b", "channels=*",
		"channels=%C3", "channels=%C2%80", "channels=%ff", "channels=a,~",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_refused(bad[i], "bad_channel", "channels:");
	expect_refused("channel=", "bad_channel", "channel:");
	expect_refused("channel=*", "bad_channel", "channel:");
	expect_refused("channel=a&channel=", "bad_channel", "channel:");
	expect_refused("channel=a&channel=b&channels=c&channel=d&channel=e", "too_many_channels", "channel:");
	expect_refused("channels=a,b,c,d,e", "too_many_channels", "channels:");
	char longest[16 + SL_CHANNEL_MAX + 1] = "channels=";
	memset(longest + 9, 'x', SL_CHANNEL_MAX + 1);
	expect_refused(longest, "bad_channel", "channels:");
	longest[9 + SL_CHANNEL_MAX] = '\0';
	CU_ASSERT_EQUAL(parse(longest), 0);
}

static void
test_params_takes_names_with_commas_one_by_one(void)
{
	static const char *const wanted[] = { "a", "b,\"c\\ ", "\xf0\x9f\x9a\x80", "d+e" };
	CU_ASSERT_EQUAL(parse("channel=a&channels=%F0%9F%9A%80,a&since=0&channel=b%2C%22c%5c%20&channel=a&channel=d+e"), 0);
	CU_ASSERT_EQUAL_FATAL(params.join.channel_count, 4);
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[0], wanted[0]));
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[1], wanted[2]));
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[2], wanted[1]));
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[3], wanted[3]));
	CU_ASSERT_EQUAL(sl_params_require_channels(&params, &error), 0);
	CU_ASSERT_EQUAL(sl_params_require_one_channel(&params, &error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error.code, "bad_parameter");
	CU_ASSERT_EQUAL(parse("channel=a,b&channels=c"), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.channel, "a,b"));
	CU_ASSERT_EQUAL(sl_params_require_one_channel(&params, &error), 0);
}

/* Other routes leave them to those who use them. */
static void
test_params_keeps_the_event_as_it_is(void)
{
	CU_ASSERT_EQUAL(parse("event=said%20it&args=list"), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.event, "said it"));
	CU_ASSERT_TRUE(sl_span_equals(params.args, "list"));
	CU_ASSERT_EQUAL(parse("event=&args=nonsense"), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.event, ""));
	CU_ASSERT_EQUAL(parse("channel=a"), 0);
	CU_ASSERT_PTR_NULL(params.event.bytes);
	CU_ASSERT_PTR_NULL(params.args.bytes);
	expect_refused("event=a&event=b", "bad_parameter", "event:");
}

static void
test_params_takes_sixty_four_channels(void)
{
	char text[512] = "channels=";
	for (int i = 0; i < 64; i++)
		sprintf(text + strlen(text), "%sc%d", i ? "," : "", i);
	CU_ASSERT_EQUAL(sl_params_parse(&params, text, strlen(text), 64, &error), 0);
	CU_ASSERT_EQUAL(params.join.channel_count, 64);
	CU_ASSERT_TRUE(sl_span_equals(params.join.channels[63], "c63"));
}

static void
test_params_tells_the_kinds_of_since_apart(void)
{
	CU_ASSERT_EQUAL(parse("since=0"), 0);
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_ALL);
	CU_ASSERT_EQUAL(parse("since=00000001-0"), 0);
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
	static const char *const bad[] = {
		"since=", "since", "since=00", "since=1", "since=9f3a1c07", "since=9f3a1c07-", "since=9F3A1C07-1",
		"since=9f3a1c07-01", "since=00000000-1", "since=9f3a1c07-1x", "since=now",
		"since=9f3a1c07-9223372036854775808",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_refused(bad[i], "bad_cursor", "since:");
}

static void
set_header(const char *value)
{
	sl_params_set_last_event_id(&params, (struct sl_span){ value, value ? strlen(value) : 0 });
}

static void
test_params_last_event_id_wins(void)
{
	CU_ASSERT_EQUAL(parse("since=00000001-1"), 0);
	set_header("00000002-7");
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
	CU_ASSERT_EQUAL(params.join.since.epoch, 2);
	CU_ASSERT_EQUAL(params.join.since.seq, 7);
	set_header("");
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
	set_header(NULL);
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
	set_header("42");
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_FOREIGN);
}

static void
test_params_takes_last_event_id_by_the_names_that_libraries_use(void)
{
	static const char *const names[] = { "lastEventId", "lastEventID", "last_event_id",
		"Last-Event-ID", "Last-Event-Id", "last%2Devent%2Did", "evs_last_event_id" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char text[128];
		snprintf(text, sizeof text, "%s=00000002-7&since=00000001-1", names[i]);
		CU_ASSERT_EQUAL(parse(text), 0);
		CU_ASSERT_EQUAL(params.join.since.epoch, 1); /* the transport may know no such thing */
		set_header("");
		CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_CURSOR);
		CU_ASSERT_EQUAL(params.join.since.epoch, 2);
		set_header("00000003-7");
		CU_ASSERT_EQUAL(params.join.since.epoch, 3);
	}
	CU_ASSERT_EQUAL(parse("lastEvent=00000002-7&last-event_id=00000002-7&lastEventId="), 0);
	CU_ASSERT_EQUAL(params.last_event_id.len, 0);
}

static void
test_params_the_last_of_several_last_event_ids_counts(void)
{
	CU_ASSERT_EQUAL(parse("lastEventId=00000002-7&last_event_id=00000003-7"), 0);
	set_header("");
	CU_ASSERT_EQUAL(params.join.since.epoch, 3);
	CU_ASSERT_EQUAL(parse("lastEventId=00000002-7&lastEventId=00000004-7&Last-Event-ID="), 0);
	set_header("");
	CU_ASSERT_EQUAL(params.join.since.epoch, 4);
	CU_ASSERT_EQUAL(parse("lastEventId=00000002-7&lastEventId=undefined"), 0);
	set_header("");
	CU_ASSERT_EQUAL(params.join.since_kind, SL_SINCE_FOREIGN);
}

static void
test_params_refuses_times_out_of_range(void)
{
	static const char *const heartbeats[] = {
		"heartbeat=3", "heartbeat=61", "heartbeat=", "heartbeat=-5", "heartbeat=5s", "heartbeat=015",
		"heartbeat=4294967300", "heartbeat=5.0",
	};
	for (size_t i = 0; i < sizeof heartbeats / sizeof *heartbeats; i++)
		expect_refused(heartbeats[i], "bad_heartbeat", "heartbeat:");
	static const char *const waits[] = { "wait=56", "wait=", "wait=-1", "wait=x", "wait=1e1", "wait=%200" };
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		expect_refused(waits[i], "bad_wait", "wait:");
	CU_ASSERT_EQUAL(parse("heartbeat=60&wait=0"), 0);
	CU_ASSERT_EQUAL(params.join.heartbeat_s, 60);
	CU_ASSERT_EQUAL(params.wait_s, 0);
}

static void
test_params_refuses_other_formats(void)
{
	expect_refused("format=", "bad_format", "format:");
	expect_refused("format=JSON", "bad_format", "format:");
	expect_refused("format=rawx", "bad_format", "format:");
	CU_ASSERT_EQUAL(parse("format=json"), 0);
	CU_ASSERT_EQUAL(params.format, SL_FORMAT_JSON);
}

static void
test_params_refuses_bad_nonces(void)
{
	expect_refused("probe=1234567", "bad_probe", "probe:");
	expect_refused("probe=1234567.", "bad_probe", "probe:");
	expect_refused("nonce=", "bad_probe", "nonce:");
	expect_refused("nonce=12345678%20", "bad_probe", "nonce:");
	char text[8 + 65] = "probe=";
	memset(text + 6, 'x', 65);
	expect_refused(text, "bad_probe", "probe:");
	text[6 + 64] = '\0';
	CU_ASSERT_EQUAL(parse(text), 0);
	CU_ASSERT_EQUAL(params.probe.len, 64);
}

static void
test_params_refuses_a_parameter_given_twice(void)
{
	expect_refused("channels=a&channels=b", "bad_parameter", "channels:");
	expect_refused("since=0&wait=1&since=0", "bad_parameter", "since:");
	expect_refused("token=&token=", "bad_parameter", "token:");
	CU_ASSERT_EQUAL(parse("x=1&x=2"), 0);
}

static void
test_params_require_channels(void)
{
	CU_ASSERT_EQUAL(parse("channels="), 0);
	CU_ASSERT_EQUAL(sl_params_require_channels(&params, &error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error.code, "no_channels");
	CU_ASSERT_EQUAL(parse("format=raw&channels=a,b"), 0);
	CU_ASSERT_EQUAL(sl_params_require_channels(&params, &error), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(error.code, "raw_one_channel");
	CU_ASSERT_EQUAL(parse("format=raw&channels=a,a"), 0);
	CU_ASSERT_EQUAL(sl_params_require_channels(&params, &error), 0);
	CU_ASSERT_EQUAL(parse("channels=a,b"), 0);
	CU_ASSERT_EQUAL(sl_params_require_channels(&params, &error), 0);
}

static void
test_params_keeps_texts_for_those_who_read_them(void)
{
	CU_ASSERT_EQUAL(parse("demo=a&of=b%3a1&show=c,d&name="), 0);
	CU_ASSERT_TRUE(sl_span_equals(params.demo, "a"));
	CU_ASSERT_TRUE(sl_span_equals(params.of, "b:1"));
	CU_ASSERT_TRUE(sl_span_equals(params.show, "c,d"));
	CU_ASSERT_TRUE(sl_span_equals(params.name, ""));
	expect_refused("demo=a&demo=b", "bad_parameter", "demo:");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_params_refusals_show_the_value_and_what_is_right),
		UNIT_TEST(test_params_default_when_absent),
		UNIT_TEST(test_params_verify_is_on_or_off),
		UNIT_TEST(test_params_compress_is_on_or_off),
		UNIT_TEST(test_params_n_of_another_form_is_ignored),
		UNIT_TEST(test_params_reason_is_one_of_a_few_or_another),
		UNIT_TEST(test_params_reads_every_parameter),
		UNIT_TEST(test_params_decodes_percent_escapes),
		UNIT_TEST(test_params_refuses_bad_escapes_and_control_characters),
		UNIT_TEST(test_params_folds_channels_named_twice),
		UNIT_TEST(test_params_refuses_bad_channels),
		UNIT_TEST(test_params_takes_names_with_commas_one_by_one),
		UNIT_TEST(test_params_keeps_the_event_as_it_is),
		UNIT_TEST(test_params_takes_sixty_four_channels),
		UNIT_TEST(test_params_tells_the_kinds_of_since_apart),
		UNIT_TEST(test_params_last_event_id_wins),
		UNIT_TEST(test_params_takes_last_event_id_by_the_names_that_libraries_use),
		UNIT_TEST(test_params_the_last_of_several_last_event_ids_counts),
		UNIT_TEST(test_params_refuses_times_out_of_range),
		UNIT_TEST(test_params_refuses_other_formats),
		UNIT_TEST(test_params_refuses_bad_nonces),
		UNIT_TEST(test_params_refuses_a_parameter_given_twice),
		UNIT_TEST(test_params_keeps_texts_for_those_who_read_them),
		UNIT_TEST(test_params_require_channels),
		{ NULL, NULL },
	};
	return unit_main("params", tests);
}
