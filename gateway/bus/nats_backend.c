#include "bus/nats_backend.h"

#include <stdlib.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/nats_login.h"
#include "bus/nats_notices.h"
#include "bus/nats_publisher.h"
#include "bus/nats_stream.h"
#include "bus/nats_tail.h"
#include "bus/nats_worker.h"
#include "config/config.h"
#include "util/err.h"
#include "util/log.h"

#define ERROR_SIZE 512

struct nats {
	struct sl_backend base; /* first */
	const struct sl_config *config; /* borrows */
	char stream[SL_NATS_STREAM_NAME_MAX];
	struct sl_nats_publisher *publisher; /* owns, as what follows; NULL until start */
	struct sl_nats_notices *notices;
	struct sl_nats_tail *tail;
	struct sl_nats_worker *worker;
};

static void
handle_own(void *arg, const char *msg_id, struct sl_cursor id, uint32_t receivers)
{
	sl_nats_publisher_saw(arg, msg_id, id, receivers);
}

/* No answer comes before there is a tail: it has the first connection. */
static bool
is_same_log(void *arg)
{
	return sl_nats_tail_is_same_log(((const struct nats *)arg)->tail);
}

static int
create_publisher(struct nats *nats)
{
	const struct sl_nats_publisher_config config = {
		.bus = nats->base.bus,
		.bus_name = nats->config->nats_bus,
		.pending_max = nats->config->pending_publishes,
		.bytes_max = nats->config->pending_bytes,
		.keys_max = nats->config->idempotency_keys,
		.timeout_ms = nats->config->publish_timeout_ms,
		.is_same_log = is_same_log,
		.arg = nats,
	};
	int err = sl_nats_publisher_create(&nats->publisher, &config);
	if (err == 0)
		nats->base.dedupe = sl_nats_publisher_get_dedupe(nats->publisher);
	return err;
}

static int
create_tail(struct nats *nats)
{
	const struct sl_nats_tail_config config = {
		.bus = nats->base.bus,
		.bus_name = nats->config->nats_bus,
		.stream = nats->stream,
		.json_depth_max = (unsigned)nats->config->max_json_depth,
		.message_max = nats->config->max_message_bytes,
		.on_own = handle_own,
		.arg = nats->publisher,
	};
	return sl_nats_tail_create(&nats->tail, &config);
}

static int
create_worker(struct nats *nats)
{
	const struct sl_nats_parts parts = {
		.config = nats->config,
		.bus = nats->base.bus,
		.publisher = nats->publisher,
		.notices = nats->notices,
		.tail = nats->tail,
	};
	return sl_nats_worker_create(&nats->worker, &parts);
}

/* ---- the backend's slots ---- */

static int
start(struct sl_backend *backend)
{
	struct nats *nats = (struct nats *)backend;
	int err = create_publisher(nats);
	if (err == 0)
		err = sl_nats_notices_create(&nats->notices, backend->bus, nats->config);
	if (err == 0)
		err = create_tail(nats);
	if (err == 0)
		err = create_worker(nats);
	if (err == 0)
		err = sl_nats_worker_wait(nats->worker, nats->config->nats_connect_timeout_ms);
	return err;
}

static void
destroy(struct sl_backend *backend)
{
	struct nats *nats = (struct nats *)backend;
	sl_nats_worker_destroy(nats->worker);
	sl_nats_publisher_destroy(nats->publisher);
	sl_nats_notices_destroy(nats->notices);
	sl_nats_tail_destroy(nats->tail);
	free(nats);
}

static int
publish(struct sl_backend *backend, struct sl_message *message, const char *key, size_t key_len,
	struct sl_publish *pending, struct sl_cursor *id)
{
	return sl_nats_publisher_add(((struct nats *)backend)->publisher, message, key, key_len,
		pending, id);
}

static bool
is_ready(struct sl_backend *backend)
{
	return sl_nats_worker_is_ready(((struct nats *)backend)->worker);
}

static uint64_t
get_last_seq(struct sl_backend *backend)
{
	uint64_t head = sl_bus_head(backend->bus).seq;
	uint64_t bound = sl_nats_worker_get_bound(((struct nats *)backend)->worker);
	return bound > head ? bound : head;
}

static void
get_stats(struct sl_backend *backend, struct sl_backend_stats *out)
{
	struct nats *nats = (struct nats *)backend;
	struct sl_nats_tail_stats tail;
	sl_nats_publisher_get_stats(nats->publisher, out);
	sl_nats_tail_get_stats(nats->tail, &tail);
	out->resyncs = tail.resyncs;
	out->lag = tail.lag_now;
	out->foreign = tail.foreign;
	out->reconnects = sl_nats_worker_get_reconnects(nats->worker);
	out->connected = sl_nats_worker_is_ready(nats->worker);
}

static int
announce(struct sl_backend *backend, const struct sl_notice *notice, struct sl_publish *pending)
{
	return sl_nats_notices_announce(((struct nats *)backend)->notices, notice, pending);
}

static const struct sl_backend_ops nats_ops = {
	.name = "nats",
	.answers_later = true,
	.start = start,
	.destroy = destroy,
	.publish = publish,
	.is_ready = is_ready,
	.last_seq = get_last_seq,
	.get_stats = get_stats,
	.announce = announce,
};

int
sl_nats_backend_check(const struct sl_config *config, char *error, size_t error_size)
{
	return sl_nats_login_check(config, error, error_size);
}

int
sl_nats_backend_create(struct sl_backend **out, const struct sl_config *config)
{
	char error[ERROR_SIZE];
	struct nats *nats = calloc(1, sizeof *nats);
	int err = nats ? sl_nats_login_check(config, error, sizeof error) : SL_ENOMEM;
	if (err != 0) {
		if (err == SL_EINVAL)
			sl_log(SL_LOG_ERROR, "backend.refused", "reason=\"%s\"", error);
		free(nats);
		return err;
	}
	nats->base.ops = &nats_ops;
	nats->config = config;
	sl_nats_stream_name(nats->stream, config->nats_bus);
	*out = &nats->base;
	return 0;
}
