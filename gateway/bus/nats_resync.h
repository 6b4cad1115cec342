/* Resync: decides what each message of a log is that JetStream sends, and whether the log is still the one
 * that was read so far. No sockets, no clock of its own, no memory.
 * Owner: embed it; it holds no memory of its own. Thread: one at a time. Errors: none.
 *
 * The log is read by consumers, one after the other. Each begins at the *witness*, the last message that was
 * read, and not behind it: so the first message shows whether that number is still the same message, by its
 * time in nanoseconds. A consumer is given up when its own numbers have a hole, when it is silent, or when it
 * stands still although its log does not; then another one is made.
 *
 * What the stream says of itself (struct sl_nats_stream_state) decides the rest: who created it and which
 * generation it is, whether missing numbers are gone, and whether the log has become shorter. */
#ifndef SL_BUS_NATS_RESYNC_H
#define SL_BUS_NATS_RESYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/nats_reply.h"

/* A log as its leader describes it. */
struct sl_nats_stream_state {
	int64_t created_ns;   /* since 1970; names the log together with the generation; 0: not known */
	uint64_t generation;  /* raised by whoever finds the log rolled back */
	uint64_t first, last; /* numbers; first is last + 1 where it holds nothing */
	bool has_leader;      /* false: nobody may believe the numbers now */
};

enum sl_nats_verdict {
	SL_NATS_SAME,
	SL_NATS_REPLACED,    /* another log, or another generation: begin with what the stream says now */
	SL_NATS_ROLLED_BACK, /* numbers were or will be given twice: raise the generation, then begin */
};

#define SL_NATS_SILENCE_MS 1200   /* a consumer sends a heartbeat each 500 ms; twice as long after a silence, then
                                   * four times: a path may be slow */
#define SL_NATS_LIVE_MS 2000      /* who heard nothing for longer is away */
#define SL_NATS_STUCK_MS 3000     /* heartbeats come, the log's messages do not */
#define SL_NATS_SHORT_MS 5000     /* the log ends below the position and does not grow, so says a leader */
#define SL_NATS_DOUBT_MS 10000    /* the same, but it grows: maybe the leader still reads its own log */
#define SL_NATS_JUMPS_MAX 5       /* consumers that lack the same numbers: they are gone */
#define SL_NATS_TIMES 1024        /* messages whose times are remembered */

struct sl_nats_resync {
	struct sl_nats_stream_state log; /* as last told */
	enum sl_nats_verdict verdict;
	bool has_begun;
	uint64_t position; /* everything up to it was read, or is lost */
	uint64_t witness;  /* the last number whose message was seen; 0: none */
	uint64_t purged;   /* the log's floor as passed on */

	/* The consumer. */
	bool has_consumer;
	bool is_confirmed;     /* its log has the position as it was */
	uint64_t dseq;         /* the last of its own numbers */
	uint64_t sent;         /* the number of the message that it sent last; 0: none yet */
	uint64_t sign_ms;      /* when it gave its last sign of life, or was made */
	unsigned silences;     /* given up for silence since the last sign */
	const char *given_up;  /* why the last one was, for the log; NULL: it was not */

	/* What only the stream's state can answer. */
	enum { SL_NATS_NO_JUMP, SL_NATS_JUMP_SEEN, SL_NATS_JUMP_CHECKED } jump; /* numbers are missing */
	unsigned jumps;        /* consumers that lacked something behind this position */
	bool is_suspect;       /* a number has another message than it had */

	uint64_t heard_ms;     /* the last sign of life of any; 0: none yet */
	uint64_t told_ms;      /* when a leader last told the state */
	uint64_t earlier[2];   /* the position as the last state was told, and as the one before was */
	uint64_t shorter_ms;   /* since when the log ends below the position; 0: it does not */
	uint64_t grew_ms;      /* when its end was last seen to move */
	uint64_t older_ms;     /* since when its generation is lower than it was; 0: it is not */
	uint64_t stuck_ms, stuck_at; /* since when the position is this one, with messages behind it */
	bool has_target;
	uint64_t target;       /* where the log ended as a connection began */
	uint64_t lost, resyncs; /* numbers; consumers given up; both since the start */
	struct { uint64_t seq; int64_t time_ns; } times[SL_NATS_TIMES];
};

/* Before anything else. */
void sl_nats_resync_init(struct sl_nats_resync *resync);

/* At start, and after each verdict but SL_NATS_SAME: from now on the log is this one, and nothing of it has
 * been read. Returns the number through which it holds nothing, or 0. */
uint64_t sl_nats_resync_begin(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state);

/* A connection has come or gone: the consumer is none of ours any more, and where the log ends is to be
 * learned again. */
void sl_nats_resync_reconnect(struct sl_nats_resync *resync);

/* True when another consumer is to be made now. */
bool sl_nats_resync_must_create(const struct sl_nats_resync *resync);

/* The number that it begins at. */
uint64_t sl_nats_resync_get_start(const struct sl_nats_resync *resync);

/* It is being made: its messages may come from now on, those of others are not to be shown here. */
void sl_nats_resync_open(struct sl_nats_resync *resync, uint64_t now_ms);

/* The server said that it was made. A sign of life is only the very first one: a consumer that is made and
 * never heard of is none. */
void sl_nats_resync_confirm_open(struct sl_nats_resync *resync, uint64_t now_ms);

/* It is of no use: `reason` is a word for the log. */
void sl_nats_resync_give_up(struct sl_nats_resync *resync, const char *reason);

/* Its next message. True: it is the next one of the log, to be delivered. `*lost_through` is 0, or the
 * number through which those below it will never come. */
bool sl_nats_resync_see(struct sl_nats_resync *resync, const struct sl_nats_reply *message,
	uint64_t now_ms, uint64_t *lost_through);

/* Its next message, of which nothing is known but that it came: it is one that nobody can be given. Whoever wrote
 * it, it must not stop the reading. */
void sl_nats_resync_skip(struct sl_nats_resync *resync, uint64_t now_ms);

/* Its heartbeat, which comes when it has nothing to send; `dseq` is the number that it gave last.
 * `*lost_through` as above. */
void sl_nats_resync_hear(struct sl_nats_resync *resync, uint64_t dseq, uint64_t now_ms,
	uint64_t *lost_through);

/* What the stream says of itself. `*purged_through` is 0, or the number through which the log holds nothing
 * more of what was read. */
void sl_nats_resync_tell(struct sl_nats_resync *resync, const struct sl_nats_stream_state *state,
	uint64_t now_ms, uint64_t *purged_through);

/* Ten times a second: looks for silence. The verdict stays until begin. */
enum sl_nats_verdict sl_nats_resync_look(struct sl_nats_resync *resync, uint64_t now_ms);

/* True when the stream should be asked at once: something waits for what it says. */
bool sl_nats_resync_wants_state(const struct sl_nats_resync *resync);

/* True when a consumer gave a sign of life in the last two seconds. */
bool sl_nats_resync_is_live(const struct sl_nats_resync *resync, uint64_t now_ms);

/* True when the present connection leads to the log that was read so far: its consumer has begun with a message that
 * was read before, or nothing that was read is left. */
bool sl_nats_resync_is_same_log(const struct sl_nats_resync *resync);

/* True when everything was read that the log held as the connection began. */
bool sl_nats_resync_has_caught_up(const struct sl_nats_resync *resync);

/* How many messages the log holds behind the position, as last told. */
uint64_t sl_nats_resync_get_lag(const struct sl_nats_resync *resync);

/* Names the life of a log in cursors, the same on every node; never 0. */
uint32_t sl_nats_epoch(const char *name, int64_t created_ns, uint64_t generation);

#endif
