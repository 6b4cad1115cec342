#include "clients/socket_io/sio_event.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_span attachments[] = { { "\1\2\3", 3 }, { "hi", 2 } };

#define PLACE(num) "{\"_placeholder\":true,\"num\":" num "}"

static int
parse(struct sl_sio_event *out, const char *json, unsigned count)
{
	return sl_sio_event_read(out, (struct sl_span){ json, strlen(json) }, attachments, count);
}

/* As text: type, args, event, bytes. */
static const char *
show(const struct sl_payload *payload)
{
	static char text[512];
	snprintf(text, sizeof text, "%c%d %.*s %.*s", "jtb"[payload->type], (int)payload->args,
		(int)payload->event.len, payload->event.bytes ? payload->event.bytes : "", (int)payload->len, payload->bytes);
	return text;
}

static void
expect_payload(const char *json, unsigned count, const char *expected)
{
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_payload payload = { .type = SL_TEXT };
	struct sl_sio_event event;
	CU_ASSERT_EQUAL_FATAL(parse(&event, json, count), 0);
	CU_ASSERT_EQUAL(sl_sio_event_make_payload(&event, &space, &payload), 0);
	CU_ASSERT_STRING_EQUAL(show(&payload), expected);
	sl_buffer_finish(&space);
}

static void
test_sio_event_of_one_argument_is_data(void)
{
	expect_payload("[\"chat message\",\"hello\"]", 0, "j0 chat message \"hello\"");
	expect_payload(" [ \"a\" , [1, 2] ] ", 0, "j0 a [1, 2]");
	expect_payload("[\"a\",null]", 0, "j0 a null");
	expect_payload("[7,1]", 0, "j0 7 1"); /* a number is a name */
	expect_payload("[\"\\u0061\\\"\",1]", 0, "j0 a\" 1");
}

static void
test_sio_event_of_others_is_a_list(void)
{
	expect_payload("[\"a\"]", 0, "j1 a []");
	expect_payload("[\"a\",1,{\"b\":[]}]", 0, "j1 a [1,{\"b\":[]}]");
	expect_payload(" [ \"a\" , 1 , 2 ] ", 0, "j1 a [1 , 2]");
	expect_payload("[\"a\",1,2,3,4,5]", 0, "j1 a [1,2,3,4,5]");
	expect_payload("[\"a\"," PLACE("0") ",1]", 0, "j1 a [" PLACE("0") ",1]"); /* of a packet without attachments */
}

static void
test_sio_event_with_attachments_is_bytes_or_a_list_with_them(void)
{
	expect_payload("[\"a\"," PLACE("1") "]", 2, "b0 a hi");
	expect_payload("[\"a\"," PLACE("0") ",1]", 1,
		"j2 a {\"list\":[" PLACE("0") ",1],\"attachments\":[\"AQID\"]}");
	expect_payload("[\"a\",{\"x\":" PLACE("1") "}]", 2,
		"j2 a {\"list\":[{\"x\":" PLACE("1") "}],\"attachments\":[\"AQID\",\"aGk=\"]}");
	expect_payload("[\"a\"]", 2, "j2 a {\"list\":[],\"attachments\":[\"AQID\",\"aGk=\"]}");
	/* What is more than a placeholder stays an object, and is checked with the message. */
	expect_payload("[\"a\",{\"_placeholder\":true,\"num\":1,\"x\":2}]", 2,
		"j2 a {\"list\":[{\"_placeholder\":true,\"num\":1,\"x\":2}],\"attachments\":[\"AQID\",\"aGk=\"]}");
	expect_payload("[\"a\"," PLACE("7") "]", 2,
		"j2 a {\"list\":[" PLACE("7") "],\"attachments\":[\"AQID\",\"aGk=\"]}");
}

static void
test_sio_event_data_may_have_a_name_or_none(void)
{
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_payload payload = { .type = SL_TEXT };
	struct sl_sio_event event;
	const struct sl_span name = { "n", 1 }, none = { NULL, 0 };
	CU_ASSERT_EQUAL_FATAL(parse(&event, "[\"publish\",\"c\",[1],\"n\"]", 0), 0);
	CU_ASSERT_EQUAL(event.count, 3);
	CU_ASSERT_EQUAL(sl_sio_event_make_data(&event, 1, none, &space, &payload), 0);
	CU_ASSERT_STRING_EQUAL(show(&payload), "j0  [1]");
	CU_ASSERT_EQUAL(sl_sio_event_make_data(&event, 1, name, &space, &payload), 0);
	CU_ASSERT_STRING_EQUAL(show(&payload), "j0 n [1]");
	CU_ASSERT_EQUAL_FATAL(parse(&event, "[\"publish\",\"c\"," PLACE("0") "]", 1), 0);
	CU_ASSERT_EQUAL(sl_sio_event_make_data(&event, 1, none, &space, &payload), 0);
	CU_ASSERT_STRING_EQUAL(show(&payload), "b0  \1\2\3");
	CU_ASSERT_EQUAL_FATAL(parse(&event, "[\"publish\",\"c\",[" PLACE("0") "]]", 1), 0);
	CU_ASSERT_EQUAL(sl_sio_event_make_data(&event, 1, none, &space, &payload), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_sio_event_make_data(&event, 1, name, &space, &payload), 0);
	CU_ASSERT_STRING_EQUAL(show(&payload), "j2 n {\"list\":[[" PLACE("0") "]],\"attachments\":[\"AQID\"]}");
	sl_buffer_finish(&space);
}

static void
test_sio_event_has_a_legal_name(void)
{
	char json[8 * SL_EVENT_MAX];
	struct sl_sio_event event;
	memset(json, 'x', sizeof json);
	memcpy(json, "[\"", 2);
	strcpy(json + 2 + SL_EVENT_MAX, "\"]");
	CU_ASSERT_EQUAL(parse(&event, json, 0), 0);
	CU_ASSERT_EQUAL(event.name.len, SL_EVENT_MAX);
	json[2 + SL_EVENT_MAX] = 'x';
	strcpy(json + 3 + SL_EVENT_MAX, "\"]");
	CU_ASSERT_EQUAL(parse(&event, json, 0), SL_EINVAL);
	memset(json, 'x', sizeof json);
	memcpy(json, "[\"", 2);
	strcpy(json + 2 + 6 * SL_EVENT_MAX + 1, "\"]");
	CU_ASSERT_EQUAL(parse(&event, json, 0), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&event, "[\"\"]", 0), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&event, "[\"a\\nb\"]", 0), SL_EINVAL);
	CU_ASSERT_EQUAL(parse(&event, "[\"\\ud800\"]", 0), SL_EINVAL);
}

static void
test_sio_event_without_memory_says_so(void)
{
	for_each_failing_allocation(failing) {
		struct sl_buffer space = SL_BUFFER_INIT;
		struct sl_payload payload = { .type = SL_TEXT };
		struct sl_sio_event event;
		int err = parse(&event, "[\"\\u0061\"," PLACE("0") ",1]", 1);
		if (err == 0)
			err = sl_sio_event_make_payload(&event, &space, &payload);
		failing_expect(err);
		sl_buffer_finish(&space);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_event_of_one_argument_is_data),
		UNIT_TEST(test_sio_event_of_others_is_a_list),
		UNIT_TEST(test_sio_event_with_attachments_is_bytes_or_a_list_with_them),
		UNIT_TEST(test_sio_event_data_may_have_a_name_or_none),
		UNIT_TEST(test_sio_event_has_a_legal_name),
		UNIT_TEST(test_sio_event_without_memory_says_so),
		{ NULL, NULL },
	};
	return unit_main("sio_event", tests);
}
