/* The seam without sockets: publishers, and readers that behave as shards do, on threads.
 * Mailboxes are tiny, so that they overrun all the time. Afterwards every subscription is
 * checked against what was really published: each message between its first and its last
 * cursor was delivered exactly once, in order, or lies in a gap that was told. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/memory.h"
#include "bus/message.h"
#include "config/config.h"
#include "tests/backend/slow.h"
#include "tests/unit/subscription.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define READERS 3
#define PUBLISHERS 2
#define WORKERS (READERS + PUBLISHERS)
#define CHANNELS 8
#define CONNECTIONS 6
#define SUBSCRIPTIONS 3 /* a connection, at most */
#define KEYS 1000
#define OUTSTANDING_MAX 64
#define OVERRUNS_MIN 50       /* publishing goes on until there were so many */
#define SUBSCRIPTIONS_MIN 500
#define POLL_TIMEOUT_MS 30000 /* only a lost wake-up takes as long */

struct connection {
	struct subscription *subscriptions[SUBSCRIPTIONS];
	size_t count; /* 0: closed */
	bool is_live;
	uint64_t position;
};

struct run {
	struct sl_bus *bus;
	size_t messages; /* a publisher, or up to twenty times as many */
	bool sweeps;
	_Atomic bool is_over;
	_Atomic size_t overruns, subscriptions;
	_Atomic uint64_t key_seqs[KEYS]; /* the answer to each key */
};

/* A thread with a mailbox. */
struct worker {
	struct run *run;
	pthread_t thread;
	unsigned shard;
	struct sl_mailbox mailbox;
	uint64_t random;
	size_t outstanding, failed, next_key;
	struct numbers published[CHANNELS];
	const char *fault;

	/* readers only */
	uint64_t position;
	struct connection connections[CONNECTIONS];
	struct { struct sl_channel *record; size_t users; uint64_t since; } interest[CHANNELS];
	struct subscription *finished;
	size_t caught_up;
};

struct publication {
	struct sl_publish publish;
	struct worker *worker;
	unsigned channel;
	size_t key; /* KEYS: none */
};

static uint64_t
draw(struct worker *worker, uint64_t below)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return worker->random % below;
}

static size_t
format_channel(char name[16], unsigned channel)
{
	return (size_t)snprintf(name, 16, "channel.%u", channel);
}

/* ---- publishing ---- */

static void
note_answer(struct publication *publication, int err, struct sl_cursor id)
{
	struct worker *worker = publication->worker;
	if (err) {
		worker->failed++;
		return;
	}
	add_number(&worker->published[publication->channel], id.seq);
	uint64_t first = 0;
	if (publication->key < KEYS && !atomic_compare_exchange_strong(
			&worker->run->key_seqs[publication->key], &first, id.seq) && first != id.seq)
		worker->fault = "a repeated key got another id";
}

static void
handle_done(struct sl_publish *publish)
{
	struct publication *publication = (struct publication *)publish;
	publication->worker->outstanding--;
	note_answer(publication, publish->err, publish->id);
	free(publication);
}

static void
publish_one(struct worker *worker)
{
	struct publication *publication = calloc(1, sizeof *publication);
	publication->publish.on_done = handle_done;
	publication->worker = worker;
	publication->key = KEYS;
	char key[16], name[16];
	size_t key_len = 0;
	if (worker->next_key < KEYS && draw(worker, 4) == 0) {
		/* every worker goes through the same keys at about the same time */
		publication->key = worker->next_key++;
		key_len = (size_t)snprintf(key, sizeof key, "key-%08zu", publication->key);
	} else {
		publication->channel = (unsigned)draw(worker, CHANNELS);
	}
	size_t len = format_channel(name, publication->channel);
	struct sl_message *message;
	if (sl_message_create(&message, name, len, SL_TEXT, "x", 1) != 0)
		abort();
	struct sl_cursor id;
	int result = sl_bus_publish(worker->run->bus, worker->shard, message,
		key_len ? key : NULL, key_len, &publication->publish, &id);
	if (result == SL_PENDING) {
		worker->outstanding++;
		return;
	}
	note_answer(publication, result, id);
	free(publication);
}

