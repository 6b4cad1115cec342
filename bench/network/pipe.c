#include "bench/network/pipe.h"

#include <stdlib.h>
#include <string.h>

#include "util/err.h"

#define NS_PER_MS 1e6
#define BYTE_NS_AT_1_MBIT 8000.0

/* SplitMix64 (Steele, Lea, Flood 2014): seeds that are near each other give states that are not. */
static uint64_t
spread(uint64_t seed)
{
	seed += 0x9e3779b97f4a7c15u;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9u;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebu;
	return seed ^ seed >> 31;
}

/* xorshift64* (Vigna 2016), as a number in [0, 1). */
static double
draw(struct bench_pipe *pipe)
{
	uint64_t x = pipe->chance;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	pipe->chance = x;
	return (double)(x * 0x2545f4914f6cdd1du >> 11) * 0x1p-53;
}

int
bench_pipe_init(struct bench_pipe *pipe, const struct bench_network_kind *kind,
	enum bench_direction direction)
{
	double mbit = direction == BENCH_DOWN ? kind->down_mbit : kind->up_mbit;
	*pipe = (struct bench_pipe){
		.delay_ns = (uint64_t)(kind->rtt_ms / 2 * NS_PER_MS),
		.jitter_ns = (uint64_t)(kind->jitter_ms / 2 * NS_PER_MS),
		.loss = kind->loss,
		.byte_ns = mbit > 0 ? BYTE_NS_AT_1_MBIT / mbit : 0,
		.queue_bytes = kind->queue_bytes,
		.chance = spread(kind->seed * BENCH_DIRECTIONS + (uint64_t)direction),
	};
	if (pipe->chance == 0) /* the one state that xorshift never leaves */
		pipe->chance = 1;
	/* Untouched pages of it cost nothing. */
	pipe->packets = calloc(BENCH_PIPE_PACKETS, sizeof *pipe->packets);
	return pipe->packets ? 0 : SL_ENOMEM;
}

void
bench_pipe_finish(struct bench_pipe *pipe)
{
	free(pipe->packets);
	pipe->packets = NULL;
	pipe->count = 0;
}

/* Whether the queue has no room. A packet that finds it empty is taken whatever its size. */
static bool
is_full(const struct bench_pipe *pipe, uint64_t now_ns, size_t len)
{
	if (pipe->count == BENCH_PIPE_PACKETS)
		return true;
	if (pipe->byte_ns <= 0 || pipe->free_ns <= now_ns)
		return false;
	double waiting = (double)(pipe->free_ns - now_ns) / pipe->byte_ns;
	return waiting + (double)len > (double)pipe->queue_bytes;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

enum bench_pipe_fate
bench_pipe_push(struct bench_pipe *pipe, uint64_t now_ns, const void *bytes, size_t len)
{
	bool is_lost = draw(pipe) < pipe->loss;
	uint64_t jitter_ns = (uint64_t)(draw(pipe) * (double)pipe->jitter_ns);
	if (pipe->is_cut)
		return BENCH_PIPE_CUT;
	if (is_lost)
		return BENCH_PIPE_LOST;
	if (is_full(pipe, now_ns, len))
		return BENCH_PIPE_DROPPED;
	pipe->free_ns = later(now_ns, pipe->free_ns) + (uint64_t)((double)len * pipe->byte_ns);
	pipe->last_due_ns = later(pipe->last_due_ns, pipe->free_ns + pipe->delay_ns + jitter_ns);
	if (pipe->count == 0)
		pipe->first = 0; /* so that few pages are touched while little is on its way */
	struct bench_packet *packet = &pipe->packets[(pipe->first + pipe->count) % BENCH_PIPE_PACKETS];
	packet->due_ns = pipe->last_due_ns;
	packet->len = (uint16_t)len;
	memcpy(packet->bytes, bytes, len);
	pipe->count++;
	return BENCH_PIPE_TAKEN;
}

const struct bench_packet *
bench_pipe_due(const struct bench_pipe *pipe, uint64_t now_ns)
{
	const struct bench_packet *front = &pipe->packets[pipe->first];
	return pipe->count > 0 && front->due_ns <= now_ns ? front : NULL;
}

void
bench_pipe_pop(struct bench_pipe *pipe)
{
	pipe->first = (pipe->first + 1) % BENCH_PIPE_PACKETS;
	pipe->count--;
}

uint64_t
bench_pipe_due_ns(const struct bench_pipe *pipe)
{
	return pipe->count ? pipe->packets[pipe->first].due_ns : UINT64_MAX;
}
