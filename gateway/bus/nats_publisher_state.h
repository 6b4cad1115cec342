/* Publisher's state: shared by nats_publisher.c and the thread in nats_sender.c.
 * Owner: the publisher. Thread: each field says. Errors: none. */
#ifndef SL_BUS_NATS_PUBLISHER_STATE_H
#define SL_BUS_NATS_PUBLISHER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/nats_names.h"
#include "bus/nats_pending.h"
#include "bus/nats_publisher.h"

struct sl_dedupe_entry;
struct sl_nats_inbox;

/* One publish: in the queue, in the table, or in the sender's batch. */
struct sl_nats_job {
	struct sl_nats_entry entry; /* first */
	struct sl_nats_job *next;           /* while in the queue */
	struct sl_message *message; /* owns */
	struct sl_publish *publish;
	struct sl_dedupe_entry *key; /* NULL without one */
	char id[SL_NATS_ID_MAX];    /* of a publish without a key; set once it is in the table */
};

struct sl_nats_publisher {
	struct sl_nats_publisher_config config;
	char bus_name[SL_NATS_BUS_MAX + 1];
	char stream[sizeof "sluice-" + SL_NATS_BUS_MAX];
	struct sl_dedupe *dedupe; /* owns */
	int event_fd;
	pthread_t thread;
	bool has_thread;

	/* Shards write these without a lock. */
	_Atomic(struct sl_nats_job *) queue; /* the newest first */
	_Atomic size_t count, bytes; /* of all publishes without an answer */
	_Atomic bool is_asleep, is_stopping;
	_Atomic uint64_t pending_full;

	/* Never held in a call of libnats, and never taken by a shard. */
	pthread_mutex_t lock;
	pthread_cond_t came_out;
	struct sl_nats_ids ids;     /* the thread's */
	uint64_t last_number;       /* the thread's */
	struct sl_nats_pending pending;
	natsConnection *connection; /* borrows */
	struct sl_nats_inbox *inbox; /* owns; set with the connection */
	bool is_inside;             /* the thread may be in a call of libnats */
};

/* ---- nats_publisher.c ---- */

/* Takes a publish out of the table and ends it: finish with the log's final answer, drop without one. The lock
 * is held, and is released. */
void sl_nats_publisher_finish(struct sl_nats_publisher *publisher, struct sl_nats_job *job, int err,
	struct sl_cursor id, bool is_key_kept);
void sl_nats_publisher_drop(struct sl_nats_publisher *publisher, struct sl_nats_job *job, int err);

/* Fails a publish that is in no table; `is_free`: no other code uses it. The lock is held, and is released. */
void sl_nats_publisher_fail(struct sl_nats_publisher *publisher, struct sl_nats_job *job, bool is_free,
	int err);

void sl_nats_publisher_free_job(struct sl_nats_job *job);

/* ---- nats_sender.c ---- */

/* The thread's function. It runs until is_stopping is set and it is woken. `arg` is the publisher. */
void *sl_nats_sender_run(void *arg);

/* Any thread: wakes the sender for new work. Costs a system call only if it sleeps. */
void sl_nats_sender_wake(struct sl_nats_publisher *publisher);

/* Moves the shards' queue into the table. */
void sl_nats_sender_take_queue(struct sl_nats_publisher *publisher);

#endif
