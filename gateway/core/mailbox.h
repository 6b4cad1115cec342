/* Mailbox: what other threads have for a shard.
 * Owner: the shard. Thread: pop, run and drain only the shard's; push only under the bus's
 * lock (one producer at a time); post and wake any. Errors: SL_EIO, SL_ENOMEM from init.
 *
 * Two ways in, one eventfd: a bounded ring of messages, and an unbounded chain of tasks
 * whose memory is their poster's (so posting cannot fail). */
#ifndef SL_CORE_MAILBOX_H
#define SL_CORE_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct sl_message;

/* A call that is to be made on a shard's thread. Embed it; it must live until it ran. */
struct sl_task {
	struct sl_task *next;
	void (*run)(struct sl_task *task);
};

struct sl_mailbox {
	int event_fd;                /* readable when there is something to do */
	struct sl_message **ring;    /* owns a reference to each message in it */
	size_t capacity;             /* a power of two */
	char apart_0[64];            /* keeps head and tail on cache lines of their own */
	_Atomic size_t head;         /* next to pop; counts up for ever */
	char apart_1[64];
	_Atomic size_t tail;         /* next to push */
	char apart_2[64];
	pthread_mutex_t task_lock;
	struct sl_task *first, *last;
	_Atomic bool has_tasks;
};

/* `capacity` messages, rounded up to a power of two. Errors: SL_EIO, SL_ENOMEM; nothing needs
 * finishing then, and `event_fd` is -1. */
int sl_mailbox_init(struct sl_mailbox *mailbox, size_t capacity);

/* The ring is empty (sl_bus_detach sees to it); tasks not run are forgotten. */
void sl_mailbox_finish(struct sl_mailbox *mailbox);

/* Moves the caller's reference of `message` into the ring. `*was_empty` tells whether the
 * consumer may be asleep and must be woken once the lock is released. Errors: SL_EFULL, the
 * reference stays the caller's. */
int sl_mailbox_push(struct sl_mailbox *mailbox, struct sl_message *message, bool *was_empty);

/* Moves up to `max` messages, oldest first, with their references, into `out`; returns how
 * many. 0 means the ring was empty at a moment after the call began. Pop until 0 before
 * sleeping: a push into a ring that is not empty wakes nobody. */
size_t sl_mailbox_pop(struct sl_mailbox *mailbox, struct sl_message **out, size_t max);

/* True when there is nothing to pop; exact while the producer is kept from pushing. */
bool sl_mailbox_is_empty(const struct sl_mailbox *mailbox);

/* Any thread: has `task` run by the mailbox's shard, in order of posting; wakes it. */
void sl_mailbox_post(struct sl_mailbox *mailbox, struct sl_task *task);

/* Any thread: makes event_fd readable. */
void sl_mailbox_wake(struct sl_mailbox *mailbox);

/* Makes event_fd unreadable again; before popping. */
void sl_mailbox_rest(struct sl_mailbox *mailbox);

/* True when a task waits to be run. */
static inline bool
sl_mailbox_has_tasks(const struct sl_mailbox *mailbox)
{
	return atomic_load_explicit(&mailbox->has_tasks, memory_order_acquire);
}

/* Runs every task posted before the call; a task may free itself and post others. */
void sl_mailbox_run_tasks(struct sl_mailbox *mailbox);

#endif
