#include "transports/ws_message.h"

#include <limits.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/ws_bytes.h"
#include "tests/unit/ws_transcript.h"
#include "util/err.h"

/* Allocations pass through here (see local.mk), to run out when a test says so. */
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned allocations_left = UINT_MAX;

void *
__wrap_calloc(size_t count, size_t size)
{
	return allocations_left && allocations_left-- ? __real_calloc(count, size) : NULL;
}

void *
__wrap_realloc(void *old, size_t size)
{
	return allocations_left && allocations_left-- ? __real_realloc(old, size) : NULL;
}

static const struct sl_ws_limits limits = { .max_message_bytes = 1000, .max_fragments = 4 };

/* A reader with bytes to read. */
struct wire {
	struct sl_ws_reader reader;
	struct sl_buffer bytes;
	size_t at;
	struct sl_ws_event event;
};

static void
open_wire(struct wire *wire)
{
	memset(wire, 0, sizeof *wire);
	sl_ws_reader_init(&wire->reader);
}

static void
close_wire(struct wire *wire)
{
	sl_ws_reader_finish(&wire->reader);
	sl_buffer_finish(&wire->bytes);
}

/* Feeds at most `len` bytes of what has not been fed yet. */
static int
feed(struct wire *wire, size_t len)
{
	size_t used;
	if (len > wire->bytes.len - wire->at)
		len = wire->bytes.len - wire->at;
	int result = sl_ws_reader_feed(&wire->reader, &limits, wire->bytes.bytes + wire->at, len,
		&used, &wire->event);
	wire->at += used;
	return result;
}

static void
expect_event(struct wire *wire, enum sl_ws_event_type type, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(feed(wire, SIZE_MAX), 1);
	CU_ASSERT_EQUAL(wire->event.type, type);
	CU_ASSERT_EQUAL_FATAL(wire->event.len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(wire->event.bytes, text, wire->event.len), 0);
}

static void
expect_failure(struct wire *wire, int err, unsigned close_code)
{
	CU_ASSERT_EQUAL(feed(wire, SIZE_MAX), err);
	CU_ASSERT_EQUAL(wire->reader.close_code, close_code);
	CU_ASSERT_EQUAL(wire->at, wire->bytes.len);
}

static void
test_ws_reader_is_small(void)
{
	CU_ASSERT(sizeof(struct sl_ws_reader) <= 64);
}

static void
test_ws_reader_delivers_a_whole_frame_where_it_lies(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PING, "there");
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "hello");
	CU_ASSERT_PTR_EQUAL(wire.event.bytes, wire.bytes.bytes + 6);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	expect_event(&wire, SL_WS_PING, "there");
	CU_ASSERT_PTR_EQUAL(wire.event.bytes, wire.bytes.bytes + 17);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	CU_ASSERT_EQUAL(feed(&wire, SIZE_MAX), 0);
	close_wire(&wire);
}

static void
test_ws_reader_delivers_in_place_when_only_the_header_came_before(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_BINARY, "hello");
	CU_ASSERT_EQUAL(feed(&wire, 6), 0);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	expect_event(&wire, SL_WS_MESSAGE_BINARY, "hello");
	CU_ASSERT_PTR_EQUAL(wire.event.bytes, wire.bytes.bytes + 6);
	close_wire(&wire);
}

static void
test_ws_reader_owns_memory_only_while_something_spans_reads(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	CU_ASSERT_EQUAL(feed(&wire, 8), 0);
	CU_ASSERT_PTR_NOT_NULL(wire.reader.assembly);
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "hello");
	CU_ASSERT_EQUAL(feed(&wire, 0), 0);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PONG, "hello");
	CU_ASSERT_EQUAL(feed(&wire, 8), 0);
	CU_ASSERT_PTR_NOT_NULL(wire.reader.assembly);
	expect_event(&wire, SL_WS_PONG, "hello");
	CU_ASSERT_EQUAL(feed(&wire, 0), 0);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	close_wire(&wire);
}

static void
test_ws_reader_frees_its_memory_before_the_next_message(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "again");
	CU_ASSERT_EQUAL(feed(&wire, 8), 0);
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "hello");
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "again");
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	close_wire(&wire);
}

static void
test_ws_reader_keeps_a_message_over_a_split_ping(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, "hel");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PING, "ping");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, "lo");
	CU_ASSERT_EQUAL(feed(&wire, 9 + 8), 0);
	expect_event(&wire, SL_WS_PING, "ping");
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "hello");
	close_wire(&wire);
}

static void
test_ws_reader_gives_empty_messages_a_pointer(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, "");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PING, "ping");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, "");
	CU_ASSERT_EQUAL(feed(&wire, 6 + 8), 0);
	expect_event(&wire, SL_WS_PING, "ping");
	expect_event(&wire, SL_WS_MESSAGE_TEXT, "");
	CU_ASSERT_PTR_NOT_NULL(wire.event.bytes);
	close_wire(&wire);
}

