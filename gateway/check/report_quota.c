#include "check/report_quota.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/socket.h"
#include "util/table.h"

struct sender {
	uint8_t address[16];
	uint64_t times_ms[SL_REPORT_QUOTA_MAX]; /* of its last reports, a ring */
	unsigned next;                          /* the oldest of them, once there are so many */
	unsigned count;
	UT_hash_handle hh;
};

/* uthash keeps its elements in order of insertion: a sender is put in anew with each report, so the
 * first is the one that has been silent for the longest. */
struct sl_report_quota {
	pthread_mutex_t lock;
	struct sender *senders;
};

struct sl_report_quota *
sl_report_quota_create(void)
{
	struct sl_report_quota *quota = calloc(1, sizeof *quota);
	if (quota)
		pthread_mutex_init(&quota->lock, NULL);
	return quota;
}

static void
forget(struct sl_report_quota *quota, struct sender *sender)
{
	HASH_DEL(quota->senders, sender);
	free(sender);
}

void
sl_report_quota_destroy(struct sl_report_quota *quota)
{
	if (!quota)
		return;
	while (quota->senders)
		forget(quota, quota->senders);
	pthread_mutex_destroy(&quota->lock);
	free(quota);
}

static uint64_t
last_of(const struct sender *sender)
{
	return sender->times_ms[(sender->next + SL_REPORT_QUOTA_MAX - 1) % SL_REPORT_QUOTA_MAX];
}

/* Shards read their clocks at different times: a report may be ahead of this one's. */
static uint64_t
get_age(uint64_t time_ms, uint64_t now_ms)
{
	return now_ms > time_ms ? now_ms - time_ms : 0;
}

/* The sender, out of the table; new when there was none; NULL without memory. */
static struct sender *
take_out(struct sl_report_quota *quota, const uint8_t address[16])
{
	struct sender *sender;
	HASH_FIND(hh, quota->senders, address, sizeof sender->address, sender);
	if (sender) {
		HASH_DEL(quota->senders, sender);
		return sender;
	}
	sender = calloc(1, sizeof *sender);
	if (sender)
		memcpy(sender->address, address, sizeof sender->address);
	return sender;
}

static uint64_t
find_wait(struct sl_report_quota *quota, const uint8_t address[16], uint64_t now_ms)
{
	const struct sender *sender;
	HASH_FIND(hh, quota->senders, address, sizeof sender->address, sender);
	if (!sender || sender->count < SL_REPORT_QUOTA_MAX)
		return 0;
	uint64_t age_ms = get_age(sender->times_ms[sender->next], now_ms);
	return age_ms < SL_REPORT_QUOTA_MS ? SL_REPORT_QUOTA_MS - age_ms : 0;
}

/* Forgets those of more than an hour ago; true if another one had to go. */
static bool
make_room(struct sl_report_quota *quota, uint64_t now_ms)
{
	while (quota->senders && get_age(last_of(quota->senders), now_ms) >= SL_REPORT_QUOTA_MS)
		forget(quota, quota->senders);
	if (HASH_COUNT(quota->senders) < SL_REPORT_QUOTA_ADDRESSES)
		return false;
	forget(quota, quota->senders);
	return true;
}

static void
note(struct sl_report_quota *quota, const uint8_t address[16], uint64_t now_ms, bool *dropped)
{
	struct sender *sender = take_out(quota, address);
	if (!sender)
		return;
	*dropped = make_room(quota, now_ms);
	sender->times_ms[sender->next] = now_ms;
	sender->next = (sender->next + 1) % SL_REPORT_QUOTA_MAX;
	sender->count += sender->count < SL_REPORT_QUOTA_MAX;
	HASH_ADD(hh, quota->senders, address, sizeof sender->address, sender);
	if (!sl_table_holds(sender, hh))
		free(sender);
}

uint64_t
sl_report_quota_take(struct sl_report_quota *quota, const struct sl_address *address,
	uint64_t now_ms, bool *dropped)
{
	uint8_t key[16];
	*dropped = false;
	if (!sl_address_get_owner(address, key))
		return 0;
	pthread_mutex_lock(&quota->lock);
	uint64_t wait_ms = find_wait(quota, key, now_ms);
	if (wait_ms == 0)
		note(quota, key, now_ms, dropped);
	pthread_mutex_unlock(&quota->lock);
	return wait_ms;
}
