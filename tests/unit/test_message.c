#include "bus/message.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define TIME_US 1790000000000123

static struct sl_message *
create(enum sl_payload_type type, const char *payload, size_t len)
{
	struct sl_message *message = NULL;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "chat", 4, type, payload, len), 0);
	return message;
}

static void
expect_object(enum sl_payload_type type, const char *payload, size_t len, uint64_t seq,
	const char *object)
{
	struct sl_message *message = create(type, payload, len);
	sl_message_stamp(message, (struct sl_cursor){ 0x9f3a1c07, seq }, TIME_US);
	CU_ASSERT_EQUAL(message->object_len, strlen(object));
	if (message->object_len == strlen(object))
		CU_ASSERT_EQUAL(memcmp(message->object, object, message->object_len), 0);
	CU_ASSERT_EQUAL_FATAL(message->payload_len, len);
	CU_ASSERT_EQUAL(memcmp(message->payload, payload, len), 0);
	CU_ASSERT_STRING_EQUAL(message->channel, "chat");
	CU_ASSERT_EQUAL(message->channel_len, 4);
	CU_ASSERT_EQUAL(message->type, type);
	CU_ASSERT_EQUAL(message->seq, seq);
	CU_ASSERT_EQUAL(message->epoch, 0x9f3a1c07);
	const char *first = (const char *)message, *last = first + sl_message_bytes(message);
	CU_ASSERT_TRUE(message->payload >= first && message->payload + len <= last);
	CU_ASSERT_TRUE(message->object >= first && message->object + message->object_len <= last);
	sl_message_unref(message);
}

#define OBJECT(seq, rest) \
	"{\"id\":\"9f3a1c07-" seq "\",\"channel\":\"chat\",\"time\":1790000000000123," rest "}"

static void
test_message_object_holds_json_as_published(void)
{
	expect_object(SL_JSON, "{\"a\": [1, 2]}", 13, 1, OBJECT("1", "\"data\":{\"a\": [1, 2]}"));
	expect_object(SL_JSON, "12345678901234567890", 20, 4182,
		OBJECT("4182", "\"data\":12345678901234567890"));
	expect_object(SL_JSON, " \"\\n\" ", 6, 2, OBJECT("2", "\"data\": \"\\n\" "));
}

static void
test_message_object_has_no_line_breaks_but_the_payload_keeps_them(void)
{
	expect_object(SL_JSON, "\n{\n\t\"a\":\r\n1\n}\r\n", 15, 7,
		OBJECT("7", "\"data\": { \t\"a\":  1 }  "));
}

static void
test_message_object_holds_text_as_a_string(void)
{
	expect_object(SL_TEXT, "", 0, 9, OBJECT("9", "\"data\":\"\""));
	expect_object(SL_TEXT, "caf\xc3\xa9 \x7f", 7, 10, OBJECT("10", "\"data\":\"caf\xc3\xa9 \x7f\""));
	expect_object(SL_TEXT, "a\n\"b\"\\\0\x1f", 8, 99,
		OBJECT("99", "\"data\":\"a\\n\\\"b\\\"\\\\\\u0000\\u001f\""));
}

static void
test_message_object_holds_binary_as_base64(void)
{
	expect_object(SL_BINARY, "", 0, 1, OBJECT("1", "\"base64\":\"\""));
	expect_object(SL_BINARY, "\xff\0\n", 3, 1, OBJECT("1", "\"base64\":\"/wAK\""));
	expect_object(SL_BINARY, "foob", 4, 1, OBJECT("1", "\"base64\":\"Zm9vYg==\""));
}

static void
test_message_object_has_room_for_any_number(void)
{
	expect_object(SL_TEXT, "x", 1, 9223372036854775807u,
		OBJECT("9223372036854775807", "\"data\":\"x\""));
	expect_object(SL_TEXT, "x", 1, 18446744073709551615u,
		OBJECT("18446744073709551615", "\"data\":\"x\""));
	expect_object(SL_BINARY, "x", 1, 1000000, OBJECT("1000000", "\"base64\":\"eA==\""));
}

static void
test_message_object_shows_any_time_as_a_number(void)
{
	static const struct { int64_t time_us; const char *shown; } times[] = {
		{ 0, "               0" }, { -1, "               0" }, { INT64_MIN, "               0" },
		{ 999999999999999, " 999999999999999" }, { 1000000000000000, "1000000000000000" },
		{ 9999999999999999, "9999999999999999" }, { INT64_MAX, "9999999999999999" },
	};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		char object[128];
		struct sl_message *message = create(SL_JSON, "1", 1);
		sl_message_stamp(message, (struct sl_cursor){ 1, 1 }, times[i].time_us);
		int len = snprintf(object, sizeof object,
			"{\"id\":\"00000001-1\",\"channel\":\"chat\",\"time\":%s,\"data\":1}", times[i].shown);
		CU_ASSERT_EQUAL_FATAL(message->object_len, (size_t)len);
		CU_ASSERT_EQUAL(memcmp(message->object, object, (size_t)len), 0);
		sl_message_unref(message);
	}
}

