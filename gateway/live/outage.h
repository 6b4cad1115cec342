/* Outage: notifies the subscribers of a shard that the bus's backend is away or back (PROTOCOL.md, `backend`).
 * Ends them if the backend has another log (PROTOCOL.md, `epoch`).
 * Owner: the shard. Thread: the shard's. Errors: none; a subscriber without memory has its link closed.
 *
 * Each subscriber remembers the last state that it was sent. So a client that comes during an outage is
 * notified right after `open`. A client with a full outbox is notified once the outbox is empty. An outage that
 * ends before a client was notified is not reported to that client. */
#ifndef SL_LIVE_OUTAGE_H
#define SL_LIVE_OUTAGE_H

#include <stdbool.h>

struct sl_link;
struct sl_shard;
struct sl_subscriber;

struct sl_outage {
	bool is_away;
	struct sl_link *at; /* the next link to notify; NULL: all are notified */
};

/* The bus's new state: notifies all subscribers, some in each turn. */
void sl_outage_set(struct sl_shard *shard, bool is_away);

/* The log is another one: ends the outdated subscribers, some in each turn. */
void sl_outage_tell_all(struct sl_shard *shard);

/* End-of-turn work: notifies at most 256 subscribers. True if there are more. */
bool sl_outage_work(struct sl_shard *shard);

/* Ends an outdated subscriber, once it has the acks of its publishes. Notifies any other whose format can carry
 * it, unless it has the news already, or is in the silence of a probe. */
void sl_outage_tell(struct sl_subscriber *subscriber);

/* The link closes. */
void sl_outage_forget(struct sl_link *link);

#endif
