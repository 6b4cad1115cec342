#include "bus/nats_worker.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/backend.h"
#include "bus/nats_client.h"
#include "bus/nats_loop.h"
#include "bus/nats_notices.h"
#include "bus/nats_tail.h"
#include "config/config.h"
#include "config/server_url.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/log.h"

#define TICK_MS 50
#define RETRY_MS 100          /* from one try to connect to the next, and up to as much again */
#define REFUSED_RETRY_MS 2000 /* where all servers refuse */
#define REFUSED_ROUNDS 2      /* after so many of them it is no accident */
#define GIVE_UP_MS 300        /* for the look-up of a name, when the gateway ends */

enum stage {
	STARTING,
	RUNNING,
	FAILED,
};

struct sl_nats_worker {
	struct sl_nats_stay stay; /* the worker's thread alone, as what follows up to the lock */
	struct sl_nats_loop *loop;
	size_t server;            /* the next one to connect to */
	size_t refused;           /* tries, one after the other */
	uint64_t next_try_ms;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_stopping, is_connecting, is_done, is_abandoned; /* covered by the lock */
	enum stage stage;             /* the same; its own thread alone writes it */
	char error[SL_NATS_ERROR_SIZE]; /* the same: why there is no log yet */

	atomic_bool is_ready;
	_Atomic uint64_t connects;
};

static bool
is_stopping(struct sl_nats_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	bool stopping = worker->is_stopping;
	pthread_mutex_unlock(&worker->lock);
	return stopping;
}

static void
set_stage(struct sl_nats_worker *worker, enum stage stage)
{
	pthread_mutex_lock(&worker->lock);
	worker->stage = stage;
	pthread_cond_broadcast(&worker->changed);
	pthread_mutex_unlock(&worker->lock);
}

/* ---- connecting ---- */

static uint64_t
draw_wait_ms(void)
{
	uint8_t random = 0;
	sl_crypto_random(&random, sizeof random);
	return RETRY_MS + (uint64_t)random * RETRY_MS / 256;
}

/* The lock is held. */
static void
show_error(struct sl_nats_worker *worker)
{
	memcpy(worker->error, worker->stay.error, sizeof worker->error);
}

/* While it connects nothing is used that is borrowed: the worker may be given up. */
static int
connect_client(struct sl_nats_worker *worker, struct sl_nats_client *client)
{
	char error[SL_NATS_ERROR_SIZE];
	pthread_mutex_lock(&worker->lock);
	worker->is_connecting = true;
	pthread_mutex_unlock(&worker->lock);
	int err = sl_nats_client_connect(client, error, sizeof error);
	pthread_mutex_lock(&worker->lock);
	worker->is_connecting = false;
	bool stopping = worker->is_stopping;
	pthread_mutex_unlock(&worker->lock);
	if (err != 0)
		memcpy(worker->stay.error, error, sizeof error);
	return stopping ? SL_EDRAINING : err;
}

/* Returns SL_EDRAINING when the worker is to end, and was given up maybe. */
static int
create_client(struct sl_nats_worker *worker, struct sl_nats_client **out)
{
	int err = sl_nats_client_create(out, worker->loop, worker->stay.parts.config, worker->server,
		worker->stay.error, sizeof worker->stay.error);
	if (err != 0)
		return err;
	err = connect_client(worker, *out);
	if (err != 0)
		sl_nats_client_destroy(*out);
	return err;
}

static void
refuse(struct sl_nats_worker *worker)
{
	sl_log(SL_LOG_ERROR, "backend.refused", "reason=\"%s\"", worker->stay.error);
	set_stage(worker, FAILED);
}

/* At the start it is the end when all servers in turn refuse, and do it again. */
static void
note_failure(struct sl_nats_worker *worker, int err)
{
	size_t count = worker->stay.parts.config->nats.count;
	sl_log_limited(SL_LOG_INFO, "backend.unreachable", "reason=\"%s\"", worker->stay.error);
	worker->refused = err == SL_EINVAL ? worker->refused + 1 : 0;
	if (worker->refused >= REFUSED_ROUNDS * count && !worker->stay.has_begun)
		refuse(worker);
	else if (worker->refused >= count)
		worker->next_try_ms += REFUSED_RETRY_MS;
}

