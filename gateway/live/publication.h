/* Publication: what a client's JSON object wants published, {"channel":C,"event":N,"data":..,"key":K},
 * whichever way the object came (PROTOCOL.md, publishing).
 * Owner: the caller's struct. Thread: the shard's. Errors: a refusal, to be told to the client. */
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

/* The members of the object, as written; one whose value has no bytes is absent. */
struct sl_publication_members {
	struct sl_json_member channel, data, key, compress, event, args;
};

/* A member that a reader of an object wants, by its name. */
struct sl_wanted_member {
	const char *name;
	struct sl_json_member *member; /* untouched where the object has none */
};

/* Checks a JSON object, and notes the wanted members: the last one counts. Errors: SL_ESYNTAX, it is no
 * object; SL_ETOODEEP, with the members noted nevertheless. */
int sl_publication_read_object(struct sl_span text, unsigned depth_max,
	const struct sl_wanted_member *wanted, size_t wanted_count);

#define SL_KEY_MIN 8
#define SL_KEY_MAX 64

/* True for a legal idempotency key: 8 to 64 visible ASCII characters. */
bool sl_publication_key_valid(struct sl_span key);

struct sl_publication {
	struct sl_message *message; /* the caller's, with its first reference */
	enum sl_class class;        /* by which it came */
	const struct sl_principal *publisher; /* borrows; NULL: nobody, who may publish nothing */
	struct sl_owner *owner;     /* borrows: at whose cost; NULL: nobody's */
	bool asks_client_publish;   /* the publisher is a client of another library (live/permit.h) */
	struct sl_span key;         /* absent: none; in `key_bytes` */
	char key_bytes[SL_KEY_MAX];
};

/* What stands in for members that are missing; each may be absent. */
struct sl_publication_defaults {
	struct sl_span channel;     /* a legal name */
	struct sl_span event, args; /* as clients write them; both or neither stand in */
};

/* Makes the message; the rest is the caller's to fill in. Errors: any, with `*refusal` filled. */
int sl_publication_make(struct sl_publication *out, const struct sl_publication_members *members,
	const struct sl_publication_defaults *defaults, const struct sl_config *config,
	struct sl_refusal *refusal);

/* Gives the payload its event and args, as clients write them; both may be absent. `event` is borrowed.
 * Errors: SL_EINVAL, with `*refusal` filled: bad_event, bad_args. */
int sl_publication_set_event(struct sl_payload *payload, struct sl_span event, struct sl_span args,
	struct sl_refusal *refusal);

/* Fills the refusal of a message that could not be created: SL_EINVAL can only be the payload's args. */
void sl_publication_refuse_payload(struct sl_refusal *refusal, int err);

/* One publish under way. Embed it; it must live until on_done ran, or publish() has returned something else
 * than SL_PENDING. */
struct sl_publishing {
	struct sl_publish publish; /* its outcome; first: the bus's on_done gets it */
	/* Called once after SL_PENDING, as the one of `publish` is. */
	void (*on_done)(struct sl_publishing *publishing);
	struct sl_owner *owner;    /* a reference, while it waits: who pays for its deliveries; or NULL */
	uint64_t began_ms, foreseen; /* deliveries that it has paid beforehand */
	uint32_t weight;           /* how many each receiver counts as */
};

/* Publishes the message, which it takes: every publish of a client passes here. Outcomes are those of
 * sl_bus_publish(); errors too, SL_EFORBIDDEN where the publisher may not, and for a leased channel those
 * of live/lease.h, and SL_ELIMITED where the owner is over a limit, with `*refusal` filled.
 *
 * The owner pays one publish, whatever comes of it, and the payload's bytes; and once the bus has taken the message
 * its deliveries, so a bucket is overdrawn by one message at most. Where the backend answers later they are paid as
 * they are foreseen, and set right then. A repeated key causes none. */
int sl_publication_publish(struct sl_shard *shard, const struct sl_publication *publication,
	struct sl_publishing *publishing, struct sl_cursor *id, struct sl_refusal *refusal);

#endif
