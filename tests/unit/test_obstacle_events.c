#include "bench/obstacle/events.h"

#include <string.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/unit.h"

static struct ob_events
begin(const char *head_text, const char *transport)
{
	struct ob_events events;
	struct ob_head head;
	size_t used;
	ob_head_init(&head, OB_RESPONSE, 1024);
	CU_ASSERT_EQUAL_FATAL(ob_head_feed(&head, head_text, strlen(head_text), &used), 0);
	ob_events_begin(&events, &head, transport);
	ob_head_finish(&head);
	return events;
}

/* `marked` is `text` with "[" where one begins and "^" where its content does, whatever its
 * pieces. */
static void
expect_marks(enum ob_event_form form, const char *text, const char *marked)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		struct ob_events events = { .form = form };
		struct sl_buffer out = SL_BUFFER_INIT;
		for (size_t at = 0; at < strlen(text); at += step) {
			const char *bytes = text + at, *part;
			size_t len = strlen(bytes) < step ? strlen(bytes) : step, part_len;
			enum ob_event_step found;
			while ((found = ob_events_next(&events, &bytes, &len, &part, &part_len))
				!= OB_EVENT_MORE)
				if (found == OB_EVENT_BYTES)
					sl_buffer_append(&out, part, part_len);
				else
					sl_buffer_append_char(&out, found == OB_EVENT_BEGIN ? '[' : '^');
			CU_ASSERT_EQUAL(len, 0);
		}
		expect_text(&out, marked);
	}
}

static void
test_events_begin_at_their_first_line_and_end_at_an_empty_one(void)
{
	expect_marks(OB_EVENTS, "id: 1\ndata: {}\n\nid: 2\ndata: {}\n\n",
		"[id: 1\ndata: ^{}\n\n[id: 2\ndata: ^{}\n\n");
	expect_marks(OB_EVENTS, "\n\nevent: open\ndata:{}\n\n\n\ndata: x", "\n\n[event: open\ndata:^{}\n\n\n\n[data: ^x");
}

static void
test_events_have_lines_that_end_in_any_of_three_ways(void)
{
	expect_marks(OB_EVENTS, "data: a\r\n\r\ndata: b\r\rdata: c\r\n\ndata: d\n\r\ndata: e",
		"[data: ^a\r\n\r\n[data: ^b\r\r[data: ^c\r\n\n[data: ^d\n\r\n[data: ^e");
	expect_marks(OB_EVENTS, "id: 1\r\ndata: a\r\n\r\n", "[id: 1\r\ndata: ^a\r\n\r\n");
}

static void
test_events_have_content_in_their_first_data_field_alone(void)
{
	expect_marks(OB_EVENTS, "data: a\ndata: b\n\n", "[data: ^a\ndata: b\n\n");
	expect_marks(OB_EVENTS, "date: a\ndata\nxdata: b\ndata:  c\n\n", "[date: a\ndata\nxdata: b\ndata: ^ c\n\n");
	expect_marks(OB_EVENTS, ": ping\n\ndata:\n\n", "[: ping\n\n[data:^\n\n");
}

static void
test_events_of_json_are_lines_and_an_empty_one_is_none(void)
{
	expect_marks(OB_LINES, "{\"a\":1}\n\n{}\nx", "[^{\"a\":1}\n\n[^{}\n[^x");
}

static void
test_events_of_a_poll_are_one(void)
{
	expect_marks(OB_ANSWER, "{}\n\n{}\n", "[^{}\n\n{}\n");
}

static void
test_events_are_not_looked_for_elsewhere(void)
{
	expect_marks(OB_NO_EVENTS, "data: a\n\ndata: b\n\n", "data: a\n\ndata: b\n\n");
}

static void
test_events_have_the_form_that_the_head_says(void)
{
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n\r\n",
		"other").form, OB_EVENTS);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n",
		"stream").form, OB_LINES);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
		"poll").form, OB_ANSWER);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\n\r\n", "longpoll").form, OB_ANSWER);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
		"publish").form, OB_NO_EVENTS);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 200 OK\r\nContent-Type: text/event-streams\r\n\r\n",
		"sse").form, OB_NO_EVENTS);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n",
		"poll").form, OB_NO_EVENTS);
	CU_ASSERT_EQUAL(begin("HTTP/1.1 101 Switching Protocols\r\n\r\n", "websocket").form,
		OB_NO_EVENTS);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_events_begin_at_their_first_line_and_end_at_an_empty_one),
	UNIT_TEST(test_events_have_lines_that_end_in_any_of_three_ways),
	UNIT_TEST(test_events_have_content_in_their_first_data_field_alone),
	UNIT_TEST(test_events_of_json_are_lines_and_an_empty_one_is_none),
	UNIT_TEST(test_events_of_a_poll_are_one),
	UNIT_TEST(test_events_are_not_looked_for_elsewhere),
	UNIT_TEST(test_events_have_the_form_that_the_head_says),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_events", tests);
}