static bool
wait_for_mailbox(struct worker *worker, int timeout_ms)
{
	struct pollfd fd = { .fd = worker->mailbox.event_fd, .events = POLLIN };
	if (poll(&fd, 1, timeout_ms) == 0 && timeout_ms == POLL_TIMEOUT_MS) {
		worker->fault = "nobody woke the shard";
		return false;
	}
	sl_mailbox_rest(&worker->mailbox);
	sl_mailbox_run_tasks(&worker->mailbox);
	return true;
}

/* How threads are scheduled decides how much happens to a number of messages. */
static bool
has_seen_enough(const struct run *run)
{
	return run->overruns >= OVERRUNS_MIN && run->subscriptions >= SUBSCRIPTIONS_MIN;
}

static void *
run_publisher(void *arg)
{
	struct worker *worker = arg;
	size_t least = worker->run->messages, most = 20 * least;
	for (size_t i = 0; i < least || (i < most && !has_seen_enough(worker->run)); i++) {
		if (worker->fault)
			break;
		publish_one(worker);
		while (worker->outstanding >= OUTSTANDING_MAX && wait_for_mailbox(worker, POLL_TIMEOUT_MS))
			continue;
		if (draw(worker, 16) == 0)
			sched_yield();
	}
	while (worker->outstanding && wait_for_mailbox(worker, POLL_TIMEOUT_MS))
		continue;
	return NULL;
}

/* ---- reading, as a shard does ---- */

static uint64_t
cursor_of(struct worker *worker, struct connection *connection)
{
	if (!connection->is_live || connection->position > worker->position)
		return connection->position;
	return worker->position;
}

static struct subscription *
find_subscription(struct connection *connection, unsigned channel)
{
	for (size_t i = 0; i < connection->count; i++)
		if (connection->subscriptions[i]->channel == channel)
			return connection->subscriptions[i];
	return NULL;
}

static void
subscribe(struct worker *worker, struct connection *connection, unsigned channel)
{
	if (connection->count == SUBSCRIPTIONS || find_subscription(connection, channel))
		return;
	if (worker->interest[channel].users++ == 0) {
		char name[16];
		size_t len = format_channel(name, channel);
		if (sl_bus_want(worker->run->bus, worker->shard, name, len, 0,
				&worker->interest[channel].record, &worker->interest[channel].since) != 0)
			abort();
	}
	connection->position = cursor_of(worker, connection);
	connection->is_live = false;
	struct subscription *subscription = calloc(1, sizeof *subscription);
	subscription->channel = channel;
	subscription->start = connection->position;
	connection->subscriptions[connection->count++] = subscription;
	worker->run->subscriptions++;
}

static void
unsubscribe_last(struct worker *worker, struct connection *connection)
{
	struct subscription *subscription = connection->subscriptions[--connection->count];
	subscription->end = cursor_of(worker, connection);
	subscription->next = worker->finished;
	worker->finished = subscription;
	if (--worker->interest[subscription->channel].users == 0)
		sl_bus_unwant(worker->run->bus, worker->shard,
			worker->interest[subscription->channel].record);
}

static void
see(struct worker *worker, struct connection *connection, struct sl_message *message)
{
	unsigned channel = (unsigned)(message->channel[message->channel_len - 1] - '0');
	struct subscription *subscription = find_subscription(connection, channel);
	if (!subscription || message->seq <= connection->position)
		return;
	add_number(&subscription->seen, message->seq);
	connection->position = message->seq;
}

