#include "bus/nats_tail.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bus/backend.h"
#include "bus/message.h"
#include "bus/nats_batch.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define HEARTBEAT_NS INT64_C(500000000)
#define UNUSED_NS INT64_C(10000000000) /* then the server drops a consumer that nobody listens to */
#define CREATE_MS 2000
#define RETRY_MS 100 /* then more, up to */
#define RETRY_MAX_MS 1000

/* What may wait on this side. The server sends no more until it is answered, and it stops at 32 MiB. */
#define WAITING_BYTES_MAX (256 << 20)

static const char NO_CONSUMER[] = "no-consumer";

struct sl_nats_tail {
	struct sl_nats_tail_config config;
	struct sl_nats_arrival_limits limits;
	/* The worker's. */
	natsConnection *connection; /* borrows */
	jsCtx *js;                  /* borrows */
	uint64_t retry_ms;          /* no consumer is made before */
	uint64_t pause_ms;          /* after the next one that cannot be made */
	const char *told;           /* why the last one was given up, as the log says */
	bool has_begun;
	/* Held while somebody reads. */
	pthread_mutex_t reading;
	natsSubscription *subscription; /* owns; NULL: none */
	struct sl_nats_batch batch;
	/* Taken after that, before the bus's. */
	pthread_mutex_t lock;
	struct sl_nats_resync resync;
	/* What others may know of it, at any time. */
	_Atomic uint64_t heard_ms, lag, lost, resyncs, foreign, resets;
	_Atomic bool has_caught_up, is_same_log;
};

static void
lock(struct sl_nats_tail *tail)
{
	pthread_mutex_lock(&tail->lock);
}

/* Shows what has changed. */
static void
unlock(struct sl_nats_tail *tail)
{
	const struct sl_nats_resync *resync = &tail->resync;
	atomic_store_explicit(&tail->heard_ms, resync->heard_ms, memory_order_relaxed);
	atomic_store_explicit(&tail->lag, sl_nats_resync_get_lag(resync), memory_order_relaxed);
	atomic_store_explicit(&tail->lost, resync->lost, memory_order_relaxed);
	atomic_store_explicit(&tail->resyncs, resync->resyncs, memory_order_relaxed);
	atomic_store_explicit(&tail->is_same_log, sl_nats_resync_is_same_log(resync),
		memory_order_release);
	atomic_store_explicit(&tail->has_caught_up, sl_nats_resync_has_caught_up(resync),
		memory_order_release);
	pthread_mutex_unlock(&tail->lock);
}

/* ---- the reader ---- */

static void
lose(struct sl_nats_tail *tail, uint64_t through)
{
	if (through)
		sl_bus_lose(tail->config.bus, through);
}

static void
deliver(struct sl_nats_tail *tail, struct sl_nats_item *item, uint32_t epoch)
{
	if (!item->message)
		return;
	item->id = (struct sl_cursor){ .epoch = epoch, .seq = item->reply.sseq };
	sl_message_stamp(item->message, item->id, item->reply.time_ns / 1000);
	sl_bus_deliver(tail->config.bus, item->message);
	item->is_delivered = true;
}

static void
take_in(struct sl_nats_tail *tail, struct sl_nats_item *item, uint32_t epoch, uint64_t now_ms)
{
	uint64_t lost_through = 0;
	switch (item->kind) {
	case SL_NATS_ITEM_MESSAGE:
		item->is_next = sl_nats_resync_see(&tail->resync, &item->reply, now_ms, &lost_through);
		lose(tail, lost_through);
		if (item->is_next)
			deliver(tail, item, epoch);
		break;
	case SL_NATS_ITEM_HEARTBEAT:
		sl_nats_resync_hear(&tail->resync, item->reply.dseq, now_ms, &lost_through);
		lose(tail, lost_through);
		break;
	case SL_NATS_ITEM_HIDDEN:
		sl_nats_resync_skip(&tail->resync, now_ms);
		item->is_next = true;
		item->err = SL_EINVAL;
		break;
	case SL_NATS_ITEM_FLOW:
		break;
	case SL_NATS_ITEM_UNREADABLE: /* no memory, say: another consumer brings it again */
		sl_nats_resync_give_up(&tail->resync, "unreadable");
		break;
	}
}

/* One hold of both locks for all that has arrived. */
static void
take_in_all(struct sl_nats_tail *tail)
{
	struct sl_bus *bus = tail->config.bus;
	uint64_t now_ms = sl_clock_monotonic_ms();
	lock(tail);
	sl_bus_lock(bus);
	uint32_t epoch = sl_bus_head(bus).epoch;
	for (size_t i = 0; i < tail->batch.count; i++)
		take_in(tail, &tail->batch.items[i], epoch, now_ms);
	sl_bus_unlock(bus, -1);
	unlock(tail);
}

