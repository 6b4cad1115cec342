/* One case of a conformance suite: what a client sends and what is to be made of it, however
 * the bytes are chopped.
 * Owner: a case ends with its expect call, which finishes it. Thread: main. */
#ifndef SL_TESTS_WS_CASE_H
#define SL_TESTS_WS_CASE_H

#include "tests/unit/unit.h"
#include "tests/unit/ws_bytes.h"
#include "tests/unit/ws_transcript.h"

enum { TEXT = SL_WS_OPCODE_TEXT, BINARY = SL_WS_OPCODE_BINARY, CLOSE = SL_WS_OPCODE_CLOSE,
	PING = SL_WS_OPCODE_PING, PONG = SL_WS_OPCODE_PONG, CONT = SL_WS_OPCODE_CONTINUATION };

#define WS_RANDOM_RUNS 8
#define WS_BYTEWISE_MOST 300000 /* longer cases are not fed byte by byte */

struct ws_case {
	struct sl_buffer sent;
	struct sl_buffer expected;
	struct sl_ws_limits limits;
};

static inline struct ws_case
ws_case(void)
{
	return (struct ws_case){ .limits = { .max_message_bytes = 1 << 20, .max_fragments = 2000 } };
}

static inline void
ws_send(struct ws_case *c, bool fin, unsigned opcode, const char *text)
{
	ws_put(&c->sent, fin, opcode, text);
}

/* Expects an event with `len` bytes as ws_transcript.h writes it. */
static inline void
ws_expect_event(struct ws_case *c, const char *kind, const void *bytes, size_t len)
{
	sl_buffer_append_str(&c->expected, kind);
	sl_buffer_append_char(&c->expected, ':');
	sl_buffer_append(&c->expected, bytes, len);
	sl_buffer_append_char(&c->expected, '|');
}

/* Feeds the case whole, byte by byte and in seeded random pieces; what came out must be the
 * expected events and then `more`. */
static inline void
ws_expect(struct ws_case *c, const char *more)
{
	sl_buffer_append_str(&c->expected, more);
	for (unsigned mode = 0; mode < 2 + WS_RANDOM_RUNS; mode++) {
		struct ws_transcript got = { 0 };
		if (mode == WS_BYTEWISE && c->sent.len > WS_BYTEWISE_MOST)
			continue;
		ws_read(c->sent.bytes, c->sent.len, &c->limits, mode, &got);
		CU_ASSERT_EQUAL(got.text.len, c->expected.len);
		CU_ASSERT(got.text.len == c->expected.len &&
			(got.text.len == 0 ||
			memcmp(got.text.bytes, c->expected.bytes, got.text.len) == 0));
		sl_buffer_finish(&got.text);
	}
	sl_buffer_finish(&c->sent);
	sl_buffer_finish(&c->expected);
}

/* Checks that, fed byte by byte, the case fails at byte number `at` and not before. */
static inline void
ws_expect_failure_at(struct ws_case *c, size_t at)
{
	struct ws_transcript got = { 0 };
	CU_ASSERT_EQUAL(ws_read(c->sent.bytes, c->sent.len, &c->limits, WS_BYTEWISE, &got), at);
	CU_ASSERT(got.text.len > 0 && got.text.bytes[0] == 'F');
	sl_buffer_finish(&got.text);
}

#endif