static void
drain_mailbox(struct worker *worker)
{
	struct sl_message *messages[5];
	size_t count;
	while ((count = sl_mailbox_pop(&worker->mailbox, messages, 5)))
		for (size_t i = 0; i < count; i++) {
			/* Its client may be back with this cursor before the head says so. */
			if (sl_bus_is_above_log(worker->run->bus, messages[i]->seq))
				worker->fault = "a message was above the log";
			for (size_t c = 0; c < CONNECTIONS; c++)
				if (worker->connections[c].is_live)
					see(worker, &worker->connections[c], messages[i]);
			sl_message_unref(messages[i]);
		}
}

static void
take_overrun(struct worker *worker)
{
	uint64_t lost_after, resumed;
	if (!sl_bus_take_overrun(worker->run->bus, worker->shard, &lost_after, &resumed))
		return;
	worker->run->overruns++;
	for (size_t c = 0; c < CONNECTIONS; c++) {
		struct connection *connection = &worker->connections[c];
		if (connection->is_live && connection->position < lost_after)
			connection->position = lost_after;
		connection->is_live = false;
	}
	worker->position = resumed;
}

static void
catch_up(struct worker *worker, struct connection *connection)
{
	struct sl_read_channel channels[SUBSCRIPTIONS];
	struct sl_message *messages[8];
	struct sl_read read = { .channels = channels, .channel_count = connection->count,
		.max_messages = 1 + draw(worker, 8), .max_bytes = 600, .messages = messages };
	for (size_t i = 0; i < connection->count; i++) {
		struct subscription *subscription = connection->subscriptions[i];
		uint64_t after = connection->position;
		channels[i].channel = worker->interest[subscription->channel].record;
		channels[i].after = after > subscription->after ? after : subscription->after;
	}
	sl_bus_read(worker->run->bus, &read);
	for (size_t i = 0; i < connection->count; i++)
		if (channels[i].gap_resumed) {
			struct subscription *subscription = connection->subscriptions[i];
			add_number(&subscription->gaps, channels[i].after);
			add_number(&subscription->gaps, channels[i].gap_resumed);
			subscription->after = channels[i].gap_resumed;
		}
	for (size_t i = 0; i < read.count; i++) {
		if (messages[i]->seq <= connection->position)
			worker->fault = "a read went back";
		see(worker, connection, messages[i]);
		sl_message_unref(messages[i]);
	}
	if (connection->position < read.through)
		connection->position = read.through;
	connection->is_live = !read.more && connection->position >= worker->position;
	for (size_t i = 0; i < connection->count; i++)
		if (connection->position < worker->interest[connection->subscriptions[i]->channel].since)
			connection->is_live = false;
	worker->caught_up += connection->is_live;
}

static uint64_t
draw_cursor(struct worker *worker)
{
	uint64_t head = sl_bus_head(worker->run->bus).seq, back = draw(worker, 400);
	switch (draw(worker, 8)) {
	case 0: return head;
	case 1: return head + draw(worker, 10);
	case 2: return 0;
	case 3: return head > back ? head - back : 0;
	default: return worker->position;
	}
}

static void
do_something(struct worker *worker)
{
	struct connection *connection = &worker->connections[draw(worker, CONNECTIONS)];
	switch (draw(worker, 12)) {
	case 0:
		while (connection->count)
			unsubscribe_last(worker, connection);
		connection->is_live = false;
		break;
	case 1: /* a new connection must have a cursor before it has a channel */
		if (!connection->count)
			connection->position = draw_cursor(worker);
		subscribe(worker, connection, (unsigned)draw(worker, CHANNELS));
		break;
	case 2:
		if (connection->count > 1)
			unsubscribe_last(worker, connection);
		break;
	case 3:
		if (worker->outstanding < OUTSTANDING_MAX)
			publish_one(worker);
		break;
	case 4:
		if (worker->run->sweeps && draw(worker, 20) == 0)
			sl_bus_sweep(worker->run->bus);
		break;
	default:
		break;
	}
}

