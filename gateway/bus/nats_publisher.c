#include "bus/nats_publisher_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "bus/nats_ack.h"
#include "bus/nats_inbox.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define FLIGHT_MAX 2048 /* handed to libnats, and not answered: its buffer has no bound of its own */
#define FLIGHT_BYTES_MAX ((size_t)4 << 20)
#define WHY_MAX 120     /* bytes of a server's sentence in our log */

/* ---- how a publish ends ---- */

static const struct sl_cursor no_id = { 0 };

void
sl_nats_publisher_free_job(struct sl_nats_job *job)
{
	sl_message_unref(job->message);
	free(job);
}

static void
let_go(struct sl_nats_publisher *publisher, size_t count, size_t bytes)
{
	atomic_fetch_sub(&publisher->count, count);
	atomic_fetch_sub(&publisher->bytes, bytes);
}

/* What of a job is to be answered, once it is out of the table. */
struct ending {
	struct sl_publish *publish;
	struct sl_dedupe_entry *key;
	size_t bytes;
	int err;
	bool is_key_kept; /* so that a repeat is answered here */
};

/* With the lock held; `is_free`: the job is out of the thread's hands too, and goes. */
static struct ending
end_job(struct sl_nats_job *job, bool is_free, int err)
{
	struct ending ending = { job->publish, job->key, job->entry.bytes, err, err == 0 };
	if (is_free)
		sl_nats_publisher_free_job(job);
	return ending;
}

/* The lock is not held: the bus takes locks of its own. */
static void
answer(struct sl_nats_publisher *publisher, const struct ending *ending, struct sl_cursor id)
{
	struct sl_bus *bus = publisher->config.bus;
	struct sl_publish *next, *waiting = NULL;
	size_t count = 1;
	if (ending->key) {
		sl_dedupe_lock(publisher->dedupe);
		/* What has failed is forgotten. */
		waiting = sl_dedupe_finish(publisher->dedupe, ending->key, ending->is_key_kept ? 0 : SL_EAGAIN,
			id, sl_clock_monotonic_ms());
		sl_dedupe_unlock(publisher->dedupe);
	}
	sl_bus_complete(bus, ending->publish, ending->err, id);
	for (; waiting; waiting = next, count++) {
		next = waiting->next;
		sl_bus_complete(bus, waiting, ending->err, id);
	}
	let_go(publisher, count, ending->bytes);
}

void
sl_nats_publisher_finish(struct sl_nats_publisher *publisher, struct sl_nats_job *job, int err,
	struct sl_cursor id, bool is_key_kept)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	bool is_free = sl_nats_pending_finish(&publisher->pending, &job->entry, now_ms);
	struct ending ending = end_job(job, is_free, err);
	ending.is_key_kept = is_key_kept;
	bool has_work = sl_nats_pending_get_due(&publisher->pending) <= now_ms;
	pthread_mutex_unlock(&publisher->lock);
	if (has_work)
		sl_nats_sender_wake(publisher);
	answer(publisher, &ending, id);
}

void
sl_nats_publisher_fail(struct sl_nats_publisher *publisher, struct sl_nats_job *job, bool is_free,
	int err)
{
	struct ending ending = end_job(job, is_free, err);
	pthread_mutex_unlock(&publisher->lock);
	answer(publisher, &ending, no_id);
}

void
sl_nats_publisher_drop(struct sl_nats_publisher *publisher, struct sl_nats_job *job, int err)
{
	bool is_free = sl_nats_pending_drop(&publisher->pending, &job->entry);
	sl_nats_publisher_fail(publisher, job, is_free, err);
}

/* ---- from the log's threads: what has become of a publish ---- */

/* Only a key may have been stored before it was first sent. But a retry is a duplicate as well: after a roll-back
 * its number may be one that had another message, until the tail has noticed. */
static bool
may_be_old(const struct sl_nats_publisher *publisher, const struct sl_nats_job *job,
	const struct sl_nats_ack *ack)
{
	const struct sl_nats_publisher_config *config = &publisher->config;
	if (!job->key || !ack->is_duplicate)
		return false;
	return !config->is_same_log || config->is_same_log(config->arg);
}

