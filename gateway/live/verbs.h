/* Verbs: what a client can ask for, whatever its protocol: publish (verbs.c), subscribe and unsubscribe
 * (subscriptions.c).
 * Owner: publishes not yet answered hang on their subscriber. Thread: the shard's. Errors: as each
 * call says. */
#ifndef SL_LIVE_VERBS_H
#define SL_LIVE_VERBS_H

#include "live/framing.h"
#include "live/join.h"
#include "live/publication.h"
#include "util/span.h"

struct sl_subscriber;

#define SL_REF_MAX 128 /* bytes of what a client names its request with */

/* A publish has its outcome: the message's id, or why it is refused (else NULL). `ref` is the
 * client's. */
typedef void (*sl_verbs_answer_fn)(struct sl_subscriber *subscriber, struct sl_span ref,
	const struct sl_refusal *refusal, struct sl_cursor id);

/* Publishes in the name of the subscriber's principal, takes the message. `answer` is called once: now, or when the backend has answered, but
 * not once the link ends. `ref` has at most SL_REF_MAX bytes, which are copied. */
void sl_verbs_publish(struct sl_subscriber *subscriber, struct sl_publication *publication,
	struct sl_span ref, sl_verbs_answer_fn answer);

/* Its client asks for so many things that are no publish and add no channel, as the gateway counts them: false
 * when its owner's requests do not pay for them, and the subscriber ends (SL_END_LIMIT), or it ends already. */
bool sl_verbs_ask(struct sl_subscriber *subscriber, uint64_t count);

/* Its client shows that it lives, or asks whether we do: once a second for nothing, so that nobody loses a stream
 * for the sake of it; more often as above. */
bool sl_verbs_beat(struct sl_subscriber *subscriber);

/* More channels than a subscriber may have. */
extern const struct sl_refusal sl_verbs_too_many_channels;

/* Adds `count` channels with legal names to the subscriber's. It takes effect at the position: what
 * the new channels got since is caught up with, so that the order over all channels stays. Errors:
 * any, SL_EFORBIDDEN before others, SL_ELIMITED, with `*refusal` filled and none of them added. */
int sl_verbs_subscribe(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count, struct sl_refusal *refusal);

/* Removes channels, where it has them. */
void sl_verbs_unsubscribe(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count);

/* ---- for protocols whose subscriptions have labels; each channel's numbers rise by themselves ---- */

struct sl_verbs_subscription {
	const struct sl_span *channels; /* legal names */
	unsigned count;
	struct sl_span label;           /* at most SL_LABEL_MAX bytes; absent: none */
	enum sl_since since_kind;
	struct sl_cursor since;         /* for SL_SINCE_CURSOR */
	bool is_paid;                   /* by sl_verbs_pay_for_channels() */
};

/* Pays for so many new channels at once, which subscriptions that follow then do not; those that it does not get after all
 * are to be refunded (core/owners.h). With 0 it asks for something else. Errors: SL_ELIMITED, with `*refusal`. */
int sl_verbs_pay_for_channels(struct sl_subscriber *subscriber, unsigned count, struct sl_refusal *refusal);

/* As sl_verbs_subscribe(), under a label. It takes effect at the head, or with a cursor: what the new channels got
 * after that comes first, and the others' messages do not come again. Channels that the subscriber has under that
 * label stay as they are. `*lost` (may be NULL) is true where history no longer reaches to the cursor: no gap is
 * told then. If it `must_reach`, which `lost` is for, 0 is returned and none of the channels are added. */
int sl_verbs_subscribe_as(struct sl_subscriber *subscriber,
	const struct sl_verbs_subscription *subscription, bool must_reach, bool *lost,
	struct sl_refusal *refusal);

/* Removes channels, where it has them under that label. */
void sl_verbs_unsubscribe_as(struct sl_subscriber *subscriber, const struct sl_span *channels,
	unsigned count, struct sl_span label);

/* Removes all that it has under a label. */
void sl_verbs_unsubscribe_label(struct sl_subscriber *subscriber, struct sl_span label);

/* What it has under `from` it has under `to` from the next message on; a channel that it has under both loses the
 * one under `from`. Errors: SL_ENOMEM, nothing changed. */
int sl_verbs_relabel(struct sl_subscriber *subscriber, struct sl_span from, struct sl_span to);

/* The subscriber leaves: answers to its publishes will have nobody to go to. */
void sl_verbs_forget(struct sl_subscriber *subscriber);

#endif