static void
connect_next(struct sl_nats_worker *worker)
{
	struct sl_nats_client *client = NULL;
	int err = create_client(worker, &client);
	if (err == SL_EDRAINING)
		return;
	worker->server = (worker->server + 1) % worker->stay.parts.config->nats.count;
	worker->next_try_ms = sl_clock_monotonic_ms() + draw_wait_ms();
	if (err != 0) {
		note_failure(worker, err);
		return;
	}
	worker->refused = 0;
	atomic_fetch_add(&worker->connects, 1);
	sl_log(SL_LOG_INFO, "backend.connected", "url=%s", client->shown);
	err = sl_nats_stay_begin(&worker->stay, client);
	if (err == SL_EINVAL)
		refuse(worker);
	else if (err != 0)
		sl_log_limited(SL_LOG_WARNING, "backend.unusable", "reason=\"%s\"", worker->stay.error);
}

/* ---- the thread ---- */

static void
announce(struct sl_nats_worker *worker, bool is_away)
{
	if (is_away)
		sl_log(SL_LOG_WARNING, "backend.away", "reason=\"%s\"", worker->stay.client ?
			"the log has no leader, or sends nothing" : worker->stay.error);
	else
		sl_log(SL_LOG_INFO, "backend.back", " ");
	sl_bus_set_away(worker->stay.parts.bus, is_away);
}

static void
tell_readiness(struct sl_nats_worker *worker)
{
	bool is_ready = sl_nats_stay_is_fit(&worker->stay, sl_clock_monotonic_ms());
	bool was_ready = atomic_exchange(&worker->is_ready, is_ready);
	if (is_ready)
		sl_nats_stay_settle(&worker->stay);
	if (is_ready && worker->stage == STARTING)
		set_stage(worker, RUNNING);
	else if (is_ready != was_ready && worker->stage == RUNNING)
		announce(worker, !is_ready);
}

/* The lock is held. */
static void
wait_a_tick(struct sl_nats_worker *worker)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TICK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
}

static void
sleep_a_tick(struct sl_nats_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	show_error(worker);
	if (!worker->is_stopping)
		wait_a_tick(worker);
	pthread_mutex_unlock(&worker->lock);
}

static void
free_worker(struct sl_nats_worker *worker)
{
	sl_nats_loop_destroy(worker->loop);
	pthread_cond_destroy(&worker->changed);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

/* Whoever waits to have a notice announced is answered in time all the same. */
static void
stay_away(struct sl_nats_worker *worker)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	sl_nats_notices_run(worker->stay.parts.notices, now_ms);
	if (now_ms >= worker->next_try_ms)
		connect_next(worker);
}

static void *
run(void *arg)
{
	struct sl_nats_worker *worker = arg;
	while (!is_stopping(worker) && worker->stage != FAILED) {
		if (worker->stay.client)
			sl_nats_stay_run(&worker->stay, sl_clock_monotonic_ms());
		else
			stay_away(worker);
		if (is_stopping(worker))
			break;
		tell_readiness(worker);
		sleep_a_tick(worker);
	}
	sl_nats_stay_end(&worker->stay);
	pthread_mutex_lock(&worker->lock);
	worker->is_done = true;
	pthread_cond_broadcast(&worker->changed);
	bool is_abandoned = worker->is_abandoned;
	pthread_mutex_unlock(&worker->lock);
	if (is_abandoned)
		free_worker(worker);
	return NULL;
}

static void
read_tail(void *arg)
{
	sl_nats_tail_read(arg);
}