/* With the lock held: could the message have this number in the log as the bus knows it? Not if the log had
 * given as much before the message was first sent, or if it was sent to the log before: then the stream was deleted
 * and made again, or rolled back, and its number may be one that clients know as another message's. */
static bool
is_believable(const struct sl_nats_publisher *publisher, const struct sl_nats_job *job,
	const struct sl_nats_ack *ack, struct sl_cursor *id)
{
	const struct sl_cursor *floor = &job->entry.floor;
	*id = (struct sl_cursor){ sl_bus_head(publisher->config.bus).epoch, ack->seq };
	return floor->epoch == id->epoch &&
		(ack->seq > floor->seq || may_be_old(publisher, job, ack));
}

static void
log_ack(const struct sl_nats_ack *ack)
{
	static const char *const kinds[] = { "strange", "stored", "begun", "again", "refused" };
	int len = ack->why.len < WHY_MAX ? (int)ack->why.len : WHY_MAX;
	sl_log_limited(SL_LOG_WARNING, "backend.publish", "answer=%s code=%u reason=\"%.*s\"",
		kinds[ack->kind], ack->code, len, ack->why.bytes ? ack->why.bytes : "");
}

static void
handle_reply(void *arg, uint64_t number, const char *status, struct sl_span body)
{
	struct sl_nats_publisher *publisher = arg;
	struct sl_nats_ack ack;
	struct sl_cursor id;
	sl_nats_ack_read(&ack, status, body, publisher->stream);
	if (ack.kind != SL_NATS_ACK_STORED && !status)
		log_ack(&ack);
	pthread_mutex_lock(&publisher->lock);
	struct sl_nats_job *job = (struct sl_nats_job *)sl_nats_pending_find(&publisher->pending, number);
	if (job && ack.kind == SL_NATS_ACK_STORED && is_believable(publisher, job, &ack, &id)) {
		/* Another node may have had a key long ago: the servers remember it for as long as it counts. */
		if (job->key && ack.is_duplicate)
			job->publish->receivers = 0;
		sl_nats_publisher_finish(publisher, job, 0, id, !ack.is_duplicate);
		return;
	}
	if (job && ack.kind == SL_NATS_ACK_REFUSED) {
		sl_nats_publisher_finish(publisher, job, ack.err, no_id, false);
		return;
	}
	bool waits_for_tail = job && ack.kind == SL_NATS_ACK_STORED && ack.is_duplicate && job->key;
	if (waits_for_tail || (job && ack.kind == SL_NATS_ACK_BEGUN))
		sl_nats_pending_hear(&publisher->pending, sl_clock_monotonic_ms());
	if (job && ack.kind == SL_NATS_ACK_AGAIN)
		sl_nats_pending_postpone(&publisher->pending, &job->entry, ack.is_certain,
			sl_clock_monotonic_ms());
	pthread_mutex_unlock(&publisher->lock);
	if (ack.kind == SL_NATS_ACK_AGAIN || ack.kind == SL_NATS_ACK_BEGUN || waits_for_tail)
		sl_nats_sender_wake(publisher);
}

void
sl_nats_publisher_saw(struct sl_nats_publisher *publisher, const char *msg_id,
	struct sl_cursor id, uint32_t receivers)
{
	pthread_mutex_lock(&publisher->lock);
	struct sl_nats_job *job = (struct sl_nats_job *)sl_nats_pending_find_id(&publisher->pending, msg_id,
		strlen(msg_id));
	if (!job) {
		pthread_mutex_unlock(&publisher->lock);
		return;
	}
	job->publish->receivers = receivers;
	sl_nats_publisher_finish(publisher, job, 0, id, true);
}

/* ---- the shards ---- */

/* Room for one more; false, and none is taken, beyond a limit. */
static bool
reserve(struct sl_nats_publisher *publisher, size_t bytes)
{
	size_t count = atomic_fetch_add(&publisher->count, 1);
	size_t held = atomic_fetch_add(&publisher->bytes, bytes);
	if (count < publisher->config.pending_max && held + bytes <= publisher->config.bytes_max)
		return true;
	let_go(publisher, 1, bytes);
	atomic_fetch_add(&publisher->pending_full, 1);
	return false;
}

