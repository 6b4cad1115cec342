#include "tests/backend/slow.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "util/clock.h"
#include "util/err.h"

#define LATE_FACTOR 20
#define IDLE_US 60000000 /* without jobs the thread looks round once a minute */

/* One publish on its way: first to its delivery, then to its ack. */
struct job {
	struct job *next;
	uint64_t due_us;
	struct sl_message *message;     /* owns; NULL once delivered or failed */
	struct sl_dedupe_entry *entry;  /* NULL without a key */
	struct sl_publish *pending;     /* NULL when answered in the call */
	uint64_t ack_us;                /* from delivery to ack */
	uint64_t holes;
	int err;
	struct sl_cursor id;
	uint32_t receivers;
};

struct slow {
	struct sl_backend base; /* first */
	struct sl_slow_config config;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;   /* covers what follows; never held with the bus's */
	pthread_cond_t changed;
	bool is_stopping;
	uint64_t random;
	struct job *first;      /* owns; in the order in which they are due */
};

static uint64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A number from 0 to `max` (splitmix64). */
static uint64_t
draw(struct slow *slow, uint64_t max)
{
	uint64_t z = slow->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % (max + 1);
}

static bool
draw_percent(struct slow *slow, unsigned percent)
{
	return draw(slow, 99) < percent;
}

static void
insert_job(struct slow *slow, struct job *job)
{
	struct job **at = &slow->first;
	while (*at && (*at)->due_us <= job->due_us)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
}

static struct job *
pop_job(struct slow *slow)
{
	struct job *job = slow->first;
	slow->first = job->next;
	return job;
}

/* ---- what becomes of a job; no lock held ---- */

static void
deliver(struct slow *slow, struct job *job, int shard)
{
	if (!job->err)
		job->id = sl_bus_append(slow->base.bus, job->message, job->holes, shard);
	job->receivers = job->message->receivers;
	sl_message_unref(job->message);
	job->message = NULL;
}

/* Answers the job and those who wait for its key, and frees it. */
static void
answer(struct slow *slow, struct job *job)
{
	struct sl_bus *bus = slow->base.bus;
	struct sl_publish *waiting = NULL;
	if (job->entry) {
		sl_dedupe_lock(slow->base.dedupe);
		waiting = sl_dedupe_finish(slow->base.dedupe, job->entry, job->err, job->id,
			sl_clock_monotonic_ms());
		sl_dedupe_unlock(slow->base.dedupe);
	}
	if (job->pending) {
		job->pending->receivers = job->receivers;
		sl_bus_complete(bus, job->pending, job->err, job->id);
	}
	while (waiting) {
		struct sl_publish *next = waiting->next;
		sl_bus_complete(bus, waiting, job->err, job->id);
		waiting = next;
	}
	free(job);
}

/* Waits for the next job that is due; NULL when stopping. Returns with the lock released. */
static struct job *
next_due(struct slow *slow)
{
	struct job *job = NULL;
	pthread_mutex_lock(&slow->lock);
	while (!slow->is_stopping) {
		uint64_t due_us = slow->first ? slow->first->due_us : now_us() + IDLE_US;
		if (due_us <= now_us()) {
			job = pop_job(slow);
			break;
		}
		struct timespec due = { .tv_sec = (time_t)(due_us / 1000000),
			.tv_nsec = (long)(due_us % 1000000) * 1000 };
		pthread_cond_timedwait(&slow->changed, &slow->lock, &due);
	}
	pthread_mutex_unlock(&slow->lock);
	return job;
}

static void *
run(void *arg)
{
	struct slow *slow = arg;
	struct job *job;
	while ((job = next_due(slow))) {
		if (!job->message) {
			answer(slow, job);
			continue;
		}
		deliver(slow, job, -1);
		job->due_us = now_us() + job->ack_us;
		pthread_mutex_lock(&slow->lock);
		insert_job(slow, job);
		pthread_mutex_unlock(&slow->lock);
	}
	return NULL;
}

