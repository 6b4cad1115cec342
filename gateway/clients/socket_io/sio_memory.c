#include "clients/socket_io/sio_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret.h"
#include "util/err.h"
#include "util/table.h"
#include "util/tally.h"

#define USE "recovery" /* of the secret */

_Static_assert(SL_SIO_KEY_LEN == SL_DERIVED_KEY_LEN, "pids are signed by a key of the secret");

struct stored {
	uint64_t after, floor;
	size_t name_len;
};

struct entry {
	struct sl_tally_entry tally;    /* first */
	char id[SL_SIO_ID_LEN];
	unsigned clients;               /* that are there for it */
	uint64_t ends_ms;               /* once there are none */
	TAILQ_ENTRY(entry) waiting;     /* while there are none; the first ends first */
	UT_hash_handle hh;
	size_t size;                    /* bytes, with what follows */
	unsigned stars, count;
	uint32_t epoch;
	struct stored channels[];       /* then their names, one behind the other */
};

struct sl_sio_memory {
	pthread_mutex_t lock;
	uint8_t key[SL_SIO_KEY_LEN];
	char tag[SL_SIO_TAG_LEN];       /* never changes */
	struct entry *table;
	struct sl_tally tally;
	TAILQ_HEAD(, entry) waiting;
	size_t bytes;
};

int
sl_sio_memory_create(struct sl_sio_memory **out, const struct sl_secret *secret)
{
	struct sl_sio_memory *memory = calloc(1, sizeof *memory);
	if (!memory)
		return SL_ENOMEM;
	int err = sl_secret_derive(secret, USE, memory->key);
	if (err == 0)
		err = sl_sio_recovery_make_tag(memory->tag);
	if (err != 0) {
		free(memory);
		return err;
	}
	pthread_mutex_init(&memory->lock, NULL);
	sl_tally_init(&memory->tally);
	TAILQ_INIT(&memory->waiting);
	*out = memory;
	return 0;
}

void
sl_sio_memory_set_secret(struct sl_sio_memory *memory, const struct sl_secret *secret)
{
	uint8_t key[SL_SIO_KEY_LEN];
	if (!memory || sl_secret_derive(secret, USE, key) != 0)
		return;
	pthread_mutex_lock(&memory->lock);
	memcpy(memory->key, key, sizeof key);
	pthread_mutex_unlock(&memory->lock);
}

void
sl_sio_memory_get_key(struct sl_sio_memory *memory, uint8_t out[SL_SIO_KEY_LEN])
{
	pthread_mutex_lock(&memory->lock);
	memcpy(out, memory->key, SL_SIO_KEY_LEN);
	pthread_mutex_unlock(&memory->lock);
}

const char *
sl_sio_memory_get_tag(const struct sl_sio_memory *memory)
{
	return memory->tag;
}

/* ---- entries, under the lock ---- */

static struct entry *
find_entry(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN])
{
	struct entry *entry;
	HASH_FIND(hh, memory->table, id, SL_SIO_ID_LEN, entry);
	return entry;
}

static void
drop(struct sl_sio_memory *memory, struct entry *entry)
{
	HASH_DEL(memory->table, entry);
	sl_tally_leave(&memory->tally, &entry->tally);
	if (entry->clients == 0)
		TAILQ_REMOVE(&memory->waiting, entry, waiting);
	memory->bytes -= entry->size;
	free(entry);
}

static void
drop_ended(struct sl_sio_memory *memory, uint64_t now_ms)
{
	struct entry *first;
	while ((first = TAILQ_FIRST(&memory->waiting)) && first->ends_ms <= now_ms)
		drop(memory, first);
}

static unsigned
make_room(struct sl_sio_memory *memory)
{
	unsigned count = 0;
	while (HASH_COUNT(memory->table) > SL_SIO_MEMORY_ENTRIES || memory->bytes > SL_SIO_MEMORY_BYTES) {
		drop(memory, (struct entry *)sl_tally_get_oldest_of_most(&memory->tally));
		count++;
	}
	return count;
}

