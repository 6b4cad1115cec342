/* A reader that hops: it stays a while on one transport, is cut hard, and goes on by another
 * behind the last cursor it knows. What it got is held against what was published.
 * Owner: the struct is the caller's; finish closes its connection. Thread: one at a time.
 * Errors: those of load/stream.h and load/http.h; they end the connection, never the hopper. */
#ifndef SL_BENCH_HOPPER_H
#define SL_BENCH_HOPPER_H

#include "bench/load/frames.h"
#include "bench/load/http.h"
#include "bench/load/scan.h"
#include "bench/load/stream.h"

#define BENCH_HOP_CHANNELS 8
#define BENCH_HOP_CHANNEL_STEP 1000000u /* numbers of channel i begin at i times this */

/* What all hoppers of a run share; they only read it. */
struct bench_hop_world {
	const struct bench_server *server;
	struct bench_tls *tls;
	const char *channels;  /* as `subscribe` takes them */
	int epoll;
	bool calm;             /* nobody is cut any more, so that all can be had */
};

struct bench_hopper {
	const struct bench_hop_world *world;
	uint64_t tag;          /* of its events */
	struct bench_stream stream;
	struct bench_http http;
	struct bench_frames frames;
	struct bench_scan scan;
	struct sl_buffer answer; /* owns: a poll's body as far as it has come */
	enum bench_transport transport;
	bool on, waiting, watched_for_write;
	bool answered;         /* something has come on this connection */
	uint64_t leave_ns;     /* when it is to be cut */
	uint64_t poll_ns;      /* when the next short poll is due */
	unsigned cut_left;     /* bytes it reads yet before it is cut; 0: no limit */
	uint32_t random;
	char cursor[BENCH_CURSOR_MAX];
	struct bench_counter counters[BENCH_HOP_CHANNELS];
	uint64_t last_number;  /* of the cursor of the last message */
	uint64_t delivered, out_of_order, hops, failed;
	uint64_t cut_inside;   /* cuts in the middle of a message or an answer */
};

void bench_hopper_init(struct bench_hopper *hopper, const struct bench_hop_world *world,
	uint64_t tag);
void bench_hopper_finish(struct bench_hopper *hopper);

/* What is due at `now_ns`: begins, polls, cuts. */
void bench_hopper_tick(struct bench_hopper *hopper, uint64_t now_ns);

/* Its socket is ready. `input` has room for `size` bytes. */
void bench_hopper_read(struct bench_hopper *hopper, char *input, size_t size, uint64_t now_ns);

#endif