/* ---- the backend's slots ---- */

static int
start(struct sl_backend *backend)
{
	struct slow *slow = (struct slow *)backend;
	int err = sl_bus_draw_epoch(backend->bus);
	if (err)
		return err;
	if (pthread_create(&slow->thread, NULL, run, slow) != 0)
		return SL_EIO;
	slow->has_thread = true;
	return 0;
}

static void
destroy(struct sl_backend *backend)
{
	struct slow *slow = (struct slow *)backend;
	pthread_mutex_lock(&slow->lock);
	slow->is_stopping = true;
	pthread_cond_signal(&slow->changed);
	pthread_mutex_unlock(&slow->lock);
	if (slow->has_thread)
		pthread_join(slow->thread, NULL);
	while (slow->first) {
		struct job *job = pop_job(slow);
		if (job->message)
			job->err = SL_EDRAINING;
		sl_message_unref(job->message);
		answer(slow, job);
	}
	sl_dedupe_destroy(backend->dedupe);
	pthread_cond_destroy(&slow->changed);
	pthread_mutex_destroy(&slow->lock);
	free(slow);
}

/* Draws the job's fate and, unless it is to be answered in the call, queues it. Under the
 * lock. Returns 0 for a job to be answered now, SL_PENDING, or an error. */
static int
admit(struct slow *slow, struct job *job, const char *key, size_t key_len,
	struct sl_publish *pending)
{
	const struct sl_slow_config *config = &slow->config;
	if (key) {
		sl_dedupe_lock(slow->base.dedupe);
		int err = sl_dedupe_begin(slow->base.dedupe, (struct sl_span){ key, key_len },
			sl_clock_monotonic_ms(), pending, &job->entry, &job->id);
		sl_dedupe_unlock(slow->base.dedupe);
		if (err || !job->entry)
			return err;
	}
	job->err = draw_percent(slow, config->fail_percent) ? SL_EBACKEND : 0;
	job->holes = draw(slow, config->hole_max);
	job->ack_us = draw(slow, config->ack_max_us);
	if (draw_percent(slow, config->late_percent))
		job->ack_us *= LATE_FACTOR;
	if (draw_percent(slow, config->immediate_percent))
		return 0;
	job->pending = pending;
	job->due_us = now_us() + draw(slow, config->store_max_us);
	insert_job(slow, job);
	pthread_cond_signal(&slow->changed);
	return SL_PENDING;
}

static int
publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	struct slow *slow = (struct slow *)backend;
	int shard = (int)pending->shard;
	struct job *job = calloc(1, sizeof *job);
	if (!job) {
		sl_message_unref(message);
		return SL_ENOMEM;
	}
	job->message = message;
	pthread_mutex_lock(&slow->lock);
	int result = admit(slow, job, key, key_len, pending);
	bool is_repeat = key && !job->entry;
	pthread_mutex_unlock(&slow->lock);
	if (result == SL_PENDING && !is_repeat)
		return SL_PENDING;
	if (result || is_repeat) {
		*id = job->id;
		sl_message_unref(message);
		free(job);
		return result;
	}
	deliver(slow, job, shard);
	result = job->err;
	*id = job->id;
	pending->receivers = job->receivers;
	answer(slow, job);
	return result;
}

static const struct sl_backend_ops slow_ops = {
	.name = "slow",
	.answers_later = true,
	.start = start,
	.destroy = destroy,
	.publish = publish,
};

int
sl_slow_create(struct sl_backend **out, const struct sl_slow_config *config)
{
	struct slow *slow = calloc(1, sizeof *slow);
	if (!slow)
		return SL_ENOMEM;
	slow->base.ops = &slow_ops;
	slow->config = *config;
	slow->random = config->seed;
	int err = sl_dedupe_create(&slow->base.dedupe, config->keys_max);
	if (err) {
		free(slow);
		return err;
	}
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&slow->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&slow->lock, NULL);
	*out = &slow->base;
	return 0;
}
