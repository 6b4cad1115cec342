/* WebSocket frames as a client reads them, no further than needed: where a ping is, so that
 * it can be answered, and where a close.
 * Owner: the struct is the caller's; zeroed it is at a frame's start. Thread: one at a time.
 * Errors: none; a frame from a server is not masked (RFC 6455, section 5). */
#ifndef SL_BENCH_FRAMES_H
#define SL_BENCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_CONTROL_MAX 125
#define BENCH_PONG_MAX (BENCH_CONTROL_MAX + 6)

struct bench_frames {
	uint64_t left;     /* of the payload */
	uint8_t head[10];
	uint8_t head_len;  /* how much of it has come */
	uint8_t control_len;
	bool in_payload, closed;
	char control[BENCH_CONTROL_MAX]; /* payload of a ping, as far as it has come */
};

/* Walks on from `*at` to `end`. Returns true when a ping ended: `*at` is behind it, its
 * payload is in control. */
bool bench_frames_next_ping(struct bench_frames *frames, const char **at, const char *end);

/* Writes the pong to the ping that ended; returns its length. */
size_t bench_frames_write_pong(const struct bench_frames *frames, char out[BENCH_PONG_MAX]);

#endif
