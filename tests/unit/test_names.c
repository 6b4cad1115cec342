#include "demo/names.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/err.h"

#define KEPT_MS 60000

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
note_request(struct sl_names *names, struct sl_name *name, uint64_t now_ms)
{
	struct sl_trace_event head = { .transport = "sse", .what = SL_TRACE_HEAD };
	sl_names_note(names, name, now_ms, &head, "");
}

/* A request of the name on a connection of its own, which ends. */
static void
use(struct sl_names *names, const char *text, uint64_t now_ms, unsigned *dropped)
{
	struct sl_name *name = sl_names_get(names, span(text), now_ms, dropped);
	CU_ASSERT_PTR_NOT_NULL_FATAL(name);
	note_request(names, name, now_ms);
	sl_names_unref(names, name, now_ms);
}

/* Returns its number. */
static uint32_t
open_connection(struct sl_names *names, struct sl_name *name)
{
	struct sl_trace_event event = { .transport = "sse", .what = SL_TRACE_OPEN };
	sl_names_note(names, name, 1000, &event, "");
	return event.connection;
}

static bool
is_known(struct sl_names *names, const char *text, uint64_t now_ms)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_names_append(names, &out, span(text), 0, false, now_ms);
	bool known = memmem(out.bytes, out.len, "\"requests\":0", 12) == NULL;
	sl_buffer_finish(&out);
	return known;
}

static void
test_name_is_4_to_64_plain_characters(void)
{
	char longest[SL_NAME_MAX + 2];
	memset(longest, 'n', sizeof longest);
	CU_ASSERT_TRUE(sl_name_valid(span("azAZ09_-")));
	CU_ASSERT_TRUE(sl_name_valid(span("four")));
	CU_ASSERT_TRUE(sl_name_valid((struct sl_span){ longest, SL_NAME_MAX }));
	CU_ASSERT_FALSE(sl_name_valid((struct sl_span){ longest, SL_NAME_MAX + 1 }));
	CU_ASSERT_FALSE(sl_name_valid(span("abc")));
	CU_ASSERT_FALSE(sl_name_valid((struct sl_span){ 0 }));
	for (int c = 0; c < 256; c++) {
		char text[4] = { 'a', 'b', 'c', (char)c };
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || c == '_' || c == '-';
		CU_ASSERT_EQUAL(sl_name_valid((struct sl_span){ text, 4 }), plain);
	}
}

static void
test_names_are_told_apart(void)
{
	unsigned dropped = 0;
	struct sl_names *names = sl_names_create();
	use(names, "first", 1000, &dropped);
	CU_ASSERT_TRUE(is_known(names, "first", 1000));
	CU_ASSERT_FALSE(is_known(names, "firs", 1000));
	CU_ASSERT_FALSE(is_known(names, "first-", 1000));
	CU_ASSERT_EQUAL(dropped, 0);
	sl_names_destroy(names);
}

static void
test_names_go_60_s_after_their_last_use(void)
{
	unsigned dropped = 0;
	struct sl_names *names = sl_names_create();
	use(names, "name", 1000, &dropped);
	CU_ASSERT_TRUE(is_known(names, "name", 1000 + KEPT_MS)); /* which is a use */
	CU_ASSERT_TRUE(is_known(names, "name", 1000 + 2 * KEPT_MS));
	CU_ASSERT_FALSE(is_known(names, "name", 1001 + 3 * KEPT_MS));
	CU_ASSERT_EQUAL(dropped, 0); /* nobody had to make room */
	sl_names_destroy(names);
}

static void
test_names_of_open_connections_stay(void)
{
	unsigned dropped = 0;
	struct sl_names *names = sl_names_create();
	struct sl_name *name = sl_names_get(names, span("name"), 1000, &dropped);
	note_request(names, name, 1000);
	CU_ASSERT_TRUE(is_known(names, "name", 1000 + 10 * KEPT_MS));
	sl_names_unref(names, name, 1000 + 10 * KEPT_MS);
	CU_ASSERT_TRUE(is_known(names, "name", 1000 + 11 * KEPT_MS));
	CU_ASSERT_FALSE(is_known(names, "name", 1001 + 12 * KEPT_MS));
	sl_names_destroy(names);
}

static void
test_names_make_room_by_the_one_longest_unused(void)
{
	unsigned dropped = 0;
	char text[16];
	struct sl_names *names = sl_names_create();
	for (unsigned i = 0; i < SL_NAMES_MAX; i++) {
		snprintf(text, sizeof text, "name-%u", i);
		use(names, text, 1000 + i, &dropped);
	}
	use(names, "name-0", 2000, &dropped);
	CU_ASSERT_EQUAL(dropped, 0);
	use(names, "one-more", 2001, &dropped);
	CU_ASSERT_EQUAL(dropped, 1);
	CU_ASSERT_FALSE(is_known(names, "name-1", 2001));
	CU_ASSERT_TRUE(is_known(names, "name-0", 2001) && is_known(names, "name-2", 2001));
	sl_names_destroy(names);
}