static void
push(struct sl_nats_publisher *publisher, struct sl_nats_job *job)
{
	job->next = atomic_load(&publisher->queue);
	while (!atomic_compare_exchange_weak(&publisher->queue, &job->next, job)) {}
	sl_nats_sender_wake(publisher);
}

/* Returns 0 where the job is to be sent, or an outcome of publish; `*is_known`: of 0, `*id` is the answer. */
static int
begin_key(struct sl_nats_publisher *publisher, struct sl_nats_job *job, struct sl_span key,
	struct sl_cursor *id, bool *is_known)
{
	sl_dedupe_lock(publisher->dedupe);
	int err = sl_dedupe_begin(publisher->dedupe, key, job->entry.since_ms, job->publish, &job->key,
		id);
	sl_dedupe_unlock(publisher->dedupe);
	*is_known = err == 0 && !job->key;
	job->entry.id_len = sl_nats_id_of_key(job->id, key);
	return err;
}

/* What the message needs of the publisher until it is answered. Errors: SL_EFULL, SL_ENOMEM. */
static int
create_job(struct sl_nats_publisher *publisher, struct sl_message *message,
	struct sl_publish *pending, struct sl_nats_job **out)
{
	size_t bytes = sl_message_bytes(message);
	if (!reserve(publisher, bytes))
		return SL_EFULL;
	struct sl_nats_job *job = calloc(1, sizeof *job);
	if (!job) {
		let_go(publisher, 1, bytes);
		return SL_ENOMEM;
	}
	job->entry.bytes = bytes;
	job->entry.since_ms = sl_clock_monotonic_ms();
	job->entry.id = job->id;
	job->message = message;
	job->publish = pending;
	*out = job;
	return 0;
}

int
sl_nats_publisher_add(struct sl_nats_publisher *publisher, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	bool is_known = false;
	struct sl_nats_job *job;
	int err = create_job(publisher, message, pending, &job);
	if (err != 0) {
		sl_message_unref(message);
		return err;
	}
	if (key)
		err = begin_key(publisher, job, (struct sl_span){ key, key_len }, id, &is_known);
	if (err == 0 && !is_known) {
		pending->receivers = pending->foreseen; /* unless the tail counts them first */
		push(publisher, job);
		return SL_PENDING;
	}
	/* Whoever waits for a key in flight keeps its place in the count, and nothing in the bytes. */
	let_go(publisher, err == SL_PENDING ? 0 : 1, job->entry.bytes);
	sl_nats_publisher_free_job(job);
	return err;
}

/* ---- the worker ---- */

/* With the lock held. What the thread is handing over may take as long as a call of libnats does. */
static struct sl_nats_inbox *
let_go_of_connection(struct sl_nats_publisher *publisher)
{
	struct sl_nats_inbox *inbox = publisher->inbox;
	publisher->connection = NULL;
	while (publisher->is_inside)
		pthread_cond_wait(&publisher->came_out, &publisher->lock);
	publisher->inbox = NULL;
	sl_nats_pending_disconnect(&publisher->pending, sl_clock_monotonic_ms());
	return inbox;
}

int
sl_nats_publisher_use(struct sl_nats_publisher *publisher, natsConnection *connection)
{
	struct sl_nats_inbox *inbox = NULL;
	pthread_mutex_lock(&publisher->lock);
	struct sl_nats_inbox *before = let_go_of_connection(publisher);
	pthread_mutex_unlock(&publisher->lock);
	sl_nats_inbox_destroy(before);
	if (!connection)
		return 0;
	int err = sl_nats_inbox_create(&inbox, connection, handle_reply, publisher);
	if (err != 0)
		return err;
	pthread_mutex_lock(&publisher->lock);
	publisher->connection = connection;
	publisher->inbox = inbox;
	sl_nats_pending_connect(&publisher->pending, sl_clock_monotonic_ms());
	pthread_mutex_unlock(&publisher->lock);
	sl_nats_sender_wake(publisher);
	return 0;
}

