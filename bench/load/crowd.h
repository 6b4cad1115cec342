/* A crowd of clients that each follow one channel by a stream and live by a token that ends: they renew
 * it on a second link beside the first, or come back after the gateway has ended the first. What each
 * got is held against what was published. For servers that resume, in Sluice's json format.
 * Owner: the caller's struct; finish closes all links. Thread: one at a time.
 * Errors: SL_EIO (errno says why), SL_ENOMEM, SL_EAGAIN (not in time), SL_EPROTO (a link ended or was
 * refused that should not have been: `why` says how). */
#ifndef SL_BENCH_CROWD_H
#define SL_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/load/bye.h"
#include "bench/load/frames.h"
#include "bench/load/http.h"
#include "bench/load/scan.h"
#include "bench/load/stream.h"
#include "bench/load/wait.h"
#include "bench/load/worker.h"

#define BENCH_CROWD_INPUT 65536

struct bench_crowd_link {
	struct bench_stream stream; /* fd -1: there is none */
	struct bench_http http;
	struct bench_frames frames;
	struct bench_scan scan;
	struct bench_bye bye;
	uint64_t position;      /* number of the last cursor or message */
	bool open;              /* the gateway has said so */
	bool leaving;           /* a WebSocket of which the close frame is sent */
	bool watched_for_write;
};

struct bench_crowd_client {
	struct bench_crowd_link links[2];
	unsigned current;       /* the one that counts; the other is new, or leaves */
	bool renews;            /* the other is new */
	bool away;              /* the gateway ended it: it comes back when due, if it may */
	char *authorization[2]; /* owns: the fields with the first token, and with that which follows */
	uint64_t number;        /* of the last message that came on either link */
	char cursor[BENCH_CURSOR_MAX];
	struct bench_counter counter;
};

/* How the links ended that the gateway ended. */
struct bench_crowd_ends {
	unsigned count, wrong;  /* `wrong`: not as `expects` says */
	uint64_t first_ns, last_ns;
	unsigned retry_min_ms, retry_max_ms;
};

struct bench_crowd {
	const struct bench_server *server;
	struct bench_tls *tls;       /* NULL: plain */
	enum bench_transport transport;
	char channel[BENCH_CHANNEL_MAX];
	struct bench_crowd_client *clients; /* owns */
	uint64_t *due_ns;            /* owns: when each renews or comes back; UINT64_MAX: never */
	unsigned count;
	unsigned open_count;         /* clients whose current link is open */
	unsigned renewed, returned;
	uint64_t doubled;            /* messages that one link brought twice, or from before its cursor */
	uint64_t overlap;            /* messages that came on both links of a client */
	uint64_t delivered;          /* messages, each once a client */
	struct bench_crowd_ends ends;
	struct bench_end expects;    /* how the gateway may end links; reason NULL: it may not */
	bool comes_back;             /* who was ended comes back after `retry` */
	int epoll;                   /* owns */
	struct bench_wait wait;
	struct sl_buffer scratch;    /* owns */
	char *input;                 /* owns */
	char why[160];
};

/* `count` clients without links and without tokens. */
int bench_crowd_init(struct bench_crowd *crowd, const struct bench_server *server,
	struct bench_tls *tls, enum bench_transport transport, unsigned count);
void bench_crowd_finish(struct bench_crowd *crowd);

/* Opens all with their first tokens, some dozens at a time, from now on. */
int bench_crowd_open(struct bench_crowd *crowd);

/* Reads, renews and comes back until `is_done` or CLOCK_MONOTONIC is at `until_ns`, which is SL_EAGAIN
 * unless `is_done` is NULL. */
int bench_crowd_serve(struct bench_crowd *crowd,
	bool (*is_done)(const struct bench_crowd *crowd, const void *argument), const void *argument,
	uint64_t until_ns);

/* Messages of 0..published that never came, or with `is_whole` false gaps between those that came. */
uint64_t bench_crowd_lost(const struct bench_crowd *crowd, uint32_t published, bool is_whole);

#endif