static void
test_ws_reader_takes_a_message_of_exactly_the_limit(void)
{
	struct wire wire;
	char payload[1001] = { 0 };
	memset(payload, 'x', 1000);
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, payload);
	expect_event(&wire, SL_WS_MESSAGE_TEXT, payload);
	ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, payload + 400);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, payload + 600);
	expect_event(&wire, SL_WS_MESSAGE_TEXT, payload);
	close_wire(&wire);
}

static void
test_ws_reader_refuses_a_large_message_at_its_header(void)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	struct wire wire;
	open_wire(&wire);
	ws_put_header(&wire.bytes, WS_FIN | SL_WS_OPCODE_BINARY, 1001, mask);
	CU_ASSERT_EQUAL(feed(&wire, 7), 0);
	expect_failure(&wire, SL_ETOOBIG, 1009);
	close_wire(&wire);
	open_wire(&wire);
	ws_put_header(&wire.bytes, WS_FIN | SL_WS_OPCODE_BINARY, INT64_MAX, mask);
	expect_failure(&wire, SL_ETOOBIG, 1009);
	close_wire(&wire);
}

static void
test_ws_reader_counts_all_fragments_towards_the_size(void)
{
	static const uint8_t mask[4] = { 0 };
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, false, SL_WS_OPCODE_BINARY, "hello");
	ws_put_header(&wire.bytes, WS_FIN | SL_WS_OPCODE_CONTINUATION, 996, mask);
	CU_ASSERT_EQUAL(feed(&wire, wire.bytes.len - 1), 0);
	expect_failure(&wire, SL_ETOOBIG, 1009);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	close_wire(&wire);
}

static void
test_ws_reader_refuses_too_many_fragments_even_empty_ones(void)
{
	struct wire wire;
	open_wire(&wire);
	for (int message = 0; message < 2; message++) {
		ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, "");
		for (unsigned i = 0; i < limits.max_fragments - 2; i++)
			ws_put(&wire.bytes, false, SL_WS_OPCODE_CONTINUATION, "");
		if (message == 0) {
			ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, "end");
			expect_event(&wire, SL_WS_MESSAGE_TEXT, "end");
		}
	}
	ws_put(&wire.bytes, false, SL_WS_OPCODE_CONTINUATION, "");
	CU_ASSERT_EQUAL(feed(&wire, SIZE_MAX), 0);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, "");
	expect_failure(&wire, SL_ETOOBIG, 1008);
	close_wire(&wire);
}

static void
test_ws_reader_answers_every_call_after_an_error_with_it(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "\xff");
	expect_failure(&wire, SL_EUTF8, 1007);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	expect_failure(&wire, SL_EUTF8, 1007);
	close_wire(&wire);
}

static void
test_ws_reader_discards_everything_after_a_close(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CLOSE, "\x03\xe8""bye");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	sl_buffer_append_str(&wire.bytes, "not even a frame");
	expect_event(&wire, SL_WS_CLOSE, "bye");
	CU_ASSERT_EQUAL(wire.event.close_code, 1000);
	CU_ASSERT_EQUAL(feed(&wire, SIZE_MAX), 0);
	CU_ASSERT_EQUAL(wire.at, wire.bytes.len);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	close_wire(&wire);
}

static void
test_ws_reader_frees_a_message_cut_off_by_a_close(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, "hel");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CLOSE, "");
	expect_event(&wire, SL_WS_CLOSE, "");
	CU_ASSERT_EQUAL(wire.event.close_code, 1005);
	CU_ASSERT_EQUAL(feed(&wire, 0), 0);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	close_wire(&wire);
}

static void
test_ws_reader_takes_exactly_the_close_codes_that_may_be_sent(void)
{
	for (unsigned code = 0; code < 65536; code++) {
		bool valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
			(code >= 3000 && code <= 4999);
		char payload[2] = { (char)(code >> 8), (char)code };
		struct wire wire;
		open_wire(&wire);
		ws_put_frame(&wire.bytes, WS_FIN | SL_WS_OPCODE_CLOSE, payload, 2);
		if (valid) {
			expect_event(&wire, SL_WS_CLOSE, "");
			CU_ASSERT_EQUAL(wire.event.close_code, code);
		} else {
			expect_failure(&wire, SL_EPROTO, 1002);
		}
		close_wire(&wire);
	}
}

