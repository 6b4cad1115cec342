/* Publication: a client's request to publish, {"channel":C,"event":N,"data":..,"key":K}, whatever transport
 * brought it (PROTOCOL.md, publishing).
 * Owner: the caller's struct. Thread: the shard's. Errors: a refusal for the client. */
#ifndef SL_LIVE_PUBLICATION_H
#define SL_LIVE_PUBLICATION_H

#include "bus/bus.h"
#include "live/refusal.h"
#include "util/json_members.h"
#include "util/metrics.h"
#include "util/span.h"

struct sl_config;
struct sl_message;
struct sl_owner;
struct sl_payload;
struct sl_principal;
struct sl_shard;

/* The members of the object, as written. A member is absent if its value has no bytes. */
struct sl_publication_members {
	struct sl_json_member channel, data, key, compress, event, args;
};

/* A member that a reader of an object asks for, by its name. */
struct sl_wanted_member {
	const char *name;
	struct sl_json_member *member; /* untouched if the object lacks it */
};

/* Checks a JSON object, and notes the wanted members; the last of each name counts. Errors: SL_ESYNTAX, the
 * text is no object; SL_ETOODEEP, with the members noted all the same. */
int sl_publication_read_object(struct sl_span text, unsigned depth_max,
	const struct sl_wanted_member *wanted, size_t wanted_count);

#define SL_KEY_FORM "8 to 64 visible ASCII characters"
#define SL_KEY_MIN 8
#define SL_KEY_MAX 64

/* True for a legal idempotency key: 8 to 64 visible ASCII characters. */
bool sl_publication_key_valid(struct sl_span key);

struct sl_publication {
	struct sl_message *message; /* the caller's, with its first reference */
	enum sl_class class;        /* of the transport that brought it */
	const struct sl_principal *publisher; /* borrows; NULL: nobody, without any permission */
	struct sl_owner *owner;     /* borrows: the owner that pays; NULL: nobody */
	bool asks_client_publish;   /* the publisher is a client of another library (live/permit.h) */
	struct sl_span key;         /* absent: none; in `key_bytes` */
	char key_bytes[SL_KEY_MAX];
};

/* Replacements for missing members; each may be absent. */
struct sl_publication_defaults {
	struct sl_span channel;     /* a legal name */
	struct sl_span event, args; /* as clients write them; both apply, or neither */
};

/* Makes the message; the caller fills in the rest. Errors: any, with `*refusal` filled. */
int sl_publication_make(struct sl_publication *out, const struct sl_publication_members *members,
	const struct sl_publication_defaults *defaults, const struct sl_config *config,
	struct sl_refusal *refusal);

/* Gives the payload its event and args, as clients write them; both may be absent. Borrows `event`. Errors:
 * SL_EINVAL, with `*refusal` filled: bad_event, bad_args. */
int sl_publication_set_event(struct sl_payload *payload, struct sl_span event, struct sl_span args,
	struct sl_refusal *refusal);

/* Fills the refusal of a message that could not be created: SL_EINVAL can only be the payload's args. */
void sl_publication_refuse_payload(struct sl_refusal *refusal, int err);

/* One publish under way. Embed it. It must live until on_done ran, or until publish() returned another value
 * than SL_PENDING. */
struct sl_publishing {
	struct sl_publish publish; /* its outcome; first: the bus's on_done gets it */
	/* Called once after SL_PENDING, like that of `publish`. */
	void (*on_done)(struct sl_publishing *publishing);
	struct sl_owner *owner;    /* a reference during the wait: the owner that pays for the deliveries; or NULL */
	uint64_t began_ms, foreseen; /* `foreseen`: deliveries paid in advance */
	uint32_t weight;           /* the number of deliveries that each receiver counts as */
};

/* Publishes the message, which it takes. Every publish of a client passes here. Outcomes and errors are those
 * of sl_bus_publish(). Further errors: SL_EFORBIDDEN, no permission; SL_ELIMITED, the owner is over a limit,
 * with `*refusal` filled; for a leased channel those of live/lease.h.
 *
 * The owner pays for one publish, whatever its outcome, and for the payload's bytes. Once the bus has taken the
 * message, the owner pays for its deliveries, so one message at most overdraws a bucket. If the backend answers
 * later, the owner pays for the foreseen deliveries, and the count is corrected then. A repeated key causes no
 * deliveries. */
int sl_publication_publish(struct sl_shard *shard, const struct sl_publication *publication,
	struct sl_publishing *publishing, struct sl_cursor *id, struct sl_refusal *refusal);

#endif
