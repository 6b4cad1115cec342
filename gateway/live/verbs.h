/* Verbs: the requests that a client can make in any protocol: publish (verbs.c), subscribe and unsubscribe
 * (subscriptions.c).
 * Owner: the subscriber has its publishes without an answer. Thread: the shard's. Errors: as each call says. */
#ifndef SL_LIVE_VERBS_H
#define SL_LIVE_VERBS_H

#include "live/framing.h"
#include "live/join.h"
#include "live/publication.h"
#include "util/span.h"

struct sl_subscriber;

#define SL_REF_MAX 128 /* bytes of a client's name for its request */

/* Reports the outcome of a publish: the message's id, or a refusal (else NULL). `ref` is the client's. */
typedef void (*sl_verbs_answer_fn)(struct sl_subscriber *subscriber, struct sl_span ref,
	const struct sl_refusal *refusal, struct sl_cursor id);

/* Publishes in the name of the subscriber's principal; takes the message. Calls `answer` once: now, or when the
 * backend has answered; not after the link ends. Copies `ref`, which has at most SL_REF_MAX bytes. */
void sl_verbs_publish(struct sl_subscriber *subscriber, struct sl_publication *publication,
	struct sl_span ref, sl_verbs_answer_fn answer);

/* Charges `count` requests of its client. They are neither publishes nor new channels, and count as the gateway
 * counts them. False if the owner's bucket does not pay: the subscriber ends (SL_END_LIMIT), or ends already. */
bool sl_verbs_ask(struct sl_subscriber *subscriber, uint64_t count);

/* The client sent a sign of life, or asked for one. One per second is free, so that no client loses a stream by
 * it; more are charged as above. */
bool sl_verbs_beat(struct sl_subscriber *subscriber);

/* The refusal of more channels than a subscriber may have. */
extern const struct sl_refusal sl_verbs_too_many_channels;

/* Adds `count` channels with legal names to the subscriber's. They count from the subscriber's position: it
 * catches up with later messages of the new channels, so that the order over all channels stays. Errors: any,
 * SL_EFORBIDDEN before others, SL_ELIMITED; then `*refusal` is filled and no channel is added. */
int sl_verbs_subscribe(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count, struct sl_refusal *refusal);

/* Removes those of the channels that it has. */
void sl_verbs_unsubscribe(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count);

/* ---- for protocols with labels: numbers rise within each channel ---- */

struct sl_verbs_subscription {
	const struct sl_span *channels; /* legal names */
	unsigned count;
	struct sl_span label;           /* at most SL_LABEL_MAX bytes; absent: none */
	enum sl_since since_kind;
	struct sl_cursor since;         /* for SL_SINCE_CURSOR */
	bool is_paid;                   /* by sl_verbs_pay_for_channels() */
};

/* Pays for `count` new channels at once, so that later subscriptions need not pay. If some are not added after
 * all, refund them (core/owners.h). With 0 it charges one other request. Errors: SL_ELIMITED, with `*refusal`. */
int sl_verbs_pay_for_channels(struct sl_subscriber *subscriber, unsigned count, struct sl_refusal *refusal);

/* Adds channels under a label, as sl_verbs_subscribe() does. They count from the head, or from a cursor:
 * messages after the cursor come first, and the other channels' messages do not come again. Channels that the
 * subscriber already has under that label stay as they are. `*lost` (may be NULL) is true if history no longer
 * reaches back to the cursor; then no gap is reported. If it `must_reach`, which needs `lost`, the call then
 * returns 0 and adds no channel. */
int sl_verbs_subscribe_as(struct sl_subscriber *subscriber,
	const struct sl_verbs_subscription *subscription, bool must_reach, bool *lost,
	struct sl_refusal *refusal);

/* Removes those of the channels that it has under that label. */
void sl_verbs_unsubscribe_as(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count, struct sl_span label);

/* Removes all its channels under a label. */
void sl_verbs_unsubscribe_label(struct sl_subscriber *subscriber, struct sl_span label);

/* Moves its subscriptions under `from` to `to`, from the next message on. A channel that it has under both
 * loses the one under `from`. Errors: SL_ENOMEM, nothing changed. */
int sl_verbs_relabel(struct sl_subscriber *subscriber, struct sl_span from, struct sl_span to);

/* The subscriber leaves: drops the answers to its publishes. */
void sl_verbs_forget(struct sl_subscriber *subscriber);

#endif
