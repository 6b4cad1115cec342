/* One thread's share of the generator: subscribers that count what they get, one publisher
 * that keeps to a schedule, and what both saw. Workers share nothing while they run.
 * Owner: the caller's struct; finish closes all connections. Thread: one at a time.
 * Errors: SL_EIO (errno says why), SL_ENOMEM, SL_ECLOSED (the server hung up), SL_EAGAIN (it
 * did not answer in time), SL_EPROTO (an answer is not what it should be). */
#ifndef SL_BENCH_WORKER_H
#define SL_BENCH_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/load/account.h"
#include "bench/load/frames.h"
#include "bench/load/http.h"
#include "bench/load/schedule.h"
#include "bench/load/stream.h"
#include "bench/load/wait.h"
#include "bench/marker.h"
#include "bench/peer.h"
#include "bench/results/histogram.h"

#define BENCH_INPUT_BYTES (256 * 1024)
#define BENCH_TIMELINE_STEP_NS 10000000u
#define BENCH_TIMELINE_STEPS 4096
#define BENCH_BURST_MAX 100
#define BENCH_CHANNEL_MAX 48

struct bench_worker_plan {
	const struct bench_server *server;
	struct bench_tls *tls;          /* NULL: plain */
	enum bench_transport transport;
	char channel[BENCH_CHANNEL_MAX];
	/* More than one: messages go in turn to `channel`.0, .1, ..., and each reader has the one
	 * of its number, which begins at first_reader; 0 and 1: all are on `channel`. */
	unsigned channels, first_reader;
	unsigned readers;
	bool publishes;
	bool bursts;                    /* the publisher speaks the peer's burst protocol */
	bool beside;                    /* the publisher is at the server's end of the network */
	size_t payload_len;
	uint64_t poll_interval_ns;      /* of short polls */
	/* Readers poll in steps of so many, prime to their number; 0 and 1: one after another. Where
	 * their messages come one after another too, each would meet its poll at the same moment. */
	unsigned poll_step;
	const char *cursor;             /* of the first request; NULL: from now */
	bool own_tokens;                /* each reader has one, where the server's clients have tokens */
	bool held;                      /* the first poll is not answered until something comes */
	bool busy_polls;                /* instead of sleeping until something comes */
	int core;                       /* -1: wherever */
};

/* One subscriber. */
struct bench_reader {
	struct bench_stream stream;
	char *authorization;    /* owns: the field with its own token; NULL: that of all */
	struct bench_tls_link *link; /* owns: of its next connection; NULL: it is made with that */
	struct bench_http http;
	struct bench_frames frames;
	struct bench_counter counter;
	uint64_t heads_in, heads_out;
	uint64_t first_ns;      /* when its first message came */
	unsigned first_flights; /* of its connection until then */
	unsigned step;   /* of an opening dialogue */
	uint8_t matched; /* of the text that says it is open */
	bool open;
	bool waiting;    /* a request is out */
	bool owed;       /* a short poll came due while one was out */
	bool watched_for_write;
	char cursor[BENCH_CURSOR_MAX];
};

struct bench_publisher_link {
	struct bench_stream stream;
	struct bench_http http;
	uint8_t opening_matched, answer_matched;
	bool open, watched_for_write;
	uint64_t outstanding; /* answers still to come */
	uint64_t refused;
};

/* What a measured pass saw. */
struct bench_tally {
	struct bench_histogram latency; /* due to received */
	struct bench_histogram late;    /* due to sent */
	uint32_t timeline[BENCH_TIMELINE_STEPS]; /* deliveries a step since the start */
	uint64_t *last_ns;              /* owns: by write, when its last delivery came */
	uint32_t writes;                /* how many of them */
	struct bench_effort effort;
};

/* One stretch of the run. */
struct bench_pass {
	struct bench_schedule schedule; /* count 0: nothing is published */
	uint64_t hold_until_ns;         /* goes on until then at least */
	uint64_t poll_from_ns;          /* when the first short poll is due */
	bool measured;                  /* else it warms up: the tally is not touched */
};

