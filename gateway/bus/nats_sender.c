#include "bus/nats_publisher_state.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "bus/nats_envelope.h"
#include "bus/nats_inbox.h"
#include "bus/nats_waste.h"
#include "util/clock.h"
#include "util/err.h"

#define BATCH_MAX 32 /* handed over between two looks at the queue */

/* ---- waking the thread ---- */

void
sl_nats_sender_wake(struct sl_nats_publisher *publisher)
{
	if (atomic_exchange(&publisher->is_asleep, false))
		eventfd_write(publisher->event_fd, 1);
}

/* Whoever adds something after `is_asleep` is set sees it; what was added before is seen here. */
static void
rest(struct sl_nats_publisher *publisher)
{
	atomic_store(&publisher->is_asleep, true);
	pthread_mutex_lock(&publisher->lock);
	uint64_t due_ms = sl_nats_pending_get_due(&publisher->pending);
	pthread_mutex_unlock(&publisher->lock);
	uint64_t now_ms = sl_clock_monotonic_ms();
	int wait_ms = -1;
	if (due_ms != UINT64_MAX)
		wait_ms = due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
	if (!atomic_load(&publisher->queue) && !atomic_load(&publisher->is_stopping) && wait_ms != 0)
		poll(&(struct pollfd){ .fd = publisher->event_fd, .events = POLLIN }, 1, wait_ms);
	if (!atomic_exchange(&publisher->is_asleep, false)) {
		eventfd_t count;
		eventfd_read(publisher->event_fd, &count);
	}
}

/* ---- the thread ---- */

struct batch {
	struct sl_nats_job *jobs[BATCH_MAX];
	int errs[BATCH_MAX];
	unsigned count;
	natsConnection *connection;  /* borrows both, as long as is_inside is set */
	struct sl_nats_inbox *inbox;
	struct sl_nats_waste waste;
};

/* Returns 0, SL_EAGAIN where the connection does not take it now, SL_ETOOBIG where it never will. */
static int
hand_over(struct batch *batch, const char *bus_name, const struct sl_nats_job *job)
{
	char reply[SL_NATS_REPLY_MAX];
	natsMsg *envelope;
	sl_nats_inbox_write_subject(batch->inbox, job->entry.number, reply);
	if (sl_nats_envelope_create(&envelope, bus_name, job->message, job->id, reply) != 0)
		return SL_EAGAIN;
	natsStatus status = natsConnection_PublishMsg(batch->connection, envelope);
	sl_nats_waste_add(&batch->waste, envelope);
	if (status == NATS_MAX_PAYLOAD)
		return SL_ETOOBIG;
	return status == NATS_OK ? 0 : SL_EAGAIN;
}

static void
take_batch(struct sl_nats_publisher *publisher, struct batch *batch)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	struct sl_nats_entry *entry;
	batch->count = 0;
	pthread_mutex_lock(&publisher->lock);
	struct sl_cursor head = sl_bus_head(publisher->config.bus);
	sl_nats_pending_run(&publisher->pending, now_ms);
	while (batch->count < BATCH_MAX && publisher->connection &&
			(entry = sl_nats_pending_take(&publisher->pending, now_ms, head)))
		batch->jobs[batch->count++] = (struct sl_nats_job *)entry;
	publisher->is_inside = batch->count > 0;
	batch->connection = publisher->connection;
	batch->inbox = publisher->inbox;
	pthread_mutex_unlock(&publisher->lock);
}

/* What comes behind one that was not taken is not tried: it would come before it. */
static void
send_batch(struct sl_nats_publisher *publisher, struct batch *batch)
{
	bool is_open = true;
	for (unsigned i = 0; i < batch->count; i++) {
		batch->errs[i] = is_open ? hand_over(batch, publisher->bus_name, batch->jobs[i]) : SL_EAGAIN;
		is_open = batch->errs[i] != SL_EAGAIN;
	}
}

static void
put_back(struct sl_nats_publisher *publisher, struct sl_nats_job *job, int err, uint64_t now_ms)
{
	pthread_mutex_lock(&publisher->lock);
	bool is_mine = sl_nats_pending_put(&publisher->pending, &job->entry, err != SL_EAGAIN, now_ms);
	if (!is_mine && err == SL_ETOOBIG) {
		sl_nats_publisher_finish(publisher, job, err, (struct sl_cursor){ 0 }, false);
		return;
	}
	pthread_mutex_unlock(&publisher->lock);
	if (is_mine)
		sl_nats_publisher_free_job(job);
}

static void
come_out(struct sl_nats_publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	publisher->is_inside = false;
	pthread_cond_broadcast(&publisher->came_out);
	pthread_mutex_unlock(&publisher->lock);
}

/* Shards put the newest first. */
void
sl_nats_sender_take_queue(struct sl_nats_publisher *publisher)
{
	struct sl_nats_job *next, *oldest = NULL;
	struct sl_nats_job *newest = atomic_exchange(&publisher->queue, NULL);
	for (; newest; newest = next) {
		next = newest->next;
		newest->next = oldest;
		oldest = newest;
	}
	for (struct sl_nats_job *job = oldest; job; job = next) {
		next = job->next;
		job->entry.number = ++publisher->last_number;
		if (!job->key)
			job->entry.id_len = sl_nats_ids_next(&publisher->ids, job->id);
		pthread_mutex_lock(&publisher->lock);
		int err = sl_nats_pending_add(&publisher->pending, &job->entry);
		if (err != 0)
			sl_nats_publisher_fail(publisher, job, true, err);
		else
			pthread_mutex_unlock(&publisher->lock);
	}
}

/* The oldest whose time is over ends. False: there is none. */
static bool
expire_one(struct sl_nats_publisher *publisher, uint64_t now_ms)
{
	pthread_mutex_lock(&publisher->lock);
	struct sl_nats_entry *entry = sl_nats_pending_get_expired(&publisher->pending, now_ms);
	if (!entry) {
		pthread_mutex_unlock(&publisher->lock);
		return false;
	}
	int err = sl_nats_pending_is_unclear(entry) ? SL_EUNKNOWN : SL_EFULL;
	sl_nats_publisher_drop(publisher, (struct sl_nats_job *)entry, err);
	return true;
}

void *
sl_nats_sender_run(void *arg)
{
	struct sl_nats_publisher *publisher = arg;
	struct batch batch = { .count = 0 };
	while (!atomic_load(&publisher->is_stopping)) {
		sl_nats_sender_take_queue(publisher);
		uint64_t now_ms = sl_clock_monotonic_ms();
		while (expire_one(publisher, now_ms)) {}
		take_batch(publisher, &batch);
		if (batch.count == 0) {
			rest(publisher);
			continue;
		}
		send_batch(publisher, &batch);
		come_out(publisher);
		now_ms = sl_clock_monotonic_ms();
		for (unsigned i = 0; i < batch.count; i++)
			put_back(publisher, batch.jobs[i], batch.errs[i], now_ms);
	}
	sl_nats_waste_empty(&batch.waste);
	nats_ReleaseThreadMemory();
	return NULL;
}