static void
test_ws_reader_reads_the_same_however_it_is_chopped(void)
{
	struct sl_buffer wire = SL_BUFFER_INIT;
	ws_put(&wire, true, SL_WS_OPCODE_TEXT, "one");
	ws_put(&wire, false, SL_WS_OPCODE_BINARY, "tw");
	ws_put(&wire, true, SL_WS_OPCODE_PING, "p");
	ws_put(&wire, false, SL_WS_OPCODE_CONTINUATION, "");
	ws_put(&wire, true, SL_WS_OPCODE_PONG, "");
	ws_put(&wire, true, SL_WS_OPCODE_CONTINUATION, "o");
	ws_put(&wire, true, SL_WS_OPCODE_CLOSE, "\x0b\xb8""over");
	for (unsigned mode = 0; mode < 200; mode++) {
		struct ws_transcript got = { 0 };
		ws_read(wire.bytes, wire.len, &limits, mode, &got);
		sl_buffer_append_char(&got.text, '\0');
		CU_ASSERT_STRING_EQUAL(got.text.bytes, "T:one|P:p|O:|B:two|C3000:over|");
		sl_buffer_finish(&got.text);
	}
	sl_buffer_finish(&wire);
}

/* Splits `opcode`'s frame over two reads with only so many allocations to be had. */
static void
expect_out_of_memory(unsigned opcode, unsigned allocations)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, opcode, "hello");
	allocations_left = allocations;
	int result = feed(&wire, 8);
	allocations_left = UINT_MAX;
	CU_ASSERT_EQUAL(result, SL_ENOMEM);
	CU_ASSERT_EQUAL(wire.reader.close_code, 1011);
	CU_ASSERT_PTR_NULL(wire.reader.assembly);
	expect_failure(&wire, SL_ENOMEM, 1011);
	close_wire(&wire);
}

static void
test_ws_reader_fails_cleanly_when_memory_runs_out(void)
{
	expect_out_of_memory(SL_WS_OPCODE_TEXT, 0);
	expect_out_of_memory(SL_WS_OPCODE_TEXT, 1);
	expect_out_of_memory(SL_WS_OPCODE_PING, 0);
}

static void
test_ws_reader_needs_no_memory_for_whole_frames(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "hello");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PING, "ping");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CLOSE, "");
	allocations_left = 0;
	int text = feed(&wire, SIZE_MAX), ping = feed(&wire, SIZE_MAX), close = feed(&wire, SIZE_MAX);
	allocations_left = UINT_MAX;
	CU_ASSERT(text == 1 && ping == 1 && close == 1);
	close_wire(&wire);
}

static void
test_ws_message_tells_how_many_frames_continued_it(void)
{
	struct wire wire;
	open_wire(&wire);
	ws_put(&wire.bytes, true, SL_WS_OPCODE_TEXT, "whole");
	ws_put(&wire.bytes, false, SL_WS_OPCODE_TEXT, "a");
	ws_put(&wire.bytes, false, SL_WS_OPCODE_CONTINUATION, "");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_PING, "between");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_CONTINUATION, "b");
	ws_put(&wire.bytes, true, SL_WS_OPCODE_BINARY, "whole again");
	for (int i = 0; i < 4; i++) {
		static const uint32_t wanted[] = { 0, 0, 2, 0 };
		CU_ASSERT_EQUAL_FATAL(feed(&wire, wire.bytes.len), 1);
		CU_ASSERT_EQUAL(wire.event.type == SL_WS_PING, i == 1);
		if (i != 1)
			CU_ASSERT_EQUAL(wire.event.fragments, wanted[i]);
	}
	close_wire(&wire);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_reader_is_small),
		UNIT_TEST(test_ws_reader_delivers_a_whole_frame_where_it_lies),
		UNIT_TEST(test_ws_reader_delivers_in_place_when_only_the_header_came_before),
		UNIT_TEST(test_ws_reader_owns_memory_only_while_something_spans_reads),
		UNIT_TEST(test_ws_reader_frees_its_memory_before_the_next_message),
		UNIT_TEST(test_ws_reader_keeps_a_message_over_a_split_ping),
		UNIT_TEST(test_ws_reader_gives_empty_messages_a_pointer),
		UNIT_TEST(test_ws_reader_takes_a_message_of_exactly_the_limit),
		UNIT_TEST(test_ws_reader_refuses_a_large_message_at_its_header),
		UNIT_TEST(test_ws_reader_counts_all_fragments_towards_the_size),
		UNIT_TEST(test_ws_reader_refuses_too_many_fragments_even_empty_ones),
		UNIT_TEST(test_ws_reader_answers_every_call_after_an_error_with_it),
		UNIT_TEST(test_ws_reader_discards_everything_after_a_close),
		UNIT_TEST(test_ws_reader_frees_a_message_cut_off_by_a_close),
		UNIT_TEST(test_ws_reader_takes_exactly_the_close_codes_that_may_be_sent),
		UNIT_TEST(test_ws_reader_reads_the_same_however_it_is_chopped),
		UNIT_TEST(test_ws_reader_fails_cleanly_when_memory_runs_out),
		UNIT_TEST(test_ws_reader_needs_no_memory_for_whole_frames),
		UNIT_TEST(test_ws_message_tells_how_many_frames_continued_it),
		{ NULL, NULL },
	};
	return unit_main("ws_message", tests);
}
