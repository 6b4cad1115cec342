#include "transports/sse_event.h"

#include <string.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/unit.h"

static const struct sl_cursor id = { 0x9f3a1c07, 4182 };

#define ID "id: 9f3a1c07-4182\n"

static void
expect_message(const char *payload, const char *text)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_sse_append_message(&buf, id, payload, strlen(payload));
	expect_text(&buf, text);
}

static void
test_sse_message_is_id_and_data(void)
{
	expect_message("{\"a\":1}", ID "data: {\"a\":1}\n\n");
	expect_message(" leading", ID "data:  leading\n\n");
	expect_message("", ID "data: \n\n");
}

static void
test_sse_message_splits_at_every_kind_of_line_break(void)
{
	expect_message("a\nb", ID "data: a\ndata: b\n\n");
	expect_message("a\rb", ID "data: a\ndata: b\n\n");
	expect_message("a\r\nb", ID "data: a\ndata: b\n\n");
	expect_message("a\n\rb", ID "data: a\ndata: \ndata: b\n\n");
	expect_message("a\r\rb", ID "data: a\ndata: \ndata: b\n\n");
	expect_message("\n", ID "data: \ndata: \n\n");
	expect_message("a\r\n", ID "data: a\ndata: \n\n");
	expect_message("a\r", ID "data: a\ndata: \n\n");
	expect_message("x\n\nevent: bye\ndata: y", ID
		"data: x\ndata: \ndata: event: bye\ndata: data: y\n\n");
}

static void
test_sse_event_has_a_name_and_perhaps_an_id(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_sse_append_event(&buf, "open", &id, "{\"type\":\"open\"}", 15);
	sl_sse_append_event(&buf, "mark", NULL, "{\"type\":\"mark\"}", 15);
	expect_text(&buf, ID "event: open\ndata: {\"type\":\"open\"}\n\n"
		"event: mark\ndata: {\"type\":\"mark\"}\n\n");
}

static void
test_sse_retry_belongs_to_the_event_behind_it(void)
{
	struct sl_buffer buf = SL_BUFFER_INIT;
	sl_sse_append_retry(&buf, 5000);
	sl_sse_append_event(&buf, "bye", NULL, "{}", 2);
	expect_text(&buf, "retry: 5000\nevent: bye\ndata: {}\n\n");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sse_message_is_id_and_data),
		UNIT_TEST(test_sse_message_splits_at_every_kind_of_line_break),
		UNIT_TEST(test_sse_event_has_a_name_and_perhaps_an_id),
		UNIT_TEST(test_sse_retry_belongs_to_the_event_behind_it),
		{ NULL, NULL },
	};
	return unit_main("sse_event", tests);
}