/* The next one that may be stored in the log before ends. False: there is none. */
static bool
end_unclear(struct sl_nats_publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	for (struct sl_nats_entry *entry = TAILQ_FIRST(&publisher->pending.entries); entry;
			entry = TAILQ_NEXT(entry, link)) {
		if (!sl_nats_pending_is_unclear(entry))
			continue;
		sl_nats_publisher_drop(publisher, (struct sl_nats_job *)entry, SL_EUNKNOWN);
		return true;
	}
	pthread_mutex_unlock(&publisher->lock);
	return false;
}

void
sl_nats_publisher_reset(struct sl_nats_publisher *publisher)
{
	while (end_unclear(publisher)) {}
	sl_dedupe_forget_done(publisher->dedupe);
	sl_nats_sender_wake(publisher);
}

uint64_t
sl_nats_publisher_get_silence_ms(struct sl_nats_publisher *publisher)
{
	pthread_mutex_lock(&publisher->lock);
	uint64_t silence_ms = sl_nats_pending_get_silence_ms(&publisher->pending,
		sl_clock_monotonic_ms());
	pthread_mutex_unlock(&publisher->lock);
	return silence_ms;
}

void
sl_nats_publisher_get_stats(struct sl_nats_publisher *publisher, struct sl_backend_stats *out)
{
	pthread_mutex_lock(&publisher->lock);
	out->retries = publisher->pending.retries;
	pthread_mutex_unlock(&publisher->lock);
	out->pending_full = atomic_load(&publisher->pending_full);
}

struct sl_dedupe *
sl_nats_publisher_get_dedupe(struct sl_nats_publisher *publisher)
{
	return publisher->dedupe;
}

/* ---- its life ---- */

static int
start(struct sl_nats_publisher *publisher)
{
	int err = sl_dedupe_create(&publisher->dedupe, publisher->config.keys_max);
	if (err == 0)
		err = sl_nats_ids_init(&publisher->ids);
	if (err != 0)
		return err;
	publisher->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (publisher->event_fd < 0 || pthread_create(&publisher->thread, NULL, sl_nats_sender_run,
			publisher) != 0)
		return SL_EIO;
	publisher->has_thread = true;
	return 0;
}

int
sl_nats_publisher_create(struct sl_nats_publisher **out,
	const struct sl_nats_publisher_config *config)
{
	const struct sl_nats_pending_config pending = {
		.timeout_ms = config->timeout_ms,
		.flight_max = FLIGHT_MAX,
		.flight_bytes_max = FLIGHT_BYTES_MAX,
	};
	struct sl_nats_publisher *publisher = calloc(1, sizeof *publisher);
	if (!publisher)
		return SL_ENOMEM;
	publisher->config = *config;
	publisher->event_fd = -1;
	snprintf(publisher->bus_name, sizeof publisher->bus_name, "%s", config->bus_name);
	snprintf(publisher->stream, sizeof publisher->stream, "sluice-%s", publisher->bus_name);
	pthread_mutex_init(&publisher->lock, NULL);
	pthread_cond_init(&publisher->came_out, NULL);
	sl_nats_pending_init(&publisher->pending, &pending);
	int err = start(publisher);
	if (err != 0)
		sl_nats_publisher_destroy(publisher);
	else
		*out = publisher;
	return err;
}

static void
end_all(struct sl_nats_publisher *publisher)
{
	struct sl_nats_entry *entry;
	sl_nats_sender_take_queue(publisher);
	while ((entry = TAILQ_FIRST(&publisher->pending.entries))) {
		pthread_mutex_lock(&publisher->lock);
		sl_nats_publisher_drop(publisher, (struct sl_nats_job *)entry, SL_EDRAINING);
	}
}

void
sl_nats_publisher_destroy(struct sl_nats_publisher *publisher)
{
	if (!publisher)
		return;
	atomic_store(&publisher->is_stopping, true);
	if (publisher->has_thread) {
		eventfd_write(publisher->event_fd, 1);
		pthread_join(publisher->thread, NULL);
	}
	sl_nats_publisher_use(publisher, NULL);
	end_all(publisher);
	sl_dedupe_destroy(publisher->dedupe);
	if (publisher->event_fd >= 0)
		close(publisher->event_fd);
	pthread_cond_destroy(&publisher->came_out);
	pthread_mutex_destroy(&publisher->lock);
	free(publisher);
}
