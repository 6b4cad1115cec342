/* Shard: one thread's world: its loop, its mailbox, its links and subscribers.
 * Owner: a worker (worker.h), which runs its turns. Thread: its own only, except for `mailbox` and the atomics
 * of `metrics`. Errors: as each call says. */
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
	struct sl_front *front;          /* borrows; accepts sockets here; live/ only passes it on */
	struct sl_lender *lender;        /* borrows; the lender of channels (live/lease.h); or NULL */
	struct sl_principals *principals; /* owns; the principals of its requests */
	struct sl_owners *owners;        /* borrows; the owners that limits count (core/owners.h); NULL: no limits */
	struct sl_loop loop;
	struct sl_mailbox mailbox;
	struct sl_watch mailbox_watch;
	struct sl_fanout fanout;
	struct sl_framer framer;
	struct sl_metrics metrics;
	struct sl_tls_shard *tls;        /* owns; the shared part of its TLS sockets */
	struct sl_link *links;           /* all open links, newest first */
	struct sl_pace *paces;           /* by owner: the lines of waiting streams (live/pace.h) */
	struct sl_work_list work;        /* links to flush in this turn */
	struct sl_work_list late;        /* links that an earlier turn left */
	struct sl_kernel_memory kernel_memory;
	struct sl_outage outage;         /* of the bus's backend */
	struct sl_session_table sessions;
	struct sl_shares shares;         /* the steps of each client in a turn, and the line for the next turn */
	char *read_buffer;               /* SL_READ_BUFFER bytes, for the code that reads at the moment */
	/* A link is freed: counts its socket out. May be NULL. */
	void (*on_released)(struct sl_shard *shard, const struct sl_link *link);
	bool draining;
	_Atomic bool has_drained;        /* nothing is left to end; tasks that others post still run (worker.h) */
};

#define SL_READ_BUFFER 65536

/* Makes shard `index` of `count`. Errors: SL_ENOMEM, SL_EIO; after an error nothing needs finishing. */
int sl_shard_init(struct sl_shard *shard, unsigned index, unsigned count, struct sl_bus *bus,
	const struct sl_config *config);

/* Uses another configuration from now on; borrows it. */
void sl_shard_set_config(struct sl_shard *shard, const struct sl_config *config);

/* Closes all open links and sessions without a bye, and frees them. */
void sl_shard_close_links(struct sl_shard *shard);
void sl_shard_finish(struct sl_shard *shard);

/* End-of-turn work. True if there is more to do. In this order:
 *
 *   - serves the clients that waited for a turn (live/share.h);
 *   - moves the mailbox's messages into outboxes;
 *   - ends some subscribers whose principal has expired or was revoked;
 *   - flushes outboxes: at most 256 links, and as many late ones of earlier turns. Links with much to
 *     send have 1.5 ms in each of the two groups;
 *   - ends the fullest outboxes, if all together hold more than they may;
 *   - ends the links for which the kernel holds most, if it holds too much;
 *   - takes a few steps of TLS handshakes. */
bool sl_shard_work(struct sl_shard *shard);

static inline bool
sl_shard_has_work(const struct sl_shard *shard)
{
	return !STAILQ_EMPTY(&shard->work) || !STAILQ_EMPTY(&shard->late) ||
		!TAILQ_EMPTY(&shard->sessions.work);
}

/* Ends every link in its own manner, and sessions, some at a time. The bus takes no more publishes. */
void sl_shard_drain(struct sl_shard *shard);

#endif