/* Returns new, outside of the table, or NULL. */
static struct entry *
create_entry(const char id[SL_SIO_ID_LEN], const struct sl_sio_kept *kept)
{
	size_t size = sizeof(struct entry) + kept->count * sizeof(struct stored);
	size_t at = size;
	for (unsigned i = 0; i < kept->count; i++)
		size += kept->channels[i].name.len;
	struct entry *entry = calloc(1, size);
	if (!entry)
		return NULL;
	memcpy(entry->id, id, SL_SIO_ID_LEN);
	entry->size = size;
	entry->stars = kept->stars;
	entry->epoch = kept->epoch;
	entry->count = kept->count;
	for (unsigned i = 0; i < kept->count; i++) {
		const struct sl_sio_kept_channel *channel = &kept->channels[i];
		entry->channels[i] = (struct stored){ channel->after, channel->floor, channel->name.len };
		memcpy((char *)entry + at, channel->name.bytes, channel->name.len);
		at += channel->name.len;
	}
	return entry;
}

static void
add(struct sl_sio_memory *memory, struct entry *entry, uint64_t owner)
{
	if (sl_tally_join(&memory->tally, &entry->tally, owner) != 0) {
		free(entry);
		return;
	}
	HASH_ADD(hh, memory->table, id, SL_SIO_ID_LEN, entry);
	if (!sl_table_holds(entry, hh)) {
		sl_tally_leave(&memory->tally, &entry->tally);
		free(entry);
		return;
	}
	sl_tally_list(&memory->tally, &entry->tally);
	memory->bytes += entry->size;
}

/* ---- use ---- */

void
sl_sio_memory_destroy(struct sl_sio_memory *memory)
{
	if (!memory)
		return;
	while (memory->table)
		drop(memory, memory->table);
	pthread_mutex_destroy(&memory->lock);
	free(memory);
}

unsigned
sl_sio_memory_keep(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], const struct sl_sio_kept *kept,
	uint64_t owner, bool is_joining)
{
	struct entry *entry = create_entry(id, kept);
	pthread_mutex_lock(&memory->lock);
	struct entry *before = find_entry(memory, id);
	unsigned clients = (before ? before->clients : 0) + (is_joining || !before);
	if (before)
		drop(memory, before);
	if (entry) {
		entry->clients = clients;
		add(memory, entry, owner);
	}
	unsigned forgotten = make_room(memory);
	pthread_mutex_unlock(&memory->lock);
	return forgotten;
}

static bool
copy(const struct entry *entry, struct sl_sio_kept *out, struct sl_buffer *space)
{
	const char *names = (const char *)&entry->channels[entry->count];
	sl_buffer_clear(space);
	sl_buffer_append(space, names, entry->size - (size_t)(names - (const char *)entry));
	if (sl_buffer_status(space) != 0)
		return false;
	out->stars = entry->stars;
	out->epoch = entry->epoch;
	out->count = entry->count;
	const char *at = space->bytes;
	for (unsigned i = 0; i < out->count; i++) {
		const struct stored *stored = &entry->channels[i];
		out->channels[i] = (struct sl_sio_kept_channel){ { at, stored->name_len }, stored->after,
			stored->floor };
		at += stored->name_len;
	}
	return true;
}

bool
sl_sio_memory_find(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], struct sl_sio_kept *out,
	struct sl_buffer *space, bool joins, uint64_t now_ms)
{
	pthread_mutex_lock(&memory->lock);
	drop_ended(memory, now_ms);
	struct entry *entry = find_entry(memory, id);
	bool is_found = entry && copy(entry, out, space);
	if (is_found && joins && entry->clients++ == 0)
		TAILQ_REMOVE(&memory->waiting, entry, waiting);
	pthread_mutex_unlock(&memory->lock);
	return is_found;
}

void
sl_sio_memory_leave(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN], uint64_t now_ms)
{
	pthread_mutex_lock(&memory->lock);
	drop_ended(memory, now_ms);
	struct entry *entry = find_entry(memory, id);
	if (entry && entry->clients > 0 && --entry->clients == 0) {
		entry->ends_ms = now_ms + SL_SIO_MEMORY_MS;
		TAILQ_INSERT_TAIL(&memory->waiting, entry, waiting);
	}
	pthread_mutex_unlock(&memory->lock);
}

void
sl_sio_memory_forget(struct sl_sio_memory *memory, const char id[SL_SIO_ID_LEN])
{
	pthread_mutex_lock(&memory->lock);
	struct entry *entry = find_entry(memory, id);
	if (entry)
		drop(memory, entry);
	pthread_mutex_unlock(&memory->lock);
}

unsigned
sl_sio_memory_count(struct sl_sio_memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	unsigned count = HASH_COUNT(memory->table);
	pthread_mutex_unlock(&memory->lock);
	return count;
}
