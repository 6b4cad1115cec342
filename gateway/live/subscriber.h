/* Subscriber: one receiver of messages: channels, position, behind or live, heartbeat.
 * Owner: the struct that embeds it. A client's subscriber stands beside its link in one allocation
 * (http/connection.h), or in a session (live/session.h). Thread: its shard's. Errors: as each call says; a
 * subscriber without memory for an object that it should send has its link closed.
 *
 *   PARKED -> PROBING -> BEHIND <-> LIVE -> PARKED
 *                        ^            |
 *                     DETACHED <------'
 *
 * PARKED: nothing is delivered: before it begins, between two polls, and once its link ends. BEHIND: it catches
 * up from history whenever the outbox is empty. LIVE: the fan-out feeds it. DETACHED: it has its channels and
 * its position, and no request waits for messages. Only a session's subscriber is detached, between two polls
 * (live/session.h); it has no link. Only subscriber.c writes `state`. */
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
	uint64_t after;   /* no message at or below it comes: there was none, or it was reported as lost */
	uint32_t slot;    /* index in the channel's receivers */
	uint32_t framing; /* index in the shard's framer */
};

/* The content of an answer of a one-shot transport. */
struct sl_gap {
	const char *channel;
	struct sl_cursor after;  /* epoch 0: not known */
	struct sl_cursor resumed;
};

struct sl_answer {
	struct sl_run *run;      /* NULL if `messages` were read for this subscriber alone */
	struct sl_message *const *messages;
	size_t count;            /* 0: the time to wait is over */
	const struct sl_gap *gaps;
	size_t gap_count;
	const struct sl_label *const *labels; /* the label of each message; NULL: all have that of `framing` */
	const uint8_t *sources;  /* the subscription of each message; NULL: as above */
	unsigned framing;        /* the framing that has the run's wire */
	uint64_t through;        /* the position after all messages have been sent */
	bool is_last;            /* the link closes after this answer */
};

struct sl_subscriber_ops {
	/* One-shot only: answers with the messages, all of them or a first part. */
	void (*answer)(struct sl_subscriber *subscriber, const struct sl_answer *answer);
	/* Optional. The client has been silent for one heartbeat: sends a ping. */
	void (*ping)(struct sl_subscriber *subscriber);

	/* The next three are mandatory without a link. Otherwise the link does these. */
	/* There is something to do for it at the end of this turn. */
	void (*add_work)(struct sl_subscriber *subscriber);
	/* It ends in order, by `due_ms` at the latest: calls sl_subscriber_on_timer() then. */
	void (*set_timer)(struct sl_subscriber *subscriber, uint64_t due_ms);
	/* The gateway ends the subscriber, which leaves (sl_subscriber_leave) within the call. */
	void (*end)(struct sl_subscriber *subscriber, enum sl_end_reason reason);
};

struct sl_subscriber {
	/* The fields that every delivery touches stand together. */
	struct sl_link *link; /* borrows; NULL: none at the moment */
	struct sl_shard *shard;
	const struct sl_encoder *encoder;
	uint64_t position;    /* while it is live, the shard's position counts if it is higher */
	uint64_t sent;        /* messages and gaps queued since `open`, without dropped ones */
	uint8_t state;        /* enum sl_subscriber_state */
	uint8_t conclusion;   /* 0, or 1 + the reason of its end in order */
	bool verifies;        /* the client wants heartbeats on a busy link too */
	bool probe_marked;
	bool told_away;       /* the last reported state of the backend: away (live/outage.c) */
	bool has_turn : 1;    /* may read from history, although others wait (live/pace.c) */
	bool has_labels : 1;  /* it has, or had, a subscription with a label */
	uint8_t subscription_count, subscription_cap;
	uint16_t framing;     /* of the encoder without a label */
	uint16_t end_code;
	uint32_t beat_ms;     /* the last free beat of its client (live/verbs.c): the low bits of the time */
	uint32_t epoch;       /* epoch of the log of its position (live/delivery.h) */
	uint32_t retry_ms;    /* the least retry time in its bye */
	uint32_t beat_interval_ms; /* the interval of its encoder's beats (live/heartbeat.h) */
	uint32_t beat_timeout_ms;  /* SL_BEATS_ALWAYS: the time for the client's answer */

	const struct sl_subscriber_ops *ops;
	uint64_t last_beat_ms, pinged_ms;
	uint64_t concludes_ms; /* deadline of its end in order */
	uint64_t published;   /* the highest number of a message that the client published here */
	LIST_HEAD(, sl_pending_publish) pending; /* publishes not answered yet (live/verbs.c) */
	struct sl_subscription *subscriptions; /* &one, or owned */
	struct sl_subscription one;
	struct sl_pace *pace;    /* the line in which it waits for history, or NULL */
	TAILQ_ENTRY(sl_subscriber) paced;
	struct sl_holder holder; /* holds its principal: it ends with the principal's validity */
	struct sl_owner *owner;  /* a reference, until it leaves: the owner that limits count; or NULL */
};

/* ---- life ---- */

/* Ties the subscriber to `principal`, until it ends or leaves. It lives no longer than the principal is valid.
 * The principal's owner pays for it, or else the owner of the link (NULL: nobody). `subscriber` is all zero. A
 * subscriber without a principal (NULL) may subscribe to nothing. */
void sl_subscriber_admit(struct sl_subscriber *subscriber, struct sl_shard *shard,
	struct sl_principal *principal, const struct sl_link *link);

