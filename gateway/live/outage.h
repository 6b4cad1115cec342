/* Outage: tells the subscribers of a shard that the bus's backend is away, or back (PROTOCOL.md, `backend`),
 * and ends them where it has another log (PROTOCOL.md, `epoch`).
 * Owner: the shard. Thread: the shard's. Errors: none; a subscriber without memory has its link closed.
 *
 * What a subscriber was told last stands in it. So whoever comes during an outage is told right after `open`, who
 * has no room in its outbox is told once it is empty, and what is over before somebody was told is never told. */
#ifndef SL_LIVE_OUTAGE_H
#define SL_LIVE_OUTAGE_H

#include <stdbool.h>

struct sl_link;
struct sl_shard;
struct sl_subscriber;

struct sl_outage {
	bool is_away;
	struct sl_link *at; /* the next link to be told; NULL: all have been */
};

/* What the bus says now: all are told, some in each turn. */
void sl_outage_set(struct sl_shard *shard, bool is_away);

/* The same where the log is another one: those who are outdated end, some in each turn. */
void sl_outage_tell_all(struct sl_shard *shard);

/* End-of-turn work: tells at most 256 subscribers. True when there are more. */
bool sl_outage_work(struct sl_shard *shard);

/* Ends one that is outdated, once it has the acks of what it published; tells any other whose format can, unless it knows; not during the silence of a probe. */
void sl_outage_tell(struct sl_subscriber *subscriber);

/* The link closes. */
void sl_outage_forget(struct sl_link *link);

#endif
