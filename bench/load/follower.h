/* A reader that stays on one transport, as a client does that lives with its network: a connection
 * that ends is opened again at the cursor. It remembers when it was subscribed and when messages
 * came. For servers that resume, in Sluice's json format.
 * Owner: the struct is the caller's; finish closes its connection. Thread: one at a time.
 * Errors: those of load/stream.h and load/http.h; they end the connection, never the follower. */
#ifndef SL_BENCH_FOLLOWER_H
#define SL_BENCH_FOLLOWER_H

#include "bench/load/frames.h"
#include "bench/load/http.h"
#include "bench/load/scan.h"
#include "bench/load/stream.h"
#include "bench/load/worker.h"

/* What all followers of a run share; they only read it. */
struct bench_follower_world {
	const struct bench_server *server;
	enum bench_transport transport;
	int epoll;
	uint64_t poll_interval_ns; /* of short polls */
};

struct bench_follower {
	const struct bench_follower_world *world;
	uint64_t tag;            /* of its events */
	char channel[BENCH_CHANNEL_MAX];
	struct bench_stream stream;
	struct bench_http http;
	struct bench_frames frames;
	struct bench_scan scan;
	struct sl_buffer answer; /* owns: a poll's body as far as it has come */
	bool on, waiting, watched_for_write;
	uint64_t connect_ns;     /* when this connection was begun */
	uint64_t opened_ns;      /* when it was known to be subscribed; 0: not yet */
	uint64_t first_ns;       /* when its first message came; 0: not yet */
	uint64_t last_ns;        /* when the last new message came */
	uint64_t poll_ns;        /* when the next short poll is due */
	uint64_t retry_ns;       /* when it is to be opened again */
	unsigned reopened;       /* connections that ended */
	char cursor[BENCH_CURSOR_MAX];
	struct bench_counter counter;
};

void bench_follower_init(struct bench_follower *follower, const struct bench_follower_world *world,
	uint64_t tag, const char *channel);
void bench_follower_finish(struct bench_follower *follower);

/* Begins a connection at its cursor, which is none at first. Closed, it stays away until then. */
void bench_follower_open(struct bench_follower *follower);
void bench_follower_close(struct bench_follower *follower);

/* When something is due without an event: a short poll, or a connection to be opened again;
 * UINT64_MAX for never. tick does it. */
uint64_t bench_follower_due(const struct bench_follower *follower);
void bench_follower_tick(struct bench_follower *follower, uint64_t now_ns);

/* Its socket is ready. `input` has room for `size` bytes. */
void bench_follower_read(struct bench_follower *follower, char *input, size_t size);

#endif