int
sl_nats_worker_create(struct sl_nats_worker **out, const struct sl_nats_parts *parts)
{
	char shown[SL_NATS_SHOWN_SIZE];
	pthread_condattr_t attributes;
	struct sl_nats_worker *worker = calloc(1, sizeof *worker);
	if (!worker)
		return SL_ENOMEM;
	sl_nats_stay_init(&worker->stay, parts);
	sl_server_url_show(parts->config->nats.texts[0], shown, sizeof shown);
	snprintf(worker->stay.error, sizeof worker->stay.error, "%s: no answer yet", shown);
	show_error(worker);
	pthread_mutex_init(&worker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	int err = sl_nats_loop_create(&worker->loop);
	if (err == 0)
		sl_nats_loop_listen(worker->loop, read_tail, parts->tail);
	if (err == 0 && pthread_create(&worker->thread, NULL, run, worker) != 0)
		err = SL_EIO;
	if (err != 0)
		free_worker(worker);
	else
		*out = worker;
	return err;
}

/* ---- other threads ---- */

/* They are blocked in every thread (signals.h), and taken by whoever waits for them later. */
static bool
is_asked_to_end(void)
{
	sigset_t pending;
	return sigpending(&pending) == 0 &&
		(sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

int
sl_nats_worker_wait(struct sl_nats_worker *worker, uint64_t timeout_ms)
{
	uint64_t until_ms = sl_clock_monotonic_ms() + timeout_ms;
	char error[SL_NATS_ERROR_SIZE] = "";
	int err = 0;
	pthread_mutex_lock(&worker->lock);
	while (worker->stage == STARTING && err == 0) {
		wait_a_tick(worker);
		if (worker->stage == STARTING && is_asked_to_end())
			err = SL_EDRAINING;
		else if (worker->stage == STARTING && sl_clock_monotonic_ms() >= until_ms)
			err = SL_EAGAIN;
	}
	memcpy(error, worker->error, sizeof error);
	bool has_failed = worker->stage == FAILED;
	pthread_mutex_unlock(&worker->lock);
	if (err == SL_EAGAIN)
		sl_log(SL_LOG_ERROR, "backend.timeout", "waited_s=%" PRIu64 " reason=\"%s\" expected=\"--nats with the "
			"addresses of NATS servers with JetStream, or a longer --nats-connect-timeout\"", timeout_ms / 1000,
			error[0] ? error : "the gateway did not read the log in time");
	return has_failed || err == SL_EAGAIN ? SL_EIO : err;
}

/* The look-up of a name cannot be ended: a worker that is in it ends by itself later, and frees what is its
 * own. */
void
sl_nats_worker_destroy(struct sl_nats_worker *worker)
{
	if (!worker)
		return;
	uint64_t until_ms = sl_clock_monotonic_ms() + GIVE_UP_MS;
	pthread_mutex_lock(&worker->lock);
	worker->is_stopping = true;
	pthread_cond_broadcast(&worker->changed);
	while (!worker->is_done && (!worker->is_connecting || sl_clock_monotonic_ms() < until_ms)) {
		sl_nats_loop_cut(worker->loop, NULL);
		if (worker->is_connecting)
			sl_nats_client_interrupt(worker->thread);
		wait_a_tick(worker);
	}
	bool is_done = worker->is_done;
	pthread_t thread = worker->thread;
	worker->is_abandoned = !is_done;
	if (!is_done)
		sl_nats_loop_ignore(worker->loop);
	pthread_mutex_unlock(&worker->lock);
	if (!is_done) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	free_worker(worker);
}

bool
sl_nats_worker_is_ready(const struct sl_nats_worker *worker)
{
	return atomic_load(&worker->is_ready) &&
		sl_nats_tail_is_live(worker->stay.parts.tail, sl_clock_monotonic_ms());
}

uint64_t
sl_nats_worker_get_bound(const struct sl_nats_worker *worker)
{
	return sl_nats_stay_get_bound(&worker->stay, sl_clock_monotonic_ms());
}

uint64_t
sl_nats_worker_get_reconnects(const struct sl_nats_worker *worker)
{
	uint64_t connects = atomic_load(&worker->connects);
	return connects > 0 ? connects - 1 : 0;
}
