#include "check/channels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/secret.h"
#include "bus/bus.h"
#include "core/socket.h"
#include "core/timer.h"
#include "http/http.h"
#include "live/fanout.h"
#include "live/lease.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/table.h"

#define SWEEP_MS 1000
#define USE "check" /* of the secret */

_Static_assert(SL_LENT_KEY_LEN == SL_DERIVED_KEY_LEN, "names are signed by a key of the secret");
_Static_assert(SL_CHECK_MESSAGES == SL_LEASED_MESSAGES_MAX &&
	SL_CHECK_BYTES == SL_LEASED_BYTES_MAX && SL_CHECK_LIFE_MS == SL_LEASED_AGE_MS,
	"history keeps what a channel may carry, while it lives");

struct lent {
	char name[SL_CHECK_NAME_LEN + 1];
	uint8_t owner[16];
	bool has_owner;
	bool is_foreign; /* another gateway has lent it */
	uint64_t expires_ms;
	unsigned connections, messages;
	size_t bytes;
	UT_hash_handle hh;
};

/* uthash keeps its elements in order of insertion: of those lent here the first expires first. */
struct sl_check_channels {
	struct sl_lender lender; /* first: the shards point to it */
	struct sl_http *http;
	struct sl_timer second;  /* shard 0's */
	pthread_mutex_t lock;
	struct lent *table;
	unsigned foreign_count;  /* of these */
	uint8_t key[SL_LENT_KEY_LEN];
	uint32_t lender_id;      /* this process, in the names that it lends: these count by the table alone */
};

/* ---- use, by live/lease.h ---- */

static struct lent *
find_entry(struct sl_check_channels *channels, struct sl_span name)
{
	struct lent *lent;
	HASH_FIND(hh, channels->table, name.bytes, name.len, lent);
	return lent;
}

static bool
is_living(const struct lent *lent, const struct sl_shard *shard)
{
	return lent && shard->loop.now_ms < lent->expires_ms;
}

/* A channel that another gateway has lent, by its name alone; or NULL. It lives no longer here than there, as far as
 * their clocks agree, and never longer than a channel does. */
static struct lent *
create_foreign(const struct sl_shard *shard, struct sl_span text, const uint8_t key[SL_LENT_KEY_LEN], uint32_t own)
{
	struct sl_lent_name name;
	int64_t now_ms = sl_clock_wall_us() / 1000;
	if (!sl_lent_name_read(text, key, &name) || name.lender == own || name.expires_s * 1000 <= now_ms)
		return NULL;
	uint64_t left_ms = (uint64_t)(name.expires_s * 1000 - now_ms);
	struct lent *lent = calloc(1, sizeof *lent);
	if (!lent)
		return NULL;
	lent->is_foreign = true;
	lent->expires_ms = shard->loop.now_ms + (left_ms < SL_CHECK_LIFE_MS ? left_ms : SL_CHECK_LIFE_MS);
	memcpy(lent->name, text.bytes, SL_CHECK_NAME_LEN);
	return lent;
}

/* Takes `lent` if there is room for it, and nobody did the same just now; with the lock held. */
static bool
add_foreign(struct sl_check_channels *channels, struct sl_shard *shard, struct lent *lent)
{
	if (find_entry(channels, (struct sl_span){ lent->name, SL_CHECK_NAME_LEN }))
		return false;
	if (channels->foreign_count >= SL_CHECK_FOREIGN) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_REFUSED_TOTAL, 1);
		return false;
	}
	HASH_ADD(hh, channels->table, name, SL_CHECK_NAME_LEN, lent);
	bool is_added = sl_table_holds(lent, hh);
	channels->foreign_count += is_added;
	return is_added;
}

/* The channel while it lives, or NULL; the lock is held either way. It is released while a signature is verified. */
static struct lent *
lock_living(struct sl_check_channels *channels, struct sl_shard *shard, struct sl_span name)
{
	uint8_t key[SL_LENT_KEY_LEN];
	pthread_mutex_lock(&channels->lock);
	struct lent *lent = find_entry(channels, name);
	if (lent)
		return is_living(lent, shard) ? lent : NULL;
	memcpy(key, channels->key, sizeof key);
	pthread_mutex_unlock(&channels->lock);
	struct lent *foreign = create_foreign(shard, name, key, channels->lender_id);
	pthread_mutex_lock(&channels->lock);
	if (foreign && !add_foreign(channels, shard, foreign))
		free(foreign);
	lent = find_entry(channels, name);
	return is_living(lent, shard) ? lent : NULL;
}

static int
count_refusal(struct sl_shard *shard, int err)
{
	if (err == SL_ENOLEASE)
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_REFUSED_UNKNOWN, 1);
	else if (err == SL_ELEASEFULL)
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_REFUSED_FULL, 1);
	else if (err == SL_ELEASESPENT)
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_REFUSED_USED_UP, 1);
	return err;
}

