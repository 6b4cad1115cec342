#include "demo/trace.h"

#include <string.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/unit.h"
#include "util/base64.h"
#include "util/buffer.h"

static struct sl_trace trace;

static unsigned
add(enum sl_trace_what what, bool from_gateway, uint64_t bytes, const char *captured, size_t len)
{
	struct sl_trace_event event = {
		.time_us = 1790000000000000,
		.bytes = bytes,
		.captured_len = (uint32_t)len,
		.connection = 1,
		.transport = "sse",
		.what = what,
		.from_gateway = from_gateway,
	};
	return sl_trace_add(&trace, &event, captured);
}

static bool
holds(const struct sl_buffer *out, const char *text)
{
	return memmem(out->bytes, out->len, text, strlen(text)) != NULL;
}

static unsigned
count_of(const struct sl_buffer *out, const char *text)
{
	unsigned count = 0;
	const char *at = out->bytes, *end = at + out->len;
	while ((at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
		at += strlen(text);
		count++;
	}
	return count;
}

static void
test_trace_that_is_new_has_nothing(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	sl_trace_append_counts(&out, &trace);
	sl_buffer_append_char(&out, ' ');
	sl_trace_append_events(&out, &trace, 0, true);
	expect_text(&out, "\"connections\":0,\"requests\":0,\"received\":{\"heads\":0,\"bodies\":0},"
		"\"sent\":{\"heads\":0,\"bodies\":0} \"next\":0,\"dropped\":0,\"events\":[]");
}

static void
test_trace_shows_an_event_with_its_bytes(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	CU_ASSERT_EQUAL(add(SL_TRACE_HEAD, false, 5000, "GET", 3), 0);
	sl_trace_append_events(&out, &trace, 0, true);
	expect_text(&out, "\"next\":1,\"dropped\":0,\"events\":[{\"n\":1,\"time\":1790000000000000,"
		"\"connection\":1,\"transport\":\"sse\",\"from\":\"client\",\"what\":\"head\","
		"\"bytes\":5000,\"base64\":\"R0VU\"}]");
	sl_trace_append_events(&out, &trace, 0, false);
	CU_ASSERT_FALSE(holds(&out, "base64"));
	sl_buffer_finish(&out);
}

static void
test_trace_counts_heads_and_bodies_each_way(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	add(SL_TRACE_OPEN, false, 0, "", 0);
	add(SL_TRACE_HEAD, false, 1, "a", 1);
	add(SL_TRACE_BYTES, false, 20, "b", 1);
	add(SL_TRACE_HEAD, true, 300, "c", 1);
	add(SL_TRACE_BYTES, true, 4000, "d", 1);
	add(SL_TRACE_BYTES, true, 50000, "e", 1);
	add(SL_TRACE_CLOSE, true, 0, "", 0);
	sl_trace_append_counts(&out, &trace);
	expect_text(&out, "\"connections\":1,\"requests\":1,\"received\":{\"heads\":1,\"bodies\":20},"
		"\"sent\":{\"heads\":300,\"bodies\":54000}");
}

static void
test_trace_tells_what_tls_added_where_it_added_anything(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_trace_event event = { .transport = "sse", .what = SL_TRACE_OPEN,
		.tls_received = 500, .tls_sent = 1000 };
	sl_trace_init(&trace);
	sl_trace_add(&trace, &event, "");
	event = (struct sl_trace_event){ .transport = "sse", .what = SL_TRACE_BYTES, .bytes = 10,
		.tls_sent = 22, .from_gateway = true };
	sl_trace_add(&trace, &event, "");
	sl_trace_append_counts(&out, &trace);
	CU_ASSERT_TRUE(holds(&out, "\"received\":{\"heads\":0,\"bodies\":0,\"tls\":500},"
		"\"sent\":{\"heads\":0,\"bodies\":10,\"tls\":1022}"));
	sl_trace_append_events(&out, &trace, 0, false);
	CU_ASSERT_TRUE(holds(&out, "\"bytes\":0,\"handshake\":{\"received\":500,\"sent\":1000}}"));
	CU_ASSERT_TRUE(holds(&out, "\"bytes\":10,\"tls\":22}"));
	sl_buffer_finish(&out);
}

static void
test_trace_gives_only_events_behind_a_number(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	for (int i = 0; i < 5; i++)
		add(SL_TRACE_BYTES, true, 1, "x", 1);
	sl_trace_append_events(&out, &trace, 3, false);
	CU_ASSERT_EQUAL(count_of(&out, "\"n\":"), 2);
	CU_ASSERT_TRUE(holds(&out, "\"n\":4,") && holds(&out, "\"n\":5,"));
	CU_ASSERT_TRUE(holds(&out, "\"next\":5,\"dropped\":0"));
	sl_buffer_clear(&out);
	sl_trace_append_events(&out, &trace, 5, false);
	expect_text(&out, "\"next\":5,\"dropped\":0,\"events\":[]");
}

static void
test_trace_starts_anew_for_a_number_it_never_gave(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	add(SL_TRACE_BYTES, true, 1, "x", 1);
	sl_trace_append_events(&out, &trace, 2, false);
	CU_ASSERT_TRUE(holds(&out, "\"next\":1,\"dropped\":0,\"events\":[{\"n\":1,"));
	sl_buffer_clear(&out);
	sl_trace_append_events(&out, &trace, UINT64_MAX, false);
	CU_ASSERT_TRUE(holds(&out, "\"events\":[{\"n\":1,"));
	sl_buffer_finish(&out);
}

static void
test_trace_that_is_full_drops_the_oldest_event(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_trace_init(&trace);
	for (int i = 0; i < SL_TRACE_EVENTS; i++)
		CU_ASSERT_EQUAL(add(SL_TRACE_BYTES, true, 1, "x", 1), 0);
	CU_ASSERT_EQUAL(add(SL_TRACE_BYTES, true, 1, "y", 1), 1);
	CU_ASSERT_EQUAL(add(SL_TRACE_BYTES, true, 1, "z", 1), 1);
	sl_trace_append_events(&out, &trace, 0, true);
	CU_ASSERT_EQUAL(count_of(&out, "\"n\":"), SL_TRACE_EVENTS);
	CU_ASSERT_TRUE(holds(&out, "\"next\":258,\"dropped\":2,\"events\":[{\"n\":3,"));
	sl_buffer_clear(&out);
	sl_trace_append_events(&out, &trace, 1, true);
	CU_ASSERT_TRUE(holds(&out, "\"dropped\":1,"));
	sl_buffer_clear(&out);
	sl_trace_append_events(&out, &trace, 2, true);
	CU_ASSERT_TRUE(holds(&out, "\"dropped\":0,"));
	sl_buffer_finish(&out);
}

/* Every event's bytes are its own, wherever the ring has wrapped. */
static void
test_trace_keeps_bytes_of_any_length_apart(void)
{
	char bytes[SL_TRACE_CAPTURE];
	size_t lengths[600];
	sl_trace_init(&trace);
	for (size_t i = 0; i < 600; i++) {
		lengths[i] = (i * 739) % (SL_TRACE_CAPTURE + 1);
		memset(bytes, (int)(i % 251), sizeof bytes);
		add(SL_TRACE_BYTES, true, lengths[i], bytes, lengths[i]);
		uint64_t held = 0;
		for (uint64_t n = trace.first; n < trace.next; n++)
			held += lengths[n - 1];
		CU_ASSERT_TRUE(held <= SL_TRACE_HELD);
		CU_ASSERT_TRUE(trace.next - trace.first <= SL_TRACE_EVENTS);
	}
	for (uint64_t n = trace.first; n < trace.next; n++) {
		struct sl_buffer out = SL_BUFFER_INIT, want = SL_BUFFER_INIT;
		memset(bytes, (int)((n - 1) % 251), sizeof bytes);
		sl_buffer_append_str(&want, "\"base64\":\"");
		sl_base64_append(&want, bytes, lengths[n - 1]);
		sl_buffer_append(&want, "\"", 1);
		sl_trace_append_events(&out, &trace, n - 1, true);
		char *first = memmem(out.bytes, out.len, "\"base64\"", 8);
		CU_ASSERT_PTR_NOT_NULL_FATAL(first);
		CU_ASSERT_EQUAL(memcmp(first, want.bytes, want.len), 0);
		sl_buffer_finish(&out);
		sl_buffer_finish(&want);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_trace_that_is_new_has_nothing),
		UNIT_TEST(test_trace_shows_an_event_with_its_bytes),
		UNIT_TEST(test_trace_counts_heads_and_bodies_each_way),
		UNIT_TEST(test_trace_tells_what_tls_added_where_it_added_anything),
		UNIT_TEST(test_trace_gives_only_events_behind_a_number),
		UNIT_TEST(test_trace_starts_anew_for_a_number_it_never_gave),
		UNIT_TEST(test_trace_that_is_full_drops_the_oldest_event),
		UNIT_TEST(test_trace_keeps_bytes_of_any_length_apart),
		{ NULL, NULL },
	};
	return unit_main("trace", tests);
}
