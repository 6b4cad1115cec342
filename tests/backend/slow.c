#include "tests/backend/slow.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "util/clock.h"
#include "util/err.h"

#define LATE_FACTOR 20
#define IDLE_US 60000000 /* without jobs the thread looks round once a minute */

/* One publish on its way: first to its delivery, then to its ack. Or a command, or a notice: what `text`
 * has is done at once, and then answered. */
struct job {
	struct job *next;
	uint64_t due_us;
	char *text;                     /* owns; NULL of a publish */
	size_t name_len, text_len;      /* of a notice: its name, and what stands behind it; 0: a command */
	int64_t kept_s;
	struct sl_message *message;     /* owns; NULL once delivered or failed */
	struct sl_dedupe_entry *entry;  /* NULL without a key */
	struct sl_publish *pending;     /* NULL when answered in the call */
	uint64_t ack_us;                /* from delivery to ack */
	uint64_t holes;
	bool is_unknown;                /* nobody is told what becomes of it */
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
	struct job *orders, **orders_end; /* owns; commands and notices, in the order of asking */
	bool is_away;           /* publishes wait until it is back */
	uint64_t unknown_left, unknown_done; /* publishes that end so; every second of them is stored */
	_Atomic uint64_t ahead; /* how far the log may be before this node */
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

static void
add_order(struct slow *slow, struct job *job)
{
	pthread_mutex_lock(&slow->lock);
	job->next = NULL;
	*slow->orders_end = job;
	slow->orders_end = &job->next;
	pthread_cond_signal(&slow->changed);
	pthread_mutex_unlock(&slow->lock);
}

static struct job *
pop_order(struct slow *slow)
{
	struct job *job = slow->orders;
	slow->orders = job->next;
	if (!slow->orders)
		slow->orders_end = &slow->orders;
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
	if (job->entry) { /* as a log does, it knows what is stored, whoever has been told */
		sl_dedupe_lock(slow->base.dedupe);
		waiting = sl_dedupe_finish(slow->base.dedupe, job->entry, job->err, job->id,
			sl_clock_monotonic_ms());
		sl_dedupe_unlock(slow->base.dedupe);
	}
	if (!job->err && job->is_unknown)
		job->err = SL_EUNKNOWN;
	if (job->pending) {
		job->pending->receivers = job->receivers;
		sl_bus_complete(bus, job->pending, job->err, job->id);
	}
	while (waiting) {
		struct sl_publish *next = waiting->next;
		sl_bus_complete(bus, waiting, job->err, job->id);
		waiting = next;
	}
	free(job->text);
	free(job);
}

/* ---- commands ---- */

static void
lose(struct slow *slow, uint64_t count)
{
	struct sl_bus *bus = slow->base.bus;
	sl_bus_lock(bus);
	sl_bus_lose(bus, sl_bus_head(bus).seq + count);
	sl_bus_unlock(bus, -1);
}

/* The log is gone, and what was on its way to it; its keys too. */
static void
reset(struct slow *slow)
{
	struct sl_bus *bus = slow->base.bus;
	uint32_t epoch = sl_bus_head(bus).epoch + 1;
	pthread_mutex_lock(&slow->lock);
	struct job *jobs = slow->first;
	slow->first = NULL;
	pthread_mutex_unlock(&slow->lock);
	sl_bus_reset(bus, epoch ? epoch : 1);
	while (jobs) {
		struct job *next = jobs->next;
		sl_message_unref(jobs->message);
		jobs->err = SL_EUNKNOWN;
		answer(slow, jobs);
		jobs = next;
	}
	/* All are too old at the end of time; each sweep forgets some thousand. */
	for (size_t keys = 0; keys <= slow->config.keys_max; keys += 1000)
		sl_dedupe_sweep(slow->base.dedupe, UINT64_MAX);
}

static void
set_away(struct slow *slow, bool is_away)
{
	pthread_mutex_lock(&slow->lock);
	slow->is_away = is_away;
	pthread_mutex_unlock(&slow->lock);
	sl_bus_set_away(slow->base.bus, is_away);
}

static void
set_unknown(struct slow *slow, uint64_t count)
{
	pthread_mutex_lock(&slow->lock);
	slow->unknown_left = count;
	slow->unknown_done = 0;
	pthread_mutex_unlock(&slow->lock);
}

/* Returns an error where there is no such command. */
static int
obey(struct slow *slow, const char *text)
{
	char word[16];
	uint64_t number = 0;
	if (sscanf(text, "%15s %" SCNu64, word, &number) < 1)
		return SL_EINVAL;
	if (strcmp(word, "lose") == 0)
		lose(slow, number);
	else if (strcmp(word, "reset") == 0)
		reset(slow);
	else if (strcmp(word, "purge") == 0)
		sl_bus_purge(slow->base.bus, number);
	else if (strcmp(word, "away") == 0 || strcmp(word, "back") == 0)
		set_away(slow, word[0] == 'a');
	else if (strcmp(word, "unknown") == 0)
		set_unknown(slow, number);
	else if (strcmp(word, "ahead") == 0)
		slow->ahead = number;
	else
		return SL_EINVAL;
	return 0;
}

static void
take_order(struct slow *slow, struct job *job)
{
	if (job->name_len) {
		const struct sl_notice notice = { .name = { job->text, job->name_len },
			.text = { job->text + job->name_len, job->text_len }, .kept_s = job->kept_s };
		sl_bus_hear(slow->base.bus, &notice);
	} else {
		job->err = obey(slow, job->text);
		job->id = sl_bus_head(slow->base.bus);
	}
	answer(slow, job);
}

/* ---- its thread ---- */

/* Waits for the next job that is due; NULL when stopping. Returns with the lock released. */
static struct job *
next_due(struct slow *slow)
{
	struct job *job = NULL;
	pthread_mutex_lock(&slow->lock);
	while (!slow->is_stopping) {
		bool has_job = slow->first && !slow->is_away;
		uint64_t due_us = has_job ? slow->first->due_us : now_us() + IDLE_US;
		if (slow->orders) {
			job = pop_order(slow);
			break;
		}
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
		if (job->text || !job->message) {
			if (job->text)
				take_order(slow, job);
			else
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
	while (slow->first || slow->orders) {
		struct job *job = slow->first ? pop_job(slow) : pop_order(slow);
		if (job->message || job->text)
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
	if (slow->unknown_left) {
		job->is_unknown = true;
		job->err = slow->unknown_done++ % 2 ? 0 : SL_EUNKNOWN;
		slow->unknown_left--;
	} else if (draw_percent(slow, config->immediate_percent) && !slow->is_away) {
		return 0;
	}
	job->pending = pending;
	job->due_us = now_us() + draw(slow, config->store_max_us);
	insert_job(slow, job);
	pthread_cond_signal(&slow->changed);
	return SL_PENDING;
}

static struct job *
create_order(struct sl_span name, struct sl_span text, struct sl_publish *pending)
{
	struct job *job = calloc(1, sizeof *job);
	if (!job || !(job->text = calloc(1, name.len + text.len + 1))) {
		free(job);
		return NULL;
	}
	memcpy(job->text, name.bytes, name.len);
	memcpy(job->text + name.len, text.bytes, text.len);
	job->name_len = name.len;
	job->text_len = text.len;
	job->pending = pending;
	return job;
}

static int
announce(struct sl_backend *backend, const struct sl_notice *notice, struct sl_publish *pending)
{
	struct job *job = create_order(notice->name, notice->text, pending);
	if (!job)
		return SL_ENOMEM;
	job->kept_s = notice->kept_s;
	add_order((struct slow *)backend, job);
	return SL_PENDING;
}

static int
command(struct slow *slow, struct sl_message *message, struct sl_publish *pending)
{
	struct job *job = create_order((struct sl_span){ "", 0 },
		(struct sl_span){ message->payload, message->payload_len }, pending);
	sl_message_unref(message);
	if (!job)
		return SL_ENOMEM;
	add_order(slow, job);
	return SL_PENDING;
}

static int
publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	struct slow *slow = (struct slow *)backend;
	if (strcmp(message->channel, SL_SLOW_CONTROL) == 0)
		return command(slow, message, pending);
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

static uint64_t
last_seq(struct sl_backend *backend)
{
	return sl_bus_head(backend->bus).seq + ((struct slow *)backend)->ahead;
}

static const struct sl_backend_ops slow_ops = {
	.name = "slow",
	.answers_later = true,
	.start = start,
	.destroy = destroy,
	.publish = publish,
	.last_seq = last_seq,
	.announce = announce,
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
	slow->orders_end = &slow->orders;
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