static int
find(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	struct sl_check_channels *channels = (struct sl_check_channels *)lender;
	int err = lock_living(channels, shard, name) ? 0 : SL_ENOLEASE;
	pthread_mutex_unlock(&channels->lock);
	return count_refusal(shard, err);
}

static int
join(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	struct sl_check_channels *channels = (struct sl_check_channels *)lender;
	int err = SL_ENOLEASE;
	struct lent *lent = lock_living(channels, shard, name);
	if (lent)
		err = lent->connections < SL_CHECK_CONNECTIONS ? 0 : SL_ELEASEFULL;
	if (err == 0)
		lent->connections++;
	pthread_mutex_unlock(&channels->lock);
	return count_refusal(shard, err);
}

static void
leave(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name)
{
	struct sl_check_channels *channels = (struct sl_check_channels *)lender;
	(void)shard;
	pthread_mutex_lock(&channels->lock);
	struct lent *lent = find_entry(channels, name);
	if (lent && lent->connections > 0)
		lent->connections--;
	pthread_mutex_unlock(&channels->lock);
}

static int
spend(struct sl_lender *lender, struct sl_shard *shard, struct sl_span name, size_t bytes)
{
	struct sl_check_channels *channels = (struct sl_check_channels *)lender;
	int err = SL_ENOLEASE;
	struct lent *lent = lock_living(channels, shard, name);
	if (lent)
		err = lent->messages < SL_CHECK_MESSAGES && bytes <= SL_CHECK_BYTES - lent->bytes ? 0 :
			SL_ELEASESPENT;
	if (err == 0) {
		lent->messages++;
		lent->bytes += bytes;
	}
	pthread_mutex_unlock(&channels->lock);
	return count_refusal(shard, err);
}

static const struct sl_lender_ops lender_ops = {
	.find = find, .join = join, .leave = leave, .spend = spend,
};

/* ---- lending ---- */

/* It expires for others when its second does, which is not after it does here. */
static int
draw_name(struct sl_check_channels *channels, char out[SL_CHECK_NAME_LEN + 1])
{
	struct sl_lent_name name = {
		sl_clock_wall_us() / 1000000 + SL_CHECK_LIFE_MS / 1000, channels->lender_id,
	};
	uint8_t key[SL_LENT_KEY_LEN];
	pthread_mutex_lock(&channels->lock);
	memcpy(key, channels->key, sizeof key);
	pthread_mutex_unlock(&channels->lock);
	return sl_lent_name_make(out, &name, key);
}

/* Whether there is room for one more, with the lock held: fills what is told when there is none. */
static bool
has_room(const struct sl_check_channels *channels, const struct lent *wanted, uint64_t now_ms,
	struct sl_issue *out)
{
	const struct lent *first = NULL, *first_of_address = NULL;
	unsigned living = 0, of_address = 0;
	for (const struct lent *lent = channels->table; lent; lent = lent->hh.next) {
		if (lent->is_foreign || now_ms >= lent->expires_ms)
			continue;
		living++;
		first = first ? first : lent;
		if (!wanted->has_owner || !lent->has_owner || memcmp(lent->owner, wanted->owner, 16) != 0)
			continue;
		of_address++;
		first_of_address = first_of_address ? first_of_address : lent;
	}
	out->is_of_address = of_address >= SL_CHECK_OF_ADDRESS;
	if (!out->is_of_address && living < SL_CHECK_TOTAL)
		return true;
	out->wait_ms = (out->is_of_address ? first_of_address : first)->expires_ms - now_ms;
	return false;
}

static int
add(struct sl_check_channels *channels, struct lent *lent, uint64_t now_ms, struct sl_issue *out)
{
	int err = 0;
	pthread_mutex_lock(&channels->lock);
	if (!has_room(channels, lent, now_ms, out)) {
		err = SL_EFULL;
	} else {
		HASH_ADD(hh, channels->table, name, SL_CHECK_NAME_LEN, lent);
		err = sl_table_holds(lent, hh) ? 0 : SL_ENOMEM;
	}
	pthread_mutex_unlock(&channels->lock);
	return err;
}

int
sl_check_channels_issue(struct sl_check_channels *channels, struct sl_shard *shard,
	const struct sl_address *peer, struct sl_issue *out)
{
	uint64_t now_ms = shard->loop.now_ms;
	struct lent *lent = calloc(1, sizeof *lent);
	if (!lent)
		return SL_ENOMEM;
	lent->expires_ms = now_ms + SL_CHECK_LIFE_MS;
	lent->has_owner = sl_address_get_owner(peer, lent->owner);
	int err = draw_name(channels, lent->name);
	memcpy(out->name, lent->name, sizeof out->name);
	if (err == 0)
		err = add(channels, lent, now_ms, out);
	if (err != 0)
		free(lent);
	if (err == 0)
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_ISSUED, 1);
	else if (err == SL_EFULL)
		sl_metrics_add(&shard->metrics, out->is_of_address ? SL_COUNTER_CHECK_REFUSED_ADDRESS :
			SL_COUNTER_CHECK_REFUSED_TOTAL, 1);
	return err;
}

