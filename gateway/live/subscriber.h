/* Subscriber: one receiver of messages: channels, position, behind or live, heartbeat.
 * Owner: whoever embeds it; a client's stands beside its link in one allocation
 * (http/connection.h), or in a session (live/session.h). Thread: its shard's. Errors: as each call says; one without memory for what
 * it should be told has its link closed.
 *
 *   PARKED -> PROBING -> BEHIND <-> LIVE -> PARKED
 *                        ^            |
 *                     DETACHED <------'
 *
 * PARKED: nothing is delivered: before it began, between two polls, once its link ends. BEHIND:
 * catching up from history whenever the outbox is empty. LIVE: fed by fan-out. DETACHED: it has its channels
 * and its position, and nobody waits for messages: a session's between two polls (live/session.h), which
 * has no link. Nobody but subscriber.c writes `state`. */
#ifndef SL_LIVE_SUBSCRIBER_H
#define SL_LIVE_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "auth/principal.h"
#include "live/encoder.h"
#include "live/join.h"
#include "live/link.h"

struct sl_buffer;
struct sl_fanout_channel;
struct sl_pace;
struct sl_pending_publish;
struct sl_run;
struct sl_subscriber;

enum sl_subscriber_state {
	SL_SUBSCRIBER_PARKED, SL_SUBSCRIBER_PROBING, SL_SUBSCRIBER_BEHIND, SL_SUBSCRIBER_LIVE,
	SL_SUBSCRIBER_DETACHED
};

/* A channel of a subscriber under a label, or without one. */
struct sl_subscription {
	struct sl_fanout_channel *channel;
	uint64_t after;   /* no message at or below it comes: there was none to come, or it was told lost */
	uint32_t slot;    /* index in the channel's receivers */
	uint32_t framing; /* index in the shard's framer */
};

/* What a one-shot transport answers with. */
struct sl_gap {
	const char *channel;
	struct sl_cursor after;  /* epoch 0: not known */
	struct sl_cursor resumed;
};

struct sl_answer {
	struct sl_run *run;      /* NULL when `messages` were read for this subscriber alone */
	struct sl_message *const *messages;
	size_t count;            /* 0: a hold that ran out */
	const struct sl_gap *gaps;
	size_t gap_count;
	const struct sl_label *const *labels; /* of each message; NULL: each is under that of `framing` */
	const uint8_t *sources;  /* the subscription of each message; NULL: as above */
	unsigned framing;        /* in which the run's wire is to be had */
	uint64_t through;        /* the position once all of it has been sent */
	bool is_last;            /* the link is not to be kept for another request */
};

struct sl_subscriber_ops {
	/* One-shot only: answers with what came, all of it or a first part. */
	void (*answer)(struct sl_subscriber *subscriber, const struct sl_answer *answer);
	/* Optional. The client has been silent for one heartbeat: provoke an answer. */
	void (*ping)(struct sl_subscriber *subscriber);

	/* Mandatory without a link, which does these otherwise. */
	/* There is something to do for it at the end of this turn. */
	void (*add_work)(struct sl_subscriber *subscriber);
	/* It ends in order, and must have by `due_ms`: sl_subscriber_on_timer() is called then. */
	void (*set_timer)(struct sl_subscriber *subscriber, uint64_t due_ms);
	/* The gateway ends it: it leaves (sl_subscriber_leave) within. */
	void (*end)(struct sl_subscriber *subscriber, enum sl_end_reason reason);
};