/* One turn. Returns true while a connection is behind. */
static bool
turn(struct worker *worker)
{
	uint64_t head = sl_bus_head(worker->run->bus).seq;
	drain_mailbox(worker);
	if (worker->position < head)
		worker->position = head;
	if (draw(worker, 4) == 0)
		sched_yield(); /* an overrun just here is the hard case */
	take_overrun(worker);
	bool is_behind = false;
	for (size_t c = 0; c < CONNECTIONS; c++) {
		struct connection *connection = &worker->connections[c];
		if (connection->count && !connection->is_live)
			catch_up(worker, connection);
		is_behind |= connection->count && !connection->is_live;
	}
	return is_behind;
}

static bool
has_live_connection(struct worker *worker)
{
	for (size_t c = 0; c < CONNECTIONS; c++)
		if (worker->connections[c].is_live)
			return true;
	return false;
}

static void *
run_reader(void *arg)
{
	struct worker *worker = arg;
	bool must_turn = true;
	while (!worker->run->is_over && !worker->fault) {
		wait_for_mailbox(worker, must_turn ? 0 : POLL_TIMEOUT_MS);
		must_turn = turn(worker);
		do_something(worker);
		/* its own publishes wake nobody; without connections nothing would */
		must_turn |= !sl_mailbox_is_empty(&worker->mailbox) || !has_live_connection(worker);
	}
	while (worker->outstanding && wait_for_mailbox(worker, POLL_TIMEOUT_MS))
		continue;
	return NULL;
}

/* After all publishing: what is still on its way arrives, and every subscription ends. */
static void
finish_reader(struct worker *worker)
{
	bool is_behind;
	do {
		sl_mailbox_rest(&worker->mailbox);
		is_behind = turn(worker);
	} while (is_behind || !sl_mailbox_is_empty(&worker->mailbox));
	for (size_t c = 0; c < CONNECTIONS; c++)
		while (worker->connections[c].count)
			unsubscribe_last(worker, &worker->connections[c]);
}

/* ---- checking ---- */

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

struct totals {
	size_t seen, gaps, caught_up, failed;
};

static void
check_reader(struct worker *worker, const struct numbers *published, struct totals *totals)
{
	while (worker->finished) {
		struct subscription *subscription = worker->finished;
		worker->finished = subscription->next;
		const char *fault = check_subscription(subscription, &published[subscription->channel]);
		if (fault && !worker->fault)
			worker->fault = fault;
		totals->seen += subscription->seen.len;
		totals->gaps += subscription->gaps.len / 2;
		free(subscription->seen.at);
		free(subscription->gaps.at);
		free(subscription);
	}
	totals->caught_up += worker->caught_up;
}

static void
gather_published(struct worker *workers, struct numbers *published)
{
	for (size_t channel = 0; channel < CHANNELS; channel++) {
		for (size_t w = 0; w < WORKERS; w++) {
			struct numbers *part = &workers[w].published[channel];
			for (size_t i = 0; i < part->len; i++)
				add_number(&published[channel], part->at[i]);
			free(part->at);
		}
		qsort(published[channel].at, published[channel].len, sizeof(uint64_t), compare_numbers);
	}
}

