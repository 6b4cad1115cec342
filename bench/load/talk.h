/* Talk: a WebSocket to a gateway over which one thread publishes and hears, and waits for what it does.
 * Owner: the struct is the caller's, zeroed before; close ends it. Thread: one at a time. Errors: SL_EIO with
 * errno, SL_ECLOSED, SL_EAGAIN (nothing came in time), SL_EBACKEND (the gateway refused a publish), SL_ENOMEM. */
#ifndef SL_BENCH_TALK_H
#define SL_BENCH_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/marker.h"
#include "util/buffer.h"

struct bench_talk {
	int fd;
	bool is_open;
	bool spins;      /* polls its core instead of sleeping */
	struct sl_buffer out;
	uint64_t wakeups; /* how often it slept until something came */
	uint64_t acks;   /* so far */
	uint64_t errors; /* "error" objects so far */
	char said[160];  /* the begin of the first of them; "": none, or it was cut by a read */
	struct bench_counter heard; /* messages of its channel, by their numbers */
	uint8_t matched_ack, matched_error, matched_open;
	bool was_opened;
};

/* Connects to 127.0.0.1 and subscribes to `channel`; returns when the gateway has said that it is open. */
int bench_talk_open(struct bench_talk *talk, uint16_t port, const char *channel, bool spins);
void bench_talk_close(struct bench_talk *talk);

/* Sends message `seq` to `channel`, `len` bytes with its number in them. Waits where the socket is full. */
int bench_talk_publish(struct bench_talk *talk, const char *channel, uint32_t seq, size_t len);

/* Reads what is there; where nothing is, waits for it up to `limit_ms`. */
int bench_talk_read(struct bench_talk *talk, int limit_ms);

/* Reads until there are so many acks in all. */
int bench_talk_await_acks(struct bench_talk *talk, uint64_t acks);

/* Reads until message `seq` or a later one of its channel was heard. */
int bench_talk_await_message(struct bench_talk *talk, uint32_t seq);

#endif