struct sl_subscriber {
	/* What every delivery touches stands together. */
	struct sl_link *link; /* borrows; NULL: none at the moment */
	struct sl_shard *shard;
	const struct sl_encoder *encoder;
	uint64_t position;    /* while live, the shard's position counts if it is higher */
	uint64_t sent;        /* messages and gaps queued since `open`, without the dropped */
	uint8_t state;        /* enum sl_subscriber_state */
	uint8_t conclusion;   /* 0, or 1 + the reason for which it ends in order */
	bool verifies;        /* the client asked for heartbeats on a busy link too */
	bool probe_marked;
	bool told_away;       /* that the backend is, and not that it is back (live/outage.c) */
	bool has_turn : 1;    /* to read from history, whatever others wait (live/pace.c) */
	bool has_labels : 1;  /* it has, or had, a subscription under one */
	uint8_t subscription_count, subscription_cap;
	uint16_t framing;     /* of the encoder without a label */
	uint16_t end_code;
	uint32_t beat_ms;     /* of its client, for nothing (live/verbs.c): the low bits of the time */
	uint32_t epoch;       /* of the log that its position is in (live/delivery.h) */
	uint32_t retry_ms;    /* the least that its bye tells */
	uint32_t beat_interval_ms; /* what its encoder's beats are about (live/heartbeat.h) */
	uint32_t beat_timeout_ms;  /* SL_BEATS_ALWAYS: for the client's answer */

	const struct sl_subscriber_ops *ops;
	uint64_t last_beat_ms, pinged_ms;
	uint64_t concludes_ms; /* at the latest, where it ends in order */
	uint64_t published;   /* the highest number of a message that the client published here */
	LIST_HEAD(, sl_pending_publish) pending; /* publishes not answered yet (live/verbs.c) */
	struct sl_subscription *subscriptions; /* &one, or owned */
	struct sl_subscription one;
	struct sl_pace *pace;    /* the line in which it waits to read from history, or NULL */
	TAILQ_ENTRY(sl_subscriber) paced;
	struct sl_holder holder; /* by whose leave it is there */
	struct sl_owner *owner;  /* a reference, until it leaves: whom limits count; or NULL */
};

/* ---- life ---- */

/* It lives by the leave of `principal` from now on, until it ends or leaves, at the cost of its owner or, where
 * that has none, of the link's (NULL: nobody's). `subscriber` is all zero. One without a principal (NULL) may
 * subscribe to nothing. */
void sl_subscriber_admit(struct sl_subscriber *subscriber, struct sl_shard *shard,
	struct sl_principal *principal, const struct sl_link *link);

/* The same without a link: at the cost of `address` (a reference is taken; or NULL) where the principal has no
 * owner. */
void sl_subscriber_admit_without_link(struct sl_subscriber *subscriber, struct sl_shard *shard,
	struct sl_principal *principal, struct sl_owner *address);

/* It lives by the leave of another principal from now on, at the cost of that one's owner if it has one: a token came
 * later than the request that opened it. */
void sl_subscriber_set_principal(struct sl_subscriber *subscriber, struct sl_principal *principal);

/* `subscriber` is all zero but for that: it is parked, at no position. Errors: SL_EFULL. */
int sl_subscriber_init(struct sl_subscriber *subscriber, struct sl_link *link,
	const struct sl_encoder *encoder, const struct sl_subscriber_ops *ops);

/* The same without a link: it is detached, at the head. */
int sl_subscriber_init_detached(struct sl_subscriber *subscriber, const struct sl_encoder *encoder,
	const struct sl_subscriber_ops *ops);

/* After sl_join_channels(), for what is not one-shot: queues `head` (whose status has been seen),
 * then `open`, tells the gaps that joining found, begins delivery. */
void sl_subscriber_begin(struct sl_subscriber *subscriber, const struct sl_join *join,
	const struct sl_buffer *head, const struct sl_gap *gaps, size_t gap_count);

/* The same for what is one-shot: answers with the gaps and what history has. True when there was
 * nothing: it is live, and waits. */
bool sl_subscriber_begin_one_shot(struct sl_subscriber *subscriber, const struct sl_gap *gaps,
	size_t gap_count);

/* Stops delivery, says bye and ends its link. */
void sl_subscriber_end(struct sl_subscriber *subscriber, enum sl_end_reason reason);