static void
test_message_object_carries_the_longest_channel(void)
{
	char name[SL_CHANNEL_MAX], object[512];
	memset(name, 'n', sizeof name);
	struct sl_message *message = NULL;
	CU_ASSERT_EQUAL_FATAL(
		sl_message_create(&message, name, sizeof name, SL_JSON, "null", 4), 0);
	sl_message_stamp(message, (struct sl_cursor){ 1, 5 }, TIME_US);
	int len = snprintf(object, sizeof object,
		"{\"id\":\"00000001-5\",\"channel\":\"%.*s\",\"time\":1790000000000123,\"data\":null}",
		(int)sizeof name, name);
	CU_ASSERT_EQUAL_FATAL(message->object_len, (size_t)len);
	CU_ASSERT_EQUAL(memcmp(message->object, object, (size_t)len), 0);
	CU_ASSERT_EQUAL(strlen(message->channel), SL_CHANNEL_MAX);
	sl_message_unref(message);
}

static void
test_message_shares_payload_and_object_where_they_are_the_same(void)
{
	static char payload[10000];
	memset(payload, '1', sizeof payload);
	struct sl_message *json = create(SL_JSON, payload, sizeof payload);
	struct sl_message *text = create(SL_TEXT, payload, sizeof payload);
	struct sl_message *binary = create(SL_BINARY, payload, sizeof payload);
	CU_ASSERT_TRUE(sl_message_bytes(json) < sizeof payload + 500);
	CU_ASSERT_TRUE(sl_message_bytes(text) < sizeof payload + 500);
	CU_ASSERT_TRUE(sl_message_bytes(binary) > 2 * sizeof payload);
	size_t before = sl_message_bytes(json);
	sl_message_stamp(json, (struct sl_cursor){ 1, 1 }, TIME_US);
	CU_ASSERT_EQUAL(sl_message_bytes(json), before);
	sl_message_unref(json);
	sl_message_unref(text);
	sl_message_unref(binary);
}

static void
test_message_refuses_payloads_that_are_not_their_type(void)
{
	struct sl_message *message = NULL;
	CU_ASSERT_EQUAL(sl_message_create(&message, "c", 1, SL_JSON, "{", 1), SL_ESYNTAX);
	CU_ASSERT_EQUAL(sl_message_create(&message, "c", 1, SL_JSON, "", 0), SL_ESYNTAX);
	CU_ASSERT_EQUAL(sl_message_create(&message, "c", 1, SL_JSON, "1 2", 3), SL_ESYNTAX);
	CU_ASSERT_EQUAL(sl_message_create(&message, "c", 1, SL_JSON, "\"\xff\"", 3), SL_EUTF8);
	CU_ASSERT_EQUAL(sl_message_create(&message, "c", 1, SL_TEXT, "a\xc3", 2), SL_EUTF8);
	CU_ASSERT_PTR_NULL(message);
}

static void
test_message_nests_as_deep_as_its_payload_may(void)
{
	struct sl_message *message = NULL;
	struct sl_span channel = { "c", 1 };
	struct sl_payload payload = { SL_JSON, "[{\"a\":[]}]", 10, 3 };
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, channel, &payload), 0);
	sl_message_unref(message);
	payload.depth_max = 2;
	CU_ASSERT_EQUAL(sl_message_create_from(&message, channel, &payload), SL_ETOODEEP);
	payload.type = SL_TEXT;
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, channel, &payload), 0);
	sl_message_unref(message);
}

static void
test_message_lives_until_its_last_reference(void)
{
	struct sl_message *message = create(SL_TEXT, "x", 1);
	CU_ASSERT_PTR_EQUAL(sl_message_ref(message), message);
	sl_message_unref(message);
	CU_ASSERT_EQUAL(message->refs, 1);
	CU_ASSERT_EQUAL(message->payload[0], 'x');
	sl_message_unref(message);
	sl_message_unref(NULL);
}

