/* What tells one message from another in a stream of bytes, whatever frames it.
 * Owner: the structs are the caller's. Thread: one at a time. Errors: none.
 *
 * A payload is `^`, eight digits, `$` and filler. No framing in use here produces that by
 * itself, so bytes are searched for it without parsing frames, events or chunks; the
 * search carries its state over reads that end anywhere. */
#ifndef SL_BENCH_MARKER_H
#define SL_BENCH_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_SEQ_MAX 99999999u
#define BENCH_PAYLOAD_MIN 10

/* Writes the payload of message `seq` (at most BENCH_SEQ_MAX), `len` bytes (at least
 * BENCH_PAYLOAD_MIN), no NUL. */
void bench_payload_fill(uint32_t seq, char *out, size_t len);

/* The search for markers, as far as it has come. Zeroed it is at the start. */
struct bench_marker {
	uint32_t value; /* digits read so far */
	uint8_t place;  /* 0: outside a marker; else how many of its bytes were read */
};

/* Searches from `*at` to `end`. Returns true when a marker ends, its number in `*seq` and
 * `*at` behind it; false when the bytes are used up. */
bool bench_marker_next(struct bench_marker *marker, const char **at, const char *end,
	uint32_t *seq);

/* What one subscriber has seen of the numbers 0, 1, 2, ... */
struct bench_counter {
	uint32_t next;      /* the number expected next */
	uint32_t seen;      /* messages seen, each once */
	uint32_t skipped;   /* numbers passed over and not seen since: lost, unless they still come */
	uint32_t doubled;   /* numbers seen before, or passed over too long ago to know */
	uint32_t reordered; /* numbers that came after a higher one */
	uint64_t holes;     /* bit i: number next - 1 - i was passed over */
	struct bench_marker marker;
};

/* Takes number `seq`; returns whether it is new. */
bool bench_counter_take(struct bench_counter *counter, uint32_t seq);

/* Returns how many messages were new in `bytes`. */
unsigned bench_counter_feed(struct bench_counter *counter, const char *bytes, size_t len);

/* A text to find in a stream of bytes (Knuth, Morris and Pratt). */
#define BENCH_TOKEN_MAX 32
struct bench_token {
	const char *text; /* borrows */
	uint8_t len;
	uint8_t fallback[BENCH_TOKEN_MAX]; /* matched bytes left when the next one differs */
};

/* `text` has 1..BENCH_TOKEN_MAX bytes and outlives the token. */
void bench_token_init(struct bench_token *token, const char *text);

/* Returns how often the text ends in `bytes`; `*matched` (0 at first) is carried over. */
unsigned bench_token_count(const struct bench_token *token, uint8_t *matched,
	const char *bytes, size_t len);

#endif
