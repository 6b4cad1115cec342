#include "bus/nats_client.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/nats_loop.h"
#include "bus/nats_login.h"
#include "config/config.h"
#include "config/server_url.h"
#include "util/err.h"
#include "util/log.h"

#define NAME "sluice " SLUICE_VERSION
#define IN_TIME_MS (SL_NATS_CONNECT_MS + 500)
#define AGAIN_MS 100
#define INTERRUPT SIGUSR2

struct client {
	struct sl_nats_client base; /* first */
	struct sl_nats_loop *loop;
	natsOptions *options;       /* owns */
	atomic_bool is_ending;      /* closed, or the server says that it is about to stop */
	pthread_mutex_t lock;
	pthread_cond_t closed_now;
	bool is_closed;             /* covered by the lock */
};

/* ---- what the library calls, on a thread of its own ---- */

static void
handle_closed(natsConnection *connection, void *arg)
{
	struct client *client = arg;
	atomic_store(&client->is_ending, true);
	pthread_mutex_lock(&client->lock);
	client->is_closed = true;
	pthread_cond_signal(&client->closed_now);
	pthread_mutex_unlock(&client->lock);
}

static void
handle_lame_duck(natsConnection *connection, void *arg)
{
	struct client *client = arg;
	atomic_store(&client->is_ending, true);
}

/* Such as a subject that this user may not use. */
static void
handle_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
	void *arg)
{
	const char *text = NULL;
	if (natsConnection_GetLastError(connection, &text) == NATS_OK)
		text = NULL;
	sl_log_limited(SL_LOG_WARNING, "backend.error", "error=\"%s\" said=\"%.200s\"",
		natsStatus_GetText(status), text ? text : "");
}

/* ---- connecting ---- */

static void
handle_interrupt(int number)
{
}

static void
expect_interrupts(void)
{
	struct sigaction action = { .sa_handler = handle_interrupt };
	sigaction(INTERRUPT, &action, NULL);
}

/* The library waits for the server's part of a TLS handshake without a limit. A signal to this thread ends that
 * wait, and comes until it does. Returns false where there is no timer; the limit is missing then. */
static bool
start_interrupts(timer_t *timer)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = INTERRUPT };
	const struct itimerspec times = {
		.it_value = { IN_TIME_MS / 1000, IN_TIME_MS % 1000 * 1000000 },
		.it_interval = { 0, AGAIN_MS * 1000000 },
	};
	event._sigev_un._tid = gettid();
	expect_interrupts();
	if (timer_create(CLOCK_MONOTONIC, &event, timer) != 0)
		return false;
	timer_settime(*timer, 0, &times, NULL);
	return true;
}

static natsStatus
connect_in_time(natsConnection **out, natsOptions *options)
{
	timer_t timer;
	bool has_timer = start_interrupts(&timer);
	natsStatus status = natsConnection_Connect(out, options);
	if (has_timer)
		timer_delete(timer);
	return status;
}

/* Each of these is another server's yes or no; the rest may be better later. */
static bool
is_refusal(natsStatus status)
{
	return status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED ||
		status == NATS_SSL_ERROR || status == NATS_SECURE_CONNECTION_WANTED ||
		status == NATS_SECURE_CONNECTION_REQUIRED || status == NATS_INVALID_ARG;
}

static int
fail(char *error, size_t size, const char *shown, natsStatus status)
{
	natsStatus last = NATS_OK;
	const char *text = nats_GetLastError(&last), *name = natsStatus_GetText(status);
	bool says_more = text && *text && strcmp(text, name) != 0;
	snprintf(error, size, "%s: %s%s%.300s", shown, name, says_more ? ": " : "", says_more ? text : "");
	if (status == NATS_NO_MEMORY)
		return SL_ENOMEM;
	return is_refusal(status) ? SL_EINVAL : SL_EIO;
}

/* What does not depend on who logs in. */
static natsStatus
set_common(natsOptions *options, struct client *client)
{
	natsStatus status = natsOptions_SetName(options, NAME);
	if (status == NATS_OK)
		status = natsOptions_SetTimeout(options, SL_NATS_CONNECT_MS);
	if (status == NATS_OK)
		status = natsOptions_SetAllowReconnect(options, false);
	if (status == NATS_OK)
		status = natsOptions_SetIgnoreDiscoveredServers(options, true);
	if (status == NATS_OK)
		status = natsOptions_SetPingInterval(options, 0);
	if (status == NATS_OK)
		status = natsOptions_SetSendAsap(options, true);
	if (status == NATS_OK)
		status = natsOptions_SetErrorHandler(options, handle_error, NULL);
	if (status == NATS_OK)
		status = natsOptions_SetLameDuckModeCB(options, handle_lame_duck, client);
	if (status == NATS_OK)
		status = natsOptions_SetClosedCB(options, handle_closed, client);
	return status;
}

int
sl_nats_client_create(struct sl_nats_client **out, struct sl_nats_loop *loop,
	const struct sl_config *config, size_t index, char *error, size_t error_size)
{
	struct client *client = calloc(1, sizeof *client);
	if (!client)
		return SL_ENOMEM;
	client->loop = loop;
	pthread_mutex_init(&client->lock, NULL);
	pthread_cond_init(&client->closed_now, NULL);
	sl_server_url_show(config->nats.texts[index], client->base.shown, sizeof client->base.shown);
	int err = sl_nats_login_create(&client->options, config, index, error, error_size);
	if (err == 0 && (set_common(client->options, client) != NATS_OK ||
			sl_nats_loop_serve(loop, client->options) != 0))
		err = SL_ENOMEM;
	if (err != 0)
		sl_nats_client_destroy(&client->base);
	else
		*out = &client->base;
	return err;
}

int
sl_nats_client_connect(struct sl_nats_client *base, char *error, size_t error_size)
{
	natsStatus status = connect_in_time(&base->connection, ((struct client *)base)->options);
	if (status == NATS_OK)
		status = natsConnection_JetStream(&base->js, base->connection, NULL);
	return status == NATS_OK ? 0 : fail(error, error_size, base->shown, status);
}

void
sl_nats_client_destroy(struct sl_nats_client *base)
{
	struct client *client = (struct client *)base;
	if (!base)
		return;
	if (base->connection) {
		sl_nats_client_cut(base);
		pthread_mutex_lock(&client->lock);
		while (!client->is_closed)
			pthread_cond_wait(&client->closed_now, &client->lock);
		pthread_mutex_unlock(&client->lock);
	}
	jsCtx_Destroy(base->js);
	natsConnection_Destroy(base->connection);
	natsOptions_Destroy(client->options);
	pthread_cond_destroy(&client->closed_now);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

bool
sl_nats_client_is_open(const struct sl_nats_client *base)
{
	return base->connection && !atomic_load(&((const struct client *)base)->is_ending);
}

void
sl_nats_client_cut(struct sl_nats_client *base)
{
	sl_nats_loop_cut(((struct client *)base)->loop, base->connection);
}

void
sl_nats_client_interrupt(pthread_t thread)
{
	expect_interrupts();
	pthread_kill(thread, INTERRUPT);
}