static void
test_channel_names_follow_the_rules(void)
{
	static const char *const good[] = {
		"a", "Z", "0", "_", ":", "-", "a.b", "a.b.c", "user:42-x_Y.z", "-a-", "::", "~a", "~-_", "~a.b",
		".", "..", ".a", "a.", "a..b", " ", "a b", "a/b", "a,b", "a>", "\xc3\xa4", "a+b", "a@b", "~~", "~~a",
		"a~", "~.a", "~a b", "\"", "\\", "a\"}", "<script>", "%00", "https://a.example/?b=c#d",
		"\xf0\x9f\x9a\x80", "\xc2\xa0", "\xe2\x80\xa8", "\xef\xbf\xbf",
	};
	static const char *const bad[] = {
		"", "*", "a*", "a.*", "*a", "a\n", "\ra", "a\tb", "\x1f", "\x7f", "a\xc2\x80", "\xc2\x9f" "b", "~", "~*",
		"\x80", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff",
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_channel_name_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_channel_name_valid(bad[i], strlen(bad[i])));
	char longest[SL_CHANNEL_MAX + 1];
	memset(longest, 'a', sizeof longest);
	CU_ASSERT_TRUE(sl_channel_name_valid(longest, SL_CHANNEL_MAX));
	CU_ASSERT_FALSE(sl_channel_name_valid(longest, SL_CHANNEL_MAX + 1));
	CU_ASSERT_FALSE(sl_channel_name_valid("a\0b", 3));
	memcpy(longest + SL_CHANNEL_MAX - 1, "\xc3\xa4", 2); /* a character that does not fit */
	CU_ASSERT_FALSE(sl_channel_name_valid(longest, SL_CHANNEL_MAX));
}

static void
test_event_names_follow_the_rules(void)
{
	static const char *const good[] = {
		"a", "message", "chat message", "~", "*", "\"", "\xf0\x9f\x9a\x80", ".", " ",
	};
	static const char *const bad[] = { "", "a\n", "\x7f", "\xc2\x85", "\xff" };
	char longest[SL_EVENT_MAX + 1];
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CU_ASSERT_TRUE(sl_event_name_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_FALSE(sl_event_name_valid(bad[i], strlen(bad[i])));
	memset(longest, 'e', sizeof longest);
	CU_ASSERT_TRUE(sl_event_name_valid(longest, SL_EVENT_MAX));
	CU_ASSERT_FALSE(sl_event_name_valid(longest, SL_EVENT_MAX + 1));
	CU_ASSERT_FALSE(sl_event_name_valid("a\0b", 3));
}

static void
expect_named(struct sl_span channel, const struct sl_payload *payload, const char *object)
{
	struct sl_message *message = NULL;
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, channel, payload), 0);
	size_t bytes = sl_message_bytes(message);
	sl_message_stamp(message, (struct sl_cursor){ 1, 23 }, TIME_US);
	CU_ASSERT_EQUAL(sl_message_bytes(message), bytes);
	CU_ASSERT_EQUAL_FATAL(message->object_len, strlen(object));
	CU_ASSERT_EQUAL(memcmp(message->object, object, message->object_len), 0);
	CU_ASSERT_EQUAL(message->channel_len, channel.len);
	CU_ASSERT_EQUAL(memcmp(message->channel, channel.bytes, channel.len + 1), 0);
	CU_ASSERT_EQUAL(message->args, payload->args);
	CU_ASSERT_EQUAL(message->payload_len, payload->len);
	CU_ASSERT_EQUAL(memcmp(message->payload, payload->bytes, payload->len), 0);
	CU_ASSERT_EQUAL(message->event_len, payload->event.len);
	CU_ASSERT_EQUAL(message->event == NULL, payload->event.bytes == NULL);
	if (message->event)
		CU_ASSERT_STRING_EQUAL(message->event, payload->event.bytes);
	sl_message_unref(message);
}

#define NAMED(channel, rest) \
	"{\"id\":\"00000001-23\",\"channel\":\"" channel "\"," rest "}"
#define AT_TIME "\"time\":1790000000000123,"

static void
test_message_object_escapes_the_channel(void)
{
	const struct sl_payload payload = { SL_JSON, "1", 1, 1 };
	expect_named((struct sl_span){ "\"} \\, \xf0\x9f\x9a\x80", 10 }, &payload,
		NAMED("\\\"} \\\\, \xf0\x9f\x9a\x80", AT_TIME "\"data\":1"));
	expect_named((struct sl_span){ "\\\\", 2 }, &payload, NAMED("\\\\\\\\", AT_TIME "\"data\":1"));
}

