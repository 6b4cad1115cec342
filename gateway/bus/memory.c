#include "bus/memory.h"

#include <pthread.h>
#include <stdlib.h>

#include "bus/backend.h"
#include "bus/dedupe.h"
#include "bus/message.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"

struct memory {
	struct sl_backend base; /* first */
	uint32_t epoch;
	uint64_t last_seq;      /* under the bus's lock */
	pthread_mutex_t key_lock; /* taken before the bus's */
	struct sl_dedupe *dedupe; /* owns; under key_lock */
};

static int
start(struct sl_backend *backend)
{
	struct memory *memory = (struct memory *)backend;
	while (memory->epoch == 0) {
		int err = sl_crypto_random(&memory->epoch, sizeof memory->epoch);
		if (err)
			return err;
	}
	sl_bus_set_epoch(backend->bus, memory->epoch);
	return 0;
}

static void
destroy(struct sl_backend *backend)
{
	struct memory *memory = (struct memory *)backend;
	sl_dedupe_destroy(memory->dedupe);
	pthread_mutex_destroy(&memory->key_lock);
	free(memory);
}

static struct sl_cursor
append(struct memory *memory, struct sl_message *message, unsigned shard)
{
	struct sl_bus *bus = memory->base.bus;
	sl_bus_lock(bus);
	struct sl_cursor id = { .epoch = memory->epoch, .seq = ++memory->last_seq };
	sl_message_stamp(message, id, sl_clock_wall_us());
	sl_bus_deliver(bus, message);
	sl_bus_unlock(bus, (int)shard);
	return id;
}

/* The key's lock is held until the message has its number, so that a key is never seen in
 * flight and nobody has to wait. */
static int
append_once(struct memory *memory, struct sl_message *message, const char *key,
	size_t key_len, unsigned shard, struct sl_cursor *id)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	struct sl_dedupe_entry *entry;
	pthread_mutex_lock(&memory->key_lock);
	int err = sl_dedupe_begin(memory->dedupe, message, key, key_len, now_ms, NULL, &entry, id);
	if (!err && entry) {
		*id = append(memory, message, shard);
		sl_dedupe_finish(memory->dedupe, entry, 0, *id, now_ms);
	}
	pthread_mutex_unlock(&memory->key_lock);
	return err;
}

static int
publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	struct memory *memory = (struct memory *)backend;
	int err = 0;
	if (key)
		err = append_once(memory, message, key, key_len, pending->shard, id);
	else
		*id = append(memory, message, pending->shard);
	sl_message_unref(message);
	return err;
}

static void
sweep(struct sl_backend *backend)
{
	struct memory *memory = (struct memory *)backend;
	pthread_mutex_lock(&memory->key_lock);
	sl_dedupe_sweep(memory->dedupe, sl_clock_monotonic_ms());
	pthread_mutex_unlock(&memory->key_lock);
}

static void
set_keys_max(struct sl_backend *backend, size_t keys_max)
{
	struct memory *memory = (struct memory *)backend;
	pthread_mutex_lock(&memory->key_lock);
	sl_dedupe_set_max(memory->dedupe, keys_max);
	pthread_mutex_unlock(&memory->key_lock);
}

static void
get_stats(struct sl_backend *backend, struct sl_bus_stats *out)
{
	struct memory *memory = (struct memory *)backend;
	pthread_mutex_lock(&memory->key_lock);
	sl_dedupe_get_stats(memory->dedupe, out);
	pthread_mutex_unlock(&memory->key_lock);
}

static const struct sl_backend_ops memory_ops = {
	.name = "memory",
	.start = start,
	.destroy = destroy,
	.publish = publish,
	.sweep = sweep,
	.set_keys_max = set_keys_max,
	.get_stats = get_stats,
};

int
sl_memory_create(struct sl_backend **out, size_t keys_max)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (!memory)
		return SL_ENOMEM;
	int err = sl_dedupe_create(&memory->dedupe, keys_max);
	if (err) {
		free(memory);
		return err;
	}
	memory->base.ops = &memory_ops;
	pthread_mutex_init(&memory->key_lock, NULL);
	*out = &memory->base;
	return 0;
}