/* ---- expiring ---- */

/* On its way to one shard. */
struct ending {
	struct sl_task task; /* first: run gets it */
	struct sl_shard *shard;
	char name[SL_CHECK_NAME_LEN];
};

static void
end_subscribers(struct sl_task *task)
{
	struct ending *ending = (struct ending *)task;
	sl_fanout_end_channel(ending->shard, ending->name, sizeof ending->name, SL_END_EXPIRED);
	free(ending);
}

/* False without memory for all of it: whoever is left is told the next time. */
static bool
tell_shards(const struct sl_http *http, const struct lent *lent)
{
	bool is_told = true;
	for (unsigned i = 0; i < http->shard_count; i++) {
		struct ending *ending = calloc(1, sizeof *ending);
		is_told &= ending != NULL;
		if (!ending)
			continue;
		ending->task.run = end_subscribers;
		ending->shard = http->shards[i];
		memcpy(ending->name, lent->name, sizeof ending->name);
		sl_mailbox_post(&http->shards[i]->mailbox, &ending->task);
	}
	return is_told;
}

static struct lent *
get_expired(struct sl_check_channels *channels, uint64_t now_ms)
{
	pthread_mutex_lock(&channels->lock);
	struct lent *lent = channels->table;
	while (lent && now_ms < lent->expires_ms) /* foreign ones come in any order */
		lent = lent->hh.next;
	pthread_mutex_unlock(&channels->lock);
	return lent;
}

static void
take_out(struct sl_check_channels *channels, struct lent *lent)
{
	pthread_mutex_lock(&channels->lock);
	HASH_DEL(channels->table, lent);
	channels->foreign_count -= lent->is_foreign;
	pthread_mutex_unlock(&channels->lock);
	free(lent);
}

/* Nobody but this takes a channel out, so that one stays where it is meanwhile. */
static void
on_second(struct sl_timer *timer)
{
	struct sl_check_channels *channels = (struct sl_check_channels *)
		((char *)timer - offsetof(struct sl_check_channels, second));
	struct sl_shard *shard = channels->http->shards[0];
	struct lent *lent;
	while ((lent = get_expired(channels, shard->loop.now_ms)) && tell_shards(channels->http, lent)) {
		sl_bus_forget(shard->bus, lent->name, SL_CHECK_NAME_LEN);
		sl_metrics_add(&shard->metrics, SL_COUNTER_CHECK_EXPIRED, !lent->is_foreign);
		take_out(channels, lent);
	}
	sl_timer_set(&shard->loop.timers, timer, shard->loop.now_ms + SWEEP_MS);
}

/* ---- the table ---- */

int
sl_check_channels_create(struct sl_check_channels **out, struct sl_http *http,
	const struct sl_secret *secret)
{
	struct sl_shard *shard = http->shards[0];
	struct sl_check_channels *channels = calloc(1, sizeof *channels);
	if (!channels)
		return SL_ENOMEM;
	int err = sl_crypto_random(&channels->lender_id, sizeof channels->lender_id);
	if (err == 0)
		err = sl_secret_derive(secret, USE, channels->key);
	if (err != 0) {
		free(channels);
		return err;
	}
	channels->lender.ops = &lender_ops;
	channels->http = http;
	pthread_mutex_init(&channels->lock, NULL);
	sl_timer_init(&channels->second, on_second);
	sl_timer_set(&shard->loop.timers, &channels->second, shard->loop.now_ms + SWEEP_MS);
	for (unsigned i = 0; i < http->shard_count; i++)
		http->shards[i]->lender = &channels->lender;
	*out = channels;
	return 0;
}

void
sl_check_channels_destroy(struct sl_check_channels *channels)
{
	if (!channels)
		return;
	for (unsigned i = 0; i < channels->http->shard_count; i++)
		channels->http->shards[i]->lender = NULL;
	sl_timer_cancel(&channels->http->shards[0]->loop.timers, &channels->second);
	while (channels->table) {
		struct lent *lent = channels->table;
		HASH_DEL(channels->table, lent);
		free(lent);
	}
	pthread_mutex_destroy(&channels->lock);
	free(channels);
}

void
sl_check_channels_set_secret(struct sl_check_channels *channels, const struct sl_secret *secret)
{
	uint8_t key[SL_LENT_KEY_LEN];
	if (!channels || sl_secret_derive(secret, USE, key) != 0)
		return;
	pthread_mutex_lock(&channels->lock);
	memcpy(channels->key, key, sizeof channels->key);
	pthread_mutex_unlock(&channels->lock);
}

struct sl_check_channels *
sl_check_channels_of(const struct sl_shard *shard)
{
	return (struct sl_check_channels *)shard->lender;
}

unsigned
sl_check_channels_count(struct sl_check_channels *channels)
{
	pthread_mutex_lock(&channels->lock);
	unsigned count = HASH_COUNT(channels->table);
	pthread_mutex_unlock(&channels->lock);
	return count;
}
