#include "bus/memory.h"

#include <stdlib.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "config/config.h"
#include "util/clock.h"
#include "util/err.h"

static int
start(struct sl_backend *backend)
{
	return sl_bus_draw_epoch(backend->bus);
}

static void
destroy(struct sl_backend *backend)
{
	sl_dedupe_destroy(backend->dedupe);
	free(backend);
}

/* The keys' lock is held until the message has its number, so that a key is never seen in
 * flight and nobody has to wait. */
static int
append_once(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	struct sl_dedupe *dedupe = backend->dedupe;
	uint64_t now_ms = sl_clock_monotonic_ms();
	struct sl_dedupe_entry *entry;
	sl_dedupe_lock(dedupe);
	int err = sl_dedupe_begin(dedupe, (struct sl_span){ key, key_len }, now_ms, pending, &entry,
		id);
	if (!err && entry) {
		*id = sl_bus_append(backend->bus, message, 0, (int)pending->shard);
		sl_dedupe_finish(dedupe, entry, 0, *id, now_ms);
	}
	sl_dedupe_unlock(dedupe);
	return err;
}

static int
publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	int err = 0;
	if (key)
		err = append_once(backend, message, key, key_len, pending, id);
	else
		*id = sl_bus_append(backend->bus, message, 0, (int)pending->shard);
	pending->receivers = message->receivers; /* 0 where its key was known */
	sl_message_unref(message);
	return err;
}

static const struct sl_backend_ops memory_ops = {
	.name = "memory",
	.start = start,
	.destroy = destroy,
	.publish = publish,
};

int
sl_memory_create(struct sl_backend **out, const struct sl_config *config)
{
	struct sl_backend *backend = calloc(1, sizeof *backend);
	if (!backend)
		return SL_ENOMEM;
	int err = sl_dedupe_create(&backend->dedupe, config->idempotency_keys);
	if (err) {
		free(backend);
		return err;
	}
	backend->ops = &memory_ops;
	*out = backend;
	return 0;
}