struct bench_worker {
	struct bench_worker_plan plan;
	int epoll;
	struct bench_reader *readers;   /* owns */
	unsigned open_count, closed_count;
	struct bench_wait wait;
	struct bench_effort opening;    /* what opening took */
	struct bench_publisher_link publisher;
	struct bench_token reader_opening, publisher_opening, publisher_answer;
	struct bench_account past;      /* of connections that were replaced */
	struct bench_tally *tally;      /* owns */
	struct bench_pass pass;
	uint64_t delivered, expected, last_delivery_ns;
	uint32_t published;             /* messages, by whichever worker */
	uint64_t poll_turn;             /* short polls begun in this pass */
	bool polls;                     /* short polls are being begun */
	bool gave_up;                   /* a pass ended with messages still to come */
	struct sl_buffer scratch;       /* owns: a request under way */
	char *payloads;                 /* owns: of one burst */
	char *input;                    /* owns */
	int err;                        /* of the last thing its thread did */
};

int bench_worker_init(struct bench_worker *worker, const struct bench_worker_plan *plan);
void bench_worker_finish(struct bench_worker *worker);

/* Opens the publisher and all readers, some dozens at a time, and waits until the server has
 * them. */
int bench_worker_open(struct bench_worker *worker);

/* The same in two steps, for a server that cannot answer between them: all at once, which should
 * be few, then the waiting. */
int bench_worker_begin(struct bench_worker *worker);
int bench_worker_await(struct bench_worker *worker);

/* Opens reader after reader by the schedule, whatever becomes of those before, and waits until
 * each has had a message. */
int bench_worker_open_by(struct bench_worker *worker, const struct bench_schedule *schedule);

/* Makes what the next connections of all readers begin with, under TLS: keys and a first record. */
int bench_worker_make_links(struct bench_worker *worker);

/* Ends reader after reader by the schedule and opens it again, whatever becomes of those before, and
 * waits until all are open. */
int bench_worker_reopen_by(struct bench_worker *worker, const struct bench_schedule *schedule);

/* Makes room for the writes of the pass that is to be measured. */
int bench_worker_prepare(struct bench_worker *worker, uint32_t writes);

/* Publishes by the schedule, if this worker does, and reads until all is in; at the latest
 * until nothing has come for a while. */
int bench_worker_run(struct bench_worker *worker, const struct bench_pass *pass);

/* Reads on for `ns` without beginning short polls, longer while one is out. */
int bench_worker_rest(struct bench_worker *worker, uint64_t ns);

/* How many of the messages published so far are for the reader. */
uint32_t bench_worker_owes(const struct bench_worker *worker, const struct bench_reader *reader);

/* Adds what the readers' connections have carried since they were opened. */
void bench_worker_add_account(const struct bench_worker *worker, struct bench_account *account);

/* ---- used by the files of this module ---- */

int bench_reader_open(struct bench_worker *worker, struct bench_reader *reader);
int bench_reader_reopen(struct bench_worker *worker, struct bench_reader *reader);
int bench_reader_read(struct bench_worker *worker, struct bench_reader *reader);
int bench_reader_poll(struct bench_worker *worker, struct bench_reader *reader);
void bench_reader_close(struct bench_worker *worker, struct bench_reader *reader);
int bench_publisher_link_open(struct bench_worker *worker);
int bench_publisher_link_read(struct bench_worker *worker);
int bench_publisher_link_send(struct bench_worker *worker, uint32_t first, uint32_t count);

/* The number of the reader's channel, 0 when all are on one; and what a channel is called. */
unsigned bench_worker_channel_of(const struct bench_worker *worker,
	const struct bench_reader *reader);
void bench_worker_name_channel(const struct bench_worker *worker, unsigned channel,
	char name[BENCH_CHANNEL_MAX]);

/* Something tells that a reader is open; else it counts as open once it has asked. */
bool bench_worker_sees_opening(const struct bench_worker *worker);

/* Watches `stream` for reading, and for writing when it has something unsent. */
int bench_worker_watch(struct bench_worker *worker, struct bench_stream *stream, bool is_new,
	bool *for_write, uint64_t tag);
#define BENCH_PUBLISHER_TAG ((uint64_t)1 << 32)

#endif