/* Ends in order: nothing more will be read (the user of the link sees to that), and it ends as above
 * once the answers to the client's publishes are queued, and the messages of its channels up to
 * those (at the latest after 5 s). `code` is for the encoder's frame_end. */
void sl_subscriber_end_in_order(struct sl_subscriber *subscriber, enum sl_end_reason reason,
	unsigned code);

/* Ends in order since its client is over a limit, which will pay again in `wait_ms`. */
void sl_subscriber_end_limited(struct sl_subscriber *subscriber, uint64_t wait_ms);

/* The end of one whose principal's leave has ended (auth/principals.h). Expired: in order, so that what
 * its client published has its acks. Revoked: at once, and messages of which no byte was sent are
 * dropped. */
void sl_subscriber_end_leave(struct sl_holder *holder, enum sl_leave leave);

/* It leaves its channels and is parked; publishes not answered yet are forgotten. Its link closes,
 * or goes on with something else. */
void sl_subscriber_leave(struct sl_subscriber *subscriber);

/* There is something to do for it at the end of this turn. */
void sl_subscriber_add_work(struct sl_subscriber *subscriber);
/* Of its link, which is one for all of it; without one, of its end in order alone. */
void sl_subscriber_set_timer(struct sl_subscriber *subscriber, uint64_t due_ms);

/* ---- states ---- */

/* It catches up from `position` on, from the end of this turn. */
void sl_subscriber_fall_behind(struct sl_subscriber *subscriber, uint64_t position);
void sl_subscriber_go_live(struct sl_subscriber *subscriber);
/* One without a link is asked for messages: answers with what history has, or is live and waits; or it is behind,
 * since its owner has read too much (live/pace.h), and has work when it may go on. */
void sl_subscriber_attach(struct sl_subscriber *subscriber);
/* The same for one that is asked already, where it is behind. */
void sl_subscriber_pull(struct sl_subscriber *subscriber);
/* Nobody asks any more: it is detached, at its position. Also for one that is. */
void sl_subscriber_detach(struct sl_subscriber *subscriber);
/* Nothing is delivered from here on, and it leaves its channels. */
void sl_subscriber_park(struct sl_subscriber *subscriber);
/* True when its log is over: what comes from the bus has nothing to do with its position. */
bool sl_subscriber_is_outdated(const struct sl_subscriber *subscriber);
/* True when nothing more can be queued for it: its link ends, or without one it is parked. */
bool sl_subscriber_is_ending(const struct sl_subscriber *subscriber);

/* ---- what it is told ---- */

/* Its position as a cursor: what it may be told. */
struct sl_cursor sl_subscriber_get_cursor(const struct sl_subscriber *subscriber);

/* Queues a control object in its format; `before` goes in front of it in the same wire, or is
 * NULL. */
void sl_subscriber_send_control(struct sl_subscriber *subscriber, const struct sl_buffer *before,
	const struct sl_control *control);

/* Tells of lost messages, or ends the subscriber where its format cannot. */
void sl_subscriber_send_gap(struct sl_subscriber *subscriber, const struct sl_gap *gap);

/* Messages have been queued for it, and its position is up to date: this may queue a heartbeat. */
void sl_subscriber_count_messages(struct sl_subscriber *subscriber, uint64_t count,
	uint64_t payload_bytes);

/* ---- what its link tells ---- */

/* Everything queued is with the kernel: concludes if it is time, catches up if behind. */
void sl_subscriber_on_idle(struct sl_subscriber *subscriber);

/* It has ended in order, as far as that takes: has it ended now? Of one without a link, its work. */
bool sl_subscriber_try_conclude(struct sl_subscriber *subscriber);

/* The link's timer, where the transport has no use for it: heartbeats, a probe's silence, the end
 * of a conclusion. */
void sl_subscriber_on_timer(struct sl_subscriber *subscriber);

#endif
