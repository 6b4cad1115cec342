/* Shard: one thread's world: its loop, its mailbox, its links and subscribers.
 * Owner: a worker (worker.h), which runs its turns. Thread: its own only, but for `mailbox` and
 * the atomics of `metrics`. Errors: as each call says. */
#ifndef SL_LIVE_SHARD_H
#define SL_LIVE_SHARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/loop.h"
#include "core/mailbox.h"
#include "live/fanout.h"
#include "live/framing.h"
#include "live/kernel_memory.h"
#include "live/outage.h"
#include "live/session_table.h"
#include "live/share.h"
#include "util/metrics.h"

struct sl_bus;
struct sl_config;
struct sl_front;
struct sl_lender;
struct sl_link;
struct sl_owners;
struct sl_pace;
struct sl_principals;
struct sl_tls_shard;

STAILQ_HEAD(sl_work_list, sl_link);

struct sl_shard {
	unsigned index;
	unsigned count;                  /* of all shards */
	const struct sl_config *config;  /* borrows; another one after a reload */
	struct sl_bus *bus;              /* borrows */
	struct sl_front *front;          /* borrows; what accepts here; live/ only passes it on */
	struct sl_lender *lender;        /* borrows; of leased channels (live/lease.h); or NULL */
	struct sl_principals *principals; /* owns; who asks here */
	struct sl_owners *owners;        /* borrows; whom limits count (core/owners.h); NULL: nobody */
	struct sl_loop loop;
	struct sl_mailbox mailbox;
	struct sl_watch mailbox_watch;
	struct sl_fanout fanout;
	struct sl_framer framer;
	struct sl_metrics metrics;
	struct sl_tls_shard *tls;        /* owns; what its sockets that speak TLS share */
	struct sl_link *links;           /* every one open, newest first */
	struct sl_pace *paces;           /* by owner: those of whom a stream waits (live/pace.h) */
	struct sl_work_list work;        /* those to flush in this turn */
	struct sl_work_list late;        /* those that an earlier one left */
	struct sl_kernel_memory kernel_memory;
	struct sl_outage outage;         /* of the bus's backend */
	struct sl_session_table sessions;
	struct sl_shares shares;         /* what each client has of a turn, and who waits for the next */
	char *read_buffer;               /* SL_READ_BUFFER bytes, for whoever reads right now */
	/* A link is freed: counts its socket out. May be NULL. */
	void (*on_released)(struct sl_shard *shard, const struct sl_link *link);
	bool draining;
	_Atomic bool has_drained;        /* it has nothing left to end: what others post to it is still run (worker.h) */
};

#define SL_READ_BUFFER 65536

/* `index` of `count`. Errors: SL_ENOMEM, SL_EIO; on failure nothing needs finishing. */
int sl_shard_init(struct sl_shard *shard, unsigned index, unsigned count, struct sl_bus *bus,
	const struct sl_config *config);

/* Another configuration counts from now on; borrows it. */
void sl_shard_set_config(struct sl_shard *shard, const struct sl_config *config);

/* Closes what is still open without a word, and frees it. */
void sl_shard_close_links(struct sl_shard *shard);
void sl_shard_finish(struct sl_shard *shard);

/* End-of-turn work: those that waited for a turn are served (live/share.h), what the mailbox holds goes into
 * outboxes, outboxes to the kernel (at most 256 links before events are asked for again, and as many of those
 * that earlier turns left; of what sends much for 1.5 ms each), the fullest end
 * where all together hold more than they may, those for which the kernel holds most where it holds too much,
 * some of those whose principal has expired or is revoked, and a few TLS handshakes make a step. True when
 * there is more to do. */
bool sl_shard_work(struct sl_shard *shard);

static inline bool
sl_shard_has_work(const struct sl_shard *shard)
{
	return !STAILQ_EMPTY(&shard->work) || !STAILQ_EMPTY(&shard->late) ||
		!TAILQ_EMPTY(&shard->sessions.work);
}

/* Ends every link, each in its way, and sessions, some at a time; the bus takes no more publishes. */
void sl_shard_drain(struct sl_shard *shard);

#endif