static void
test_message_object_has_the_event_and_its_args(void)
{
	static const char binary[] = "{\"list\":[{\"_placeholder\":true,\"num\":0}],\"attachments\":[\"AQI=\"]}";
	const struct sl_span chat = { "chat", 4 }, said = { "said \"it\"", 9 };
	struct sl_payload payload = { SL_JSON, "[1]", 3, 8, .event = said };
	expect_named(chat, &payload, NAMED("chat", "\"event\":\"said \\\"it\\\"\"," AT_TIME "\"data\":[1]"));
	payload.args = SL_ARGS_LIST;
	expect_named(chat, &payload,
		NAMED("chat", "\"event\":\"said \\\"it\\\"\",\"args\":\"list\"," AT_TIME "\"data\":[1]"));
	payload.args = SL_ARGS_BINARY;
	payload.bytes = binary;
	payload.len = sizeof binary - 1;
	expect_named(chat, &payload, NAMED("chat", "\"event\":\"said \\\"it\\\"\",\"args\":\"binary\"," AT_TIME
		"\"data\":{\"list\":[{\"_placeholder\":true,\"num\":0}],\"attachments\":[\"AQI=\"]}"));
	payload = (struct sl_payload){ SL_TEXT, "\n", 1, .event = { "e", 1 } };
	expect_named(chat, &payload, NAMED("chat", "\"event\":\"e\"," AT_TIME "\"data\":\"\\n\""));
	payload.type = SL_BINARY;
	expect_named(chat, &payload, NAMED("chat", "\"event\":\"e\"," AT_TIME "\"base64\":\"Cg==\""));
}

static void
test_message_refuses_events_and_args_that_do_not_fit(void)
{
	const struct sl_span chat = { "chat", 4 }, event = { "e", 1 };
	const struct sl_payload payloads[] = {
		{ SL_JSON, "1", 1, 8, .event = { "a\n", 2 } },
		{ SL_JSON, "1", 1, 8, .event = { "", 0 } },
		{ SL_JSON, "[1]", 3, 8, .args = SL_ARGS_LIST }, /* of no event */
		{ SL_TEXT, "[1]", 3, 8, .event = event, .args = SL_ARGS_LIST },
		{ SL_BINARY, "[1]", 3, 8, .event = event, .args = SL_ARGS_LIST },
		{ SL_JSON, "{}", 2, 8, .event = event, .args = SL_ARGS_LIST },
		{ SL_JSON, "[]", 2, 8, .event = event, .args = SL_ARGS_BINARY },
	};
	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
		struct sl_message *message = NULL;
		CU_ASSERT_EQUAL(sl_message_create_from(&message, chat, &payloads[i]), SL_EINVAL);
		CU_ASSERT_PTR_NULL(message);
	}
}

static void
test_message_without_an_event_is_no_larger_than_the_struct_was_before(void)
{
	CU_ASSERT_TRUE(sizeof(struct sl_message) <= 88);
}

static void
test_message_is_made_whole_or_not_at_all(void)
{
	static const char *const payloads[] = { "{\"a\":1}", "plain", "with \"quotes\" and\nlines", "" };
	static const enum sl_payload_type types[] = { SL_JSON, SL_TEXT, SL_TEXT, SL_BINARY };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		for_each_failing_allocation(failing) {
			struct sl_message *message = NULL;
			int err = sl_message_create(&message, "chat", 4, types[i], payloads[i],
				strlen(payloads[i]));
			failing_expect(err);
			CU_ASSERT_EQUAL(message != NULL, err == 0);
			sl_message_unref(message);
		}
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_message_object_holds_json_as_published),
		UNIT_TEST(test_message_object_has_no_line_breaks_but_the_payload_keeps_them),
		UNIT_TEST(test_message_object_holds_text_as_a_string),
		UNIT_TEST(test_message_object_holds_binary_as_base64),
		UNIT_TEST(test_message_object_has_room_for_any_number),
		UNIT_TEST(test_message_object_shows_any_time_as_a_number),
		UNIT_TEST(test_message_object_carries_the_longest_channel),
		UNIT_TEST(test_message_shares_payload_and_object_where_they_are_the_same),
		UNIT_TEST(test_message_refuses_payloads_that_are_not_their_type),
		UNIT_TEST(test_message_nests_as_deep_as_its_payload_may),
		UNIT_TEST(test_message_lives_until_its_last_reference),
		UNIT_TEST(test_channel_names_follow_the_rules),
		UNIT_TEST(test_event_names_follow_the_rules),
		UNIT_TEST(test_message_object_escapes_the_channel),
		UNIT_TEST(test_message_object_has_the_event_and_its_args),
		UNIT_TEST(test_message_refuses_events_and_args_that_do_not_fit),
		UNIT_TEST(test_message_without_an_event_is_no_larger_than_the_struct_was_before),
		UNIT_TEST(test_message_is_made_whole_or_not_at_all),
		{ NULL, NULL },
	};
	return unit_main("message", tests);
}
