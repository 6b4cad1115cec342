#include "core/quota.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/socket.h"
#include "util/table.h"

struct peer {
	uint8_t bytes[16];
	uint64_t count;
	UT_hash_handle hh;
};

struct sl_quota {
	pthread_mutex_t lock;
	struct peer *peers;
	uint64_t total, max_total, max_per_address;
};

struct sl_quota *
sl_quota_create(uint64_t max_total, uint64_t max_per_address)
{
	struct sl_quota *quota = calloc(1, sizeof *quota);
	if (!quota)
		return NULL;
	pthread_mutex_init(&quota->lock, NULL);
	sl_quota_set_limits(quota, max_total, max_per_address);
	return quota;
}

void
sl_quota_destroy(struct sl_quota *quota)
{
	if (!quota)
		return;
	struct peer *peer, *next;
	HASH_ITER(hh, quota->peers, peer, next) {
		HASH_DEL(quota->peers, peer);
		free(peer);
	}
	pthread_mutex_destroy(&quota->lock);
	free(quota);
}

void
sl_quota_set_limits(struct sl_quota *quota, uint64_t max_total, uint64_t max_per_address)
{
	pthread_mutex_lock(&quota->lock);
	quota->max_total = max_total;
	quota->max_per_address = max_per_address;
	pthread_mutex_unlock(&quota->lock);
}

uint64_t
sl_quota_get_slack(uint64_t max)
{
	return max / 16 + 16;
}

static void
forget_if_unused(struct sl_quota *quota, struct peer *peer)
{
	if (!peer || peer->count)
		return;
	HASH_DEL(quota->peers, peer);
	free(peer);
}

/* The peer's entry, made when there is none; NULL for what has no address, or no memory. */
static struct peer *
find_peer(struct sl_quota *quota, const struct sl_address *address, bool add)
{
	struct peer *peer;
	if (!address || address->family == AF_UNIX)
		return NULL;
	HASH_FIND(hh, quota->peers, address->bytes, sizeof peer->bytes, peer);
	if (peer || !add)
		return peer;
	peer = calloc(1, sizeof *peer);
	if (!peer)
		return NULL;
	memcpy(peer->bytes, address->bytes, sizeof peer->bytes);
	HASH_ADD(hh, quota->peers, bytes, sizeof peer->bytes, peer);
	if (sl_table_holds(peer, hh))
		return peer;
	free(peer);
	return NULL;
}

static enum sl_quota_verdict
judge_total(const struct sl_quota *quota, uint64_t total)
{
	if (total > quota->max_total + sl_quota_get_slack(quota->max_total))
		return SL_QUOTA_HARD;
	return total > quota->max_total ? SL_QUOTA_TOTAL : SL_QUOTA_OK;
}

static enum sl_quota_verdict
judge_address(const struct sl_quota *quota, uint64_t from_address)
{
	uint64_t max = quota->max_per_address;
	if (max == 0 || from_address <= max)
		return SL_QUOTA_OK;
	return from_address > max + sl_quota_get_slack(max) ? SL_QUOTA_HARD : SL_QUOTA_ADDRESS;
}

/* `count` connections with `address`. */
static enum sl_quota_verdict
take(struct sl_quota *quota, const struct sl_address *address, unsigned count)
{
	pthread_mutex_lock(&quota->lock);
	struct peer *peer = find_peer(quota, address, true);
	enum sl_quota_verdict verdict = count ? judge_total(quota, quota->total + count) : SL_QUOTA_OK;
	if (verdict == SL_QUOTA_OK)
		verdict = judge_address(quota, peer ? peer->count + 1 : 0);
	if (verdict != SL_QUOTA_HARD) {
		quota->total += count;
		if (peer)
			peer->count++;
	}
	forget_if_unused(quota, peer);
	pthread_mutex_unlock(&quota->lock);
	return verdict;
}

static void
release(struct sl_quota *quota, const struct sl_address *address, unsigned count)
{
	pthread_mutex_lock(&quota->lock);
	struct peer *peer = find_peer(quota, address, false);
	quota->total -= count;
	if (peer)
		peer->count--;
	forget_if_unused(quota, peer);
	pthread_mutex_unlock(&quota->lock);
}

enum sl_quota_verdict
sl_quota_take(struct sl_quota *quota, const struct sl_address *address)
{
	return take(quota, address, 1);
}

void
sl_quota_release(struct sl_quota *quota, const struct sl_address *address)
{
	release(quota, address, 1);
}

enum sl_quota_verdict
sl_quota_take_address(struct sl_quota *quota, const struct sl_address *address)
{
	return take(quota, address, 0);
}

void
sl_quota_release_address(struct sl_quota *quota, const struct sl_address *address)
{
	release(quota, address, 0);
}