/* The same without a link. If the principal has no owner, `address` pays (a reference is taken; or NULL). */
void sl_subscriber_admit_without_link(struct sl_subscriber *subscriber, struct sl_shard *shard,
	struct sl_principal *principal, struct sl_owner *address);

/* Ties the subscriber to another principal, whose owner pays if it has one. This is for a token that came later
 * than the first request. */
void sl_subscriber_set_principal(struct sl_subscriber *subscriber, struct sl_principal *principal);

/* Call this after admit. `subscriber` is otherwise all zero. It is then parked, at no position. Errors:
 * SL_EFULL. */
int sl_subscriber_init(struct sl_subscriber *subscriber, struct sl_link *link,
	const struct sl_encoder *encoder, const struct sl_subscriber_ops *ops);

/* The same without a link: it is then detached, at the head. */
int sl_subscriber_init_detached(struct sl_subscriber *subscriber, const struct sl_encoder *encoder,
	const struct sl_subscriber_ops *ops);

/* Begins delivery after sl_join_channels(), for transports that are not one-shot. Queues `head` (its status was
 * already counted), then `open`, and reports the gaps that joining found. */
void sl_subscriber_begin(struct sl_subscriber *subscriber, const struct sl_join *join,
	const struct sl_buffer *head, const struct sl_gap *gaps, size_t gap_count);

/* The same for one-shot transports: answers with the gaps and the messages in history. True if there were none:
 * it is live, and waits. */
bool sl_subscriber_begin_one_shot(struct sl_subscriber *subscriber, const struct sl_gap *gaps,
	size_t gap_count);

/* Stops delivery, sends bye and ends its link. */
void sl_subscriber_end(struct sl_subscriber *subscriber, enum sl_end_reason reason);

/* Ends in order. The user of the link makes sure that nothing more is read. The subscriber ends as above once
 * two things are queued: the answers to the client's publishes, and the messages of its channels up to these
 * publishes (after at most 5 s). `code` is for the encoder's frame_end. */
void sl_subscriber_end_in_order(struct sl_subscriber *subscriber, enum sl_end_reason reason,
	unsigned code);

/* Ends in order because its client is over a limit, which pays again in `wait_ms`. */
void sl_subscriber_end_limited(struct sl_subscriber *subscriber, uint64_t wait_ms);

/* Ends a subscriber whose principal is no longer valid (auth/principals.h). Expired: it ends in order, so that
 * the client's publishes get their acks. Revoked: it ends at once, and messages with no byte sent are dropped. */
void sl_subscriber_end_leave(struct sl_holder *holder, enum sl_leave leave);

/* Leaves its channels, and parks. Publishes without an answer are forgotten. Its link closes, or serves another
 * request. */
void sl_subscriber_leave(struct sl_subscriber *subscriber);

/* There is something to do for it at the end of this turn. */
void sl_subscriber_add_work(struct sl_subscriber *subscriber);
/* Sets the link's one timer; without a link, the timer of its end in order. */
void sl_subscriber_set_timer(struct sl_subscriber *subscriber, uint64_t due_ms);

/* ---- states ---- */

/* Makes it catch up from `position` on, beginning at the end of this turn. */
void sl_subscriber_fall_behind(struct sl_subscriber *subscriber, uint64_t position);
void sl_subscriber_go_live(struct sl_subscriber *subscriber);
/* A request waits for messages of a subscriber without a link. It answers with the messages in history, or is
 * live and waits. If its owner has read too much (live/pace.h), it is behind, and gets work when it may
 * continue. */
void sl_subscriber_attach(struct sl_subscriber *subscriber);
/* The same if the request waits already, and it is behind. */
void sl_subscriber_pull(struct sl_subscriber *subscriber);
/* No request waits any more: it is detached, at its position. Allowed if it is detached already. */
void sl_subscriber_detach(struct sl_subscriber *subscriber);
/* Stops delivery, and leaves its channels. */
void sl_subscriber_park(struct sl_subscriber *subscriber);
/* True if its log is over: new messages of the bus are unrelated to its position. */
bool sl_subscriber_is_outdated(const struct sl_subscriber *subscriber);
/* True if nothing more can be queued for it: its link ends, or without a link it is parked. */
bool sl_subscriber_is_ending(const struct sl_subscriber *subscriber);

/* ---- output ---- */

/* Returns its position as a cursor for its client. */
struct sl_cursor sl_subscriber_get_cursor(const struct sl_subscriber *subscriber);

/* Queues a control object in its format, with `before` (or NULL) in front of it in the same wire. */
void sl_subscriber_send_control(struct sl_subscriber *subscriber, const struct sl_buffer *before,
	const struct sl_control *control);

/* Reports lost messages, or ends the subscriber if its format cannot report them. */
void sl_subscriber_send_gap(struct sl_subscriber *subscriber, const struct sl_gap *gap);

/* Counts messages that were queued for it. Its position is up to date. This may queue a heartbeat. */
void sl_subscriber_count_messages(struct sl_subscriber *subscriber, uint64_t count,
	uint64_t payload_bytes);

/* ---- events of its link ---- */

/* The kernel has every queued byte: concludes if it is time, catches up if it is behind. */
void sl_subscriber_on_idle(struct sl_subscriber *subscriber);

/* Ends a subscriber that ends in order, if all is done: true if it has ended now. For a subscriber without a
 * link, this is its work. */
bool sl_subscriber_try_conclude(struct sl_subscriber *subscriber);

/* The link's timer is due, and the transport does not use it: heartbeats, a probe's silence, the end of a
 * conclusion. */
void sl_subscriber_on_timer(struct sl_subscriber *subscriber);

#endif
