/* One thread's load on one server: subscribers that count what they get, publishers that
 * send by an open-loop schedule, and what both cost.
 * Owner: the caller's struct; finish closes all sockets. Thread: one.
 * Errors: SL_EIO (errno says why), SL_ENOMEM, SL_ECLOSED (the server hung up), SL_EAGAIN (it did
 * not answer in time). */
#ifndef SL_BENCH_LOAD_H
#define SL_BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/load/schedule.h"
#include "bench/marker.h"
#include "bench/peer.h"

struct bench_subscriber {
	int fd; /* -1: closed */
	bool open;
	uint8_t matched; /* of the peer's text that says it is open */
	struct bench_counter counter;
	char cursor[BENCH_CURSOR_MAX];
	struct sl_buffer rest; /* a long-poll's answer as far as it has come */
};

#define BENCH_PUBLISHERS_MAX 16

struct bench_publisher {
	int fd;
	uint8_t opening_matched, answer_matched;
	bool open;
	uint64_t outstanding;     /* answers still to come */
	struct sl_buffer pending; /* what the socket did not take yet */
};

struct bench_load {
	const struct bench_server *server;
	enum bench_transport transport;
	bool own_channels; /* subscriber i listens on channel "bench<i>", else all on "bench" */
	int epoll;
	struct bench_subscriber *subscribers;
	unsigned subscriber_count, open_count, closed_count;
	struct bench_publisher publishers[BENCH_PUBLISHERS_MAX];
	unsigned publisher_count;
	bool bursts; /* publishers speak the peer's burst protocol */
	struct bench_token subscriber_opening, publisher_opening, publisher_answer;
	uint32_t *published; /* messages so far, by channel */
	uint64_t delivered, expected;
	uint64_t last_delivery_ns;
	bool gave_up; /* a drain ended at its limit with messages still coming */
	uint32_t random; /* seeded the same in every run */
	struct sl_buffer scratch;
	char *input;
};

int bench_load_init(struct bench_load *load, const struct bench_server *server,
	enum bench_transport transport, bool own_channels);
void bench_load_finish(struct bench_load *load);

/* Opens `count` subscribers, some dozens at a time, and waits until the server has them. */
int bench_load_subscribe(struct bench_load *load, unsigned count);

/* Opens the connections for publishing; `bursts` as the peer's publish_burst wants it. */
int bench_load_open_publishers(struct bench_load *load, unsigned count, bool bursts);

/* Waits until the server has used next to no CPU for a while, at most five seconds. */
void bench_load_settle(struct bench_load *load);

/* Publishes `burst` messages in one write to channel `number` (0 when there is but one). */
int bench_load_publish(struct bench_load *load, unsigned number, unsigned burst);

/* A channel at random. */
unsigned bench_load_draw(struct bench_load *load);

/* Serves events until `deadline_ns` of CLOCK_MONOTONIC, at least once. */
int bench_load_serve_until(struct bench_load *load, uint64_t deadline_ns);

/* Serves events until all deliveries and answers are in, a second passed without a delivery,
 * or `limit_s`. */
int bench_load_drain(struct bench_load *load, double limit_s);

/* Used by the files of this module. */
void bench_subscriber_read(struct bench_load *load, struct bench_subscriber *subscriber);
int bench_subscriber_open(struct bench_load *load, unsigned index);
int bench_publisher_open(struct bench_load *load, struct bench_publisher *publisher);
void bench_publisher_read(struct bench_load *load, struct bench_publisher *publisher);
int bench_publisher_flush(struct bench_publisher *publisher);
int bench_load_watch(struct bench_load *load, int fd, unsigned index, bool is_publisher);

#define BENCH_INPUT_BYTES (256 * 1024)

#endif