static void
test_names_dropped_under_a_connection_note_nothing_more(void)
{
	unsigned dropped = 0;
	char text[16];
	struct sl_trace_event event = { .bytes = 5, .transport = "sse", .what = SL_TRACE_BYTES };
	struct sl_names *names = sl_names_create();
	struct sl_name *name = sl_names_get(names, span("victim"), 1000, &dropped);
	for (unsigned i = 0; i < SL_NAMES_MAX; i++) {
		snprintf(text, sizeof text, "name-%u", i);
		use(names, text, 2000, &dropped);
	}
	CU_ASSERT_EQUAL(dropped, 1);
	CU_ASSERT_EQUAL(sl_names_note(names, name, 2000, &event, ""), 0);
	CU_ASSERT_EQUAL(open_connection(names, name), 0);
	sl_names_block(names, name, ~0u);
	CU_ASSERT_FALSE(sl_names_is_blocked(names, span("victim"), SL_CLASS_SSE));
	CU_ASSERT_FALSE(is_known(names, "victim", 2000));
	sl_names_unref(names, name, 2000);
	sl_names_destroy(names);
}

static void
test_names_number_their_connections(void)
{
	unsigned dropped = 0;
	struct sl_names *names = sl_names_create();
	struct sl_name *name = sl_names_get(names, span("name"), 1000, &dropped);
	struct sl_name *other = sl_names_get(names, span("other"), 1000, &dropped);
	CU_ASSERT_EQUAL(open_connection(names, name), 1);
	CU_ASSERT_EQUAL(open_connection(names, name), 2);
	CU_ASSERT_EQUAL(open_connection(names, other), 1);
	sl_names_unref(names, name, 1000);
	sl_names_unref(names, other, 1000);
	sl_names_destroy(names);
}

static void
test_names_block_transports_for_themselves_alone(void)
{
	unsigned dropped = 0;
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_names *names = sl_names_create();
	struct sl_name *name = sl_names_get(names, span("name"), 1000, &dropped);
	sl_names_block(names, name, 1u << SL_CLASS_WEBSOCKET | 1u << SL_CLASS_POLL);
	CU_ASSERT_TRUE(sl_names_is_blocked(names, span("name"), SL_CLASS_WEBSOCKET));
	CU_ASSERT_TRUE(sl_names_is_blocked(names, span("name"), SL_CLASS_POLL));
	CU_ASSERT_FALSE(sl_names_is_blocked(names, span("name"), SL_CLASS_LONGPOLL));
	CU_ASSERT_FALSE(sl_names_is_blocked(names, span("other"), SL_CLASS_POLL));
	sl_names_append(names, &out, span("name"), 0, false, 1000);
	CU_ASSERT_PTR_NOT_NULL(memmem(out.bytes, out.len, "\"blocked\":[\"websocket\",\"poll\"],", 31));
	sl_names_block(names, name, 0);
	CU_ASSERT_FALSE(sl_names_is_blocked(names, span("name"), SL_CLASS_POLL));
	sl_buffer_finish(&out);
	sl_names_unref(names, name, 1000);
	sl_names_destroy(names);
}

static void
test_names_without_memory_are_none_and_push_nobody_out(void)
{
	unsigned dropped = 0;
	char text[16];
	struct sl_names *names = sl_names_create();
	for (unsigned i = 0; i < SL_NAMES_MAX; i++) {
		snprintf(text, sizeof text, "name-%u", i);
		use(names, text, 1000, &dropped);
	}
	for (unsigned n = 1; n <= 2; n++) { /* the name, and its trace */
		failing_alloc_set(n, false);
		CU_ASSERT_PTR_NULL(sl_names_get(names, span("one-more"), 1000, &dropped));
		failing_alloc_off();
		CU_ASSERT_EQUAL(failing_alloc_has_failed(), true);
		CU_ASSERT_EQUAL(dropped, 0);
		CU_ASSERT_TRUE(is_known(names, "name-0", 1000) && is_known(names, "name-63", 1000));
	}
	use(names, "one-more", 1000, &dropped);
	CU_ASSERT_EQUAL(dropped, 1);
	sl_names_destroy(names);
	for_each_failing_allocation(failing) {
		names = sl_names_create();
		failing_expect(names ? 0 : SL_ENOMEM);
		sl_names_destroy(names);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_name_is_4_to_64_plain_characters),
		UNIT_TEST(test_names_are_told_apart),
		UNIT_TEST(test_names_go_60_s_after_their_last_use),
		UNIT_TEST(test_names_of_open_connections_stay),
		UNIT_TEST(test_names_make_room_by_the_one_longest_unused),
		UNIT_TEST(test_names_dropped_under_a_connection_note_nothing_more),
		UNIT_TEST(test_names_number_their_connections),
		UNIT_TEST(test_names_block_transports_for_themselves_alone),
		UNIT_TEST(test_names_without_memory_are_none_and_push_nobody_out),
		{ NULL, NULL },
	};
	return unit_main("names", tests);
}