static void
report(struct sl_nats_tail *tail, struct sl_nats_item *item)
{
	if (item->is_delivered && item->msg_id[0])
		tail->config.on_own(tail->config.arg, item->msg_id, item->id, item->message->receivers);
	if (item->is_next && !item->message) {
		atomic_fetch_add_explicit(&tail->foreign, 1, memory_order_relaxed);
		sl_log_limited(SL_LOG_WARNING, "backend.foreign", "seq=%" PRIu64 " error=\"%s\"",
			item->reply.sseq, sl_strerror(item->err));
	}
	/* Only now: what it allows the server to send comes behind what was taken in. */
	if (item->answer_to)
		natsConnection_PublishString(tail->connection, item->answer_to, "");
}

void
sl_nats_tail_read(struct sl_nats_tail *tail)
{
	pthread_mutex_lock(&tail->reading);
	while (tail->subscription) {
		sl_nats_batch_fetch(&tail->batch, tail->subscription, &tail->limits);
		if (tail->batch.count == 0)
			break;
		take_in_all(tail);
		for (size_t i = 0; i < tail->batch.count; i++)
			report(tail, &tail->batch.items[i]);
		sl_nats_batch_clear(&tail->batch);
	}
	pthread_mutex_unlock(&tail->reading);
}

/* ---- the worker ---- */

int
sl_nats_tail_create(struct sl_nats_tail **out, const struct sl_nats_tail_config *config)
{
	struct sl_nats_tail *tail = calloc(1, sizeof *tail);
	if (!tail)
		return SL_ENOMEM;
	tail->config = *config;
	tail->limits = (struct sl_nats_arrival_limits){ .bus_name = config->bus_name,
		.json_depth_max = config->json_depth_max, .message_max = config->message_max };
	sl_nats_resync_init(&tail->resync);
	pthread_mutex_init(&tail->lock, NULL);
	pthread_mutex_init(&tail->reading, NULL);
	*out = tail;
	return 0;
}

void
sl_nats_tail_destroy(struct sl_nats_tail *tail)
{
	if (!tail)
		return;
	assert(!tail->connection);
	sl_nats_batch_finish(&tail->batch);
	pthread_mutex_destroy(&tail->reading);
	pthread_mutex_destroy(&tail->lock);
	free(tail);
}

/* Nothing is read of it any more when this returns, so that nothing of one consumer is taken for another's. */
static void
let_go(struct sl_nats_tail *tail)
{
	pthread_mutex_lock(&tail->reading);
	natsSubscription *subscription = tail->subscription;
	tail->subscription = NULL;
	pthread_mutex_unlock(&tail->reading);
	natsSubscription_Destroy(subscription);
}

void
sl_nats_tail_begin(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state)
{
	struct sl_bus *bus = tail->config.bus;
	lock(tail);
	uint64_t floor = sl_nats_resync_begin(&tail->resync, state);
	sl_bus_lock(bus);
	lose(tail, floor);
	sl_bus_unlock(bus, -1);
	if (tail->has_begun)
		atomic_fetch_add_explicit(&tail->resets, 1, memory_order_relaxed);
	tail->has_begun = true;
	unlock(tail);
}

void
sl_nats_tail_use(struct sl_nats_tail *tail, natsConnection *connection, jsCtx *js)
{
	lock(tail);
	sl_nats_resync_reconnect(&tail->resync);
	unlock(tail);
	let_go(tail);
	tail->connection = connection;
	tail->js = js;
	tail->retry_ms = 0;
	tail->pause_ms = RETRY_MS;
}

static natsStatus
subscribe(struct sl_nats_tail *tail, natsInbox *inbox)
{
	natsSubscription *subscription = NULL;
	natsStatus status = natsConnection_SubscribeSync(&subscription, tail->connection, inbox);
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(subscription, -1, WAITING_BYTES_MAX);
	if (status != NATS_OK) {
		natsSubscription_Destroy(subscription);
		return status;
	}
	pthread_mutex_lock(&tail->reading);
	tail->subscription = subscription;
	pthread_mutex_unlock(&tail->reading);
	return NATS_OK;
}