static struct totals
run_all(struct run *run, const struct sl_bus_config *config, struct sl_backend *backend)
{
	static struct worker workers[WORKERS];
	struct numbers published[CHANNELS] = { 0 };
	struct totals totals = { 0 };
	memset(workers, 0, sizeof workers);
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&run->bus, config, backend), 0);
	for (unsigned w = 0; w < WORKERS; w++) {
		struct worker *worker = &workers[w];
		worker->run = run;
		worker->shard = w;
		worker->random = 0x9e3779b97f4a7c15u * (w + 1);
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&worker->mailbox, 8), 0);
		sl_bus_attach(run->bus, w, &worker->mailbox, NULL);
	}
	for (size_t w = 0; w < WORKERS; w++)
		pthread_create(&workers[w].thread, NULL, w < READERS ? run_reader : run_publisher, &workers[w]);
	for (size_t w = READERS; w < WORKERS; w++)
		pthread_join(workers[w].thread, NULL);
	run->is_over = true;
	for (size_t w = 0; w < READERS; w++)
		sl_mailbox_wake(&workers[w].mailbox);
	for (size_t w = 0; w < READERS; w++)
		pthread_join(workers[w].thread, NULL);
	for (size_t w = 0; w < READERS; w++)
		finish_reader(&workers[w]);
	gather_published(workers, published);
	for (unsigned w = 0; w < WORKERS; w++) {
		check_reader(&workers[w], published, &totals);
		totals.failed += workers[w].failed;
		if (workers[w].fault)
			printf("worker %u: %s\n", w, workers[w].fault);
		CU_ASSERT_PTR_NULL(workers[w].fault);
		sl_bus_detach(run->bus, w);
		sl_mailbox_finish(&workers[w].mailbox);
	}
	for (size_t channel = 0; channel < CHANNELS; channel++)
		free(published[channel].at);
	sl_bus_destroy(run->bus);
	printf("\n    subscriptions=%zu seen=%zu gaps=%zu overruns=%zu caught_up=%zu failed=%zu\n",
		run->subscriptions, totals.seen, totals.gaps, run->overruns, totals.caught_up,
		totals.failed);
	CU_ASSERT_TRUE(has_seen_enough(run));
	return totals;
}

static const struct sl_bus_config ample = { .history_messages = 1000000,
	.history_bytes = SIZE_MAX, .history_age_ms = 3600000, .history_total_bytes = SIZE_MAX,
	.channels_max = 100 };
static const struct sl_bus_config scarce = { .history_messages = 20, .history_bytes = 4000,
	.history_age_ms = 1, .history_total_bytes = 20000, .channels_max = 100 };

static struct sl_backend *
make_slow(unsigned fail_percent)
{
	struct sl_slow_config config = { .seed = 7, .store_max_us = 100, .ack_max_us = 100,
		.hole_max = 3, .late_percent = 3, .immediate_percent = 20, .fail_percent = fail_percent };
	struct sl_backend *backend;
	CU_ASSERT_EQUAL_FATAL(sl_slow_create(&backend, &config), 0);
	return backend;
}

static struct sl_backend *
make_memory(void)
{
	struct sl_backend *backend;
	CU_ASSERT_EQUAL_FATAL(sl_memory_create(&backend, &(struct sl_config){ .idempotency_keys = 1000 }), 0);
	return backend;
}

static void
test_bus_loses_nothing_over_memory_with_ample_history(void)
{
	static struct run run = { .messages = 30000 };
	CU_ASSERT_EQUAL(run_all(&run, &ample, make_memory()).gaps, 0);
}

static void
test_bus_tells_every_loss_over_memory_with_scarce_history(void)
{
	static struct run run = { .messages = 60000, .sweeps = true };
	CU_ASSERT_TRUE(run_all(&run, &scarce, make_memory()).gaps > 0);
}

static void
test_bus_loses_nothing_over_a_slow_backend_with_ample_history(void)
{
	static struct run run = { .messages = 20000 };
	CU_ASSERT_EQUAL(run_all(&run, &ample, make_slow(5)).gaps, 0);
}

static void
test_bus_tells_every_loss_over_a_slow_backend_with_scarce_history(void)
{
	static struct run run = { .messages = 20000, .sweeps = true };
	CU_ASSERT_TRUE(run_all(&run, &scarce, make_slow(0)).gaps > 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_bus_loses_nothing_over_memory_with_ample_history),
		UNIT_TEST(test_bus_tells_every_loss_over_memory_with_scarce_history),
		UNIT_TEST(test_bus_loses_nothing_over_a_slow_backend_with_ample_history),
		UNIT_TEST(test_bus_tells_every_loss_over_a_slow_backend_with_scarce_history),
		{ NULL, NULL },
	};
	return unit_main("bus_threads", tests);
}
