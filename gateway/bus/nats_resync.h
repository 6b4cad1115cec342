/* Resync: classifies each message that JetStream sends, and decides whether the log is still the one that was
 * read so far. No sockets, no clock of its own, no memory.
 * Owner: embed it; it holds no memory of its own. Thread: one at a time. Errors: none.
 *
 * Consumers read the log, one after the other. Each begins at the *witness*, the last message that was read,
 * and not behind it. So the first message shows, by its time in nanoseconds, whether that number is still the
 * same message. A consumer is given up if its own numbers have a hole, if it is silent, or if it stands still
 * although its log does not. Then another one is made.
 *
 * The stream's description of itself (struct sl_nats_stream_state) decides the rest: its creation and its
 * generation, whether missing numbers are gone, and whether the log has become shorter. */
#ifndef SL_BUS_NATS_RESYNC_H
#define SL_BUS_NATS_RESYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/nats_reply.h"

/* A log as its leader describes it. */
struct sl_nats_stream_state {
	int64_t created_ns;   /* since 1970; identifies the log, with the generation; 0: not known */
	uint64_t generation;  /* raised by the gateway that finds the log rolled back */
	uint64_t first, last; /* numbers; first is last + 1 if it is empty */
	bool has_leader;      /* false: do not believe the numbers now */
};

enum sl_nats_verdict {
	SL_NATS_SAME,
	SL_NATS_REPLACED,    /* another log, or another generation: begin with the stream's present state */
	SL_NATS_ROLLED_BACK, /* numbers were or will be given twice: raise the generation, then begin */
};

#define SL_NATS_SILENCE_MS 1200   /* a consumer sends a heartbeat each 500 ms; twice as long after a silence, then
                                   * four times: a path may be slow */
#define SL_NATS_LIVE_MS 2000      /* a gateway that heard nothing for longer is away */
#define SL_NATS_STUCK_MS 3000     /* heartbeats come, the log's messages do not */
#define SL_NATS_SHORT_MS 5000     /* a leader reports that the log ends below the position and does not grow */
#define SL_NATS_DOUBT_MS 10000    /* the same, but it grows: maybe the leader still reads its own log */
#define SL_NATS_JUMPS_MAX 5       /* consumers that lack the same numbers: they are gone */
#define SL_NATS_TIMES 1024        /* messages whose times are remembered */

struct sl_nats_resync {
	struct sl_nats_stream_state log; /* as last reported */
	enum sl_nats_verdict verdict;
	bool has_begun;
	uint64_t position; /* everything up to it was read, or is lost */
	uint64_t witness;  /* the last number whose message was seen; 0: none */
	uint64_t purged;   /* the last floor of the log that was passed on */

	/* The consumer. */
	bool has_consumer;
	bool is_confirmed;     /* its log has the position's message */
	uint64_t dseq;         /* the last of its own numbers */
	uint64_t sent;         /* the number of its last message; 0: none yet */
	uint64_t sign_ms;      /* time of its last sign of life, or of its creation */
	unsigned silences;     /* consumers given up for silence since the last sign */
	const char *given_up;  /* reason why the last one was given up, for the log; NULL: none was */

	/* Questions that only the stream's state can answer. */
	enum { SL_NATS_NO_JUMP, SL_NATS_JUMP_SEEN, SL_NATS_JUMP_CHECKED } jump; /* numbers are missing */
	unsigned jumps;        /* consumers that lacked messages behind this position */
	bool is_suspect;       /* a number has another message than it had */

	uint64_t heard_ms;     /* the last sign of life of any consumer; 0: none yet */
	uint64_t told_ms;      /* time of a leader's last report */
	uint64_t earlier[2];   /* the positions at the last report and at the one before */
	uint64_t shorter_ms;   /* start of the time in which the log ends below the position; 0: it does not */
	uint64_t grew_ms;      /* time of the last change of its end */
	uint64_t older_ms;     /* start of the time in which its generation is lower than before; 0: it is not */
	uint64_t stuck_ms, stuck_at; /* start of the time at this position, with messages behind it */
	bool has_target;
	uint64_t target;       /* the log's end when the connection began */
	uint64_t lost, resyncs; /* lost numbers; consumers given up; both since the start */
	struct { uint64_t seq; int64_t time_ns; } times[SL_NATS_TIMES];
};

/* Call it first. */
void sl_nats_resync_init(struct sl_nats_resync *resync);

/* Call it at start, and after each verdict except SL_NATS_SAME: the log is now this one, and none of it was
 * read. Returns the number through which the log is empty, or 0. */
uint64_t sl_nats_resync_begin(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state);

/* A connection has come or gone: there is no consumer any more, and the log's end must be learned again. */
void sl_nats_resync_reconnect(struct sl_nats_resync *resync);

/* True if another consumer must be made now. */
bool sl_nats_resync_must_create(const struct sl_nats_resync *resync);

/* Returns the number at which it begins. */
uint64_t sl_nats_resync_get_start(const struct sl_nats_resync *resync);

/* The consumer is being made: its messages may come from now on. Do not pass those of others. */
void sl_nats_resync_open(struct sl_nats_resync *resync, uint64_t now_ms);

/* The server confirmed the consumer. Only the first confirmation is a sign of life: a consumer that is made and
 * then silent does not live. */
void sl_nats_resync_confirm_open(struct sl_nats_resync *resync, uint64_t now_ms);

/* Gives the consumer up: `reason` is a word for the log. */
void sl_nats_resync_give_up(struct sl_nats_resync *resync, const char *reason);

/* Takes its next message. True: it is the log's next one; deliver it. `*lost_through` is 0, or the end of
 * numbers that will never come. */
bool sl_nats_resync_see(struct sl_nats_resync *resync, const struct sl_nats_reply *message,
	uint64_t now_ms, uint64_t *lost_through);

/* Skips its next message, which could not be read: no client can get it. A message of any program must not stop
 * the reading. */
void sl_nats_resync_skip(struct sl_nats_resync *resync, uint64_t now_ms);

/* Takes its heartbeat, which it sends if it has no messages; `dseq` is its last number. `*lost_through` as
 * above. */
void sl_nats_resync_hear(struct sl_nats_resync *resync, uint64_t dseq, uint64_t now_ms,
	uint64_t *lost_through);

/* Takes the stream's description. `*purged_through` is 0, or the number through which the log no longer has
 * messages that were read. */
void sl_nats_resync_tell(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state,
	uint64_t now_ms, uint64_t *purged_through);

/* Call it ten times per second: detects silence. The verdict stays until begin. */
enum sl_nats_verdict sl_nats_resync_look(struct sl_nats_resync *resync, uint64_t now_ms);

/* True if the stream should be asked at once, because a decision waits for its state. */
bool sl_nats_resync_wants_state(const struct sl_nats_resync *resync);

/* True if a consumer gave a sign of life in the last two seconds. */
bool sl_nats_resync_is_live(const struct sl_nats_resync *resync, uint64_t now_ms);

/* True if the present connection leads to the log that was read so far: its consumer has begun with a message
 * that was read before, or no message that was read is left. */
bool sl_nats_resync_is_same_log(const struct sl_nats_resync *resync);

/* True if it has read every message that the log held when the connection began. */
bool sl_nats_resync_has_caught_up(const struct sl_nats_resync *resync);

/* Returns the number of messages behind the position, by the last report. */
uint64_t sl_nats_resync_get_lag(const struct sl_nats_resync *resync);

/* Returns the epoch of one life of a log, the same on every node; never 0. */
uint32_t sl_nats_epoch(const char *name, int64_t created_ns, uint64_t generation);

#endif