/* Blocks. What the consumer sends is read already while this waits for the server's answer. */
static natsStatus
create_consumer(struct sl_nats_tail *tail, uint64_t start)
{
	natsInbox *inbox = NULL;
	natsStatus status = natsInbox_Create(&inbox);
	if (status == NATS_OK)
		status = subscribe(tail, inbox);
	if (status == NATS_OK) {
		jsConsumerConfig config;
		jsOptions options;
		jsConsumerInfo *made = NULL;
		jsConsumerConfig_Init(&config);
		config.DeliverPolicy = js_DeliverByStartSequence;
		config.OptStartSeq = start;
		config.AckPolicy = js_AckNone;
		config.DeliverSubject = inbox;
		config.FlowControl = true;
		config.Heartbeat = HEARTBEAT_NS;
		config.InactiveThreshold = UNUSED_NS;
		config.Replicas = 1;
		config.MemoryStorage = true;
		jsOptions_Init(&options);
		options.Wait = CREATE_MS;
		status = js_AddConsumer(&made, tail->js, tail->config.stream, &config, &options, NULL);
		jsConsumerInfo_Destroy(made);
	}
	natsInbox_Destroy(inbox);
	return status;
}

static void
replace_consumer(struct sl_nats_tail *tail, uint64_t now_ms)
{
	let_go(tail);
	lock(tail);
	uint64_t start = sl_nats_resync_get_start(&tail->resync);
	const char *reason = tail->resync.given_up;
	sl_nats_resync_open(&tail->resync, now_ms);
	unlock(tail);
	if (reason && reason != tail->told)
		sl_log_limited(SL_LOG_INFO, "backend.resync", "reason=%s from=%" PRIu64, reason, start);
	tail->told = reason;
	natsStatus status = create_consumer(tail, start);
	now_ms = sl_clock_monotonic_ms();
	lock(tail);
	if (status == NATS_OK) {
		sl_nats_resync_confirm_open(&tail->resync, now_ms);
		tail->told = NULL;
		tail->pause_ms = RETRY_MS;
	} else {
		sl_nats_resync_give_up(&tail->resync, NO_CONSUMER);
		tail->retry_ms = now_ms + tail->pause_ms;
		tail->pause_ms = 2 * tail->pause_ms < RETRY_MAX_MS ? 2 * tail->pause_ms : RETRY_MAX_MS;
	}
	unlock(tail);
}

enum sl_nats_verdict
sl_nats_tail_run(struct sl_nats_tail *tail, uint64_t now_ms)
{
	lock(tail);
	enum sl_nats_verdict verdict = sl_nats_resync_look(&tail->resync, now_ms);
	bool must_create = tail->connection && now_ms >= tail->retry_ms &&
		sl_nats_resync_must_create(&tail->resync);
	unlock(tail);
	if (must_create)
		replace_consumer(tail, now_ms);
	return verdict;
}

void
sl_nats_tail_tell_stream(struct sl_nats_tail *tail, const struct sl_nats_stream_state *state,
	uint64_t now_ms)
{
	uint64_t purged_through;
	lock(tail);
	sl_nats_resync_tell(&tail->resync, state, now_ms, &purged_through);
	unlock(tail);
	if (purged_through)
		sl_bus_purge(tail->config.bus, purged_through);
}

bool
sl_nats_tail_wants_stream(struct sl_nats_tail *tail)
{
	lock(tail);
	bool wants = sl_nats_resync_wants_state(&tail->resync);
	unlock(tail);
	return wants;
}

uint64_t
sl_nats_tail_get_generation(struct sl_nats_tail *tail)
{
	lock(tail);
	uint64_t generation = tail->resync.log.generation;
	unlock(tail);
	return generation;
}

/* ---- any thread ---- */

bool
sl_nats_tail_is_live(const struct sl_nats_tail *tail, uint64_t now_ms)
{
	uint64_t heard_ms = atomic_load_explicit(&tail->heard_ms, memory_order_relaxed);
	return heard_ms && now_ms <= heard_ms + SL_NATS_LIVE_MS;
}

bool
sl_nats_tail_is_same_log(const struct sl_nats_tail *tail)
{
	return atomic_load_explicit(&tail->is_same_log, memory_order_acquire);
}

bool
sl_nats_tail_has_caught_up(const struct sl_nats_tail *tail)
{
	return atomic_load_explicit(&tail->has_caught_up, memory_order_acquire);
}

void
sl_nats_tail_get_stats(const struct sl_nats_tail *tail, struct sl_nats_tail_stats *out)
{
	*out = (struct sl_nats_tail_stats){
		.lag_now = atomic_load_explicit(&tail->lag, memory_order_relaxed),
		.foreign = atomic_load_explicit(&tail->foreign, memory_order_relaxed),
		.lost = atomic_load_explicit(&tail->lost, memory_order_relaxed),
		.resyncs = atomic_load_explicit(&tail->resyncs, memory_order_relaxed),
		.resets = atomic_load_explicit(&tail->resets, memory_order_relaxed),
	};
}
