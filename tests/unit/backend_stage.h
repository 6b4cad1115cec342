/* A bus over each of the backends in turn, with shards that the test's thread plays. To add a backend, put it in
 * the list below. For programs linked with the clocks of tests/unit/set_clock.h.
 * Owner: the test. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_BACKEND_STAGE_H
#define SL_TESTS_BACKEND_STAGE_H

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/bus.h"
#include "bus/memory.h"
#include "bus/message.h"
#include "config/config.h"
#include "tests/backend/nats_stage.h"
#include "tests/backend/slow.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define SHARDS 3
#define POLL_TIMEOUT_MS 30000 /* only a lost wake-up takes as long */

struct options {
	size_t keys_max;
	size_t channels_max; /* 0: that of `config` */
	bool fails_often;
	bool takes_for_ever;
	const char *not_on_nats; /* why not; NULL: there too */
};

static inline int
create_memory(struct sl_backend **out, const struct options *options)
{
	return sl_memory_create(out, &(struct sl_config){ .idempotency_keys = options->keys_max });
}

static inline int
create_slow(struct sl_backend **out, const struct options *options)
{
	struct sl_slow_config config = { .seed = 11, .store_max_us = 300, .ack_max_us = 300,
		.hole_max = 4, .late_percent = 5, .immediate_percent = 20,
		.keys_max = options->keys_max };
	if (options->fails_often)
		config.fail_percent = 60;
	if (options->takes_for_ever) {
		config.store_max_us = UINT32_MAX; /* 70 minutes: some second of it is enough */
		config.immediate_percent = 0;
	}
	return sl_slow_create(out, &config);
}

static inline int
create_nats(struct sl_backend **out, const struct options *options)
{
	return nats_stage_create(out, options->keys_max);
}

static const struct {
	const char *name;
	int (*create)(struct sl_backend **out, const struct options *options);
	bool is_remote; /* the log is another process's: it has clocks of its own, and its ack may come before the
	                 * message */
} backends[] = {
	{ "memory", create_memory, false },
	{ "slow", create_slow, false },
	{ "nats", create_nats, true },
};

static const char *nats_is_missing; /* why, or NULL */

/* What a shard was told apart from messages. */
struct told {
	unsigned resets, aways, backs;
	uint32_t epoch;
};

/* A bus over one of the backends, with shards that this thread plays. */
struct stage {
	struct sl_bus *bus;
	size_t backend; /* in the list */
	uint64_t owner; /* of what is published from now on */
	bool is_remote;
	struct sl_mailbox mailboxes[SHARDS];
	struct told told[SHARDS];
	_Atomic unsigned heard; /* notices; `name` and `text` are of the last */
	char name[32], text[32];
};

struct publication {
	struct sl_publish publish;
	unsigned shard;
	int result;          /* SL_PENDING until done */
	struct sl_cursor id;
	unsigned done_count; /* calls of on_done */
};

static const struct sl_bus_config config = { .history_messages = 1000,
	.history_bytes = 1 << 20, .history_age_ms = 300000, .history_total_bytes = 1 << 24,
	.channels_max = 1000 };

static inline void
note_reset(void *arg, uint32_t epoch)
{
	struct told *told = arg;
	told->resets++;
	told->epoch = epoch;
}

static inline void
note_away(void *arg, bool away)
{
	struct told *told = arg;
	if (away)
		told->aways++;
	else
		told->backs++;
}

static inline void
note_notice(void *arg, const struct sl_notice *notice)
{
	struct stage *stage = arg;
	memcpy(stage->name, notice->name.bytes, notice->name.len);
	memcpy(stage->text, notice->text.bytes, notice->text.len);
	stage->heard++;
}

static inline void
start_stage(struct stage *stage, struct sl_backend *created, const struct options *options)
{
	struct sl_bus_config limits = config;
	if (options->channels_max)
		limits.channels_max = options->channels_max;
	stage->owner = 0;
	limits.on_notice = note_notice;
	limits.notice_arg = stage;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&stage->bus, &limits, created), 0);
	for (unsigned shard = 0; shard < SHARDS; shard++) {
		CU_ASSERT_EQUAL_FATAL(sl_mailbox_init(&stage->mailboxes[shard], 1024), 0);
		const struct sl_bus_events events = { note_reset, note_away, &stage->told[shard] };
		sl_bus_attach(stage->bus, shard, &stage->mailboxes[shard], &events);
	}
}

static inline void
open_stage(struct stage *stage, size_t backend, const struct options *options)
{
	struct sl_backend *created;
	*stage = (struct stage){ .backend = backend, .is_remote = backends[backend].is_remote };
	set_clock_is_off = stage->is_remote;
	CU_ASSERT_EQUAL_FATAL(backends[backend].create(&created, options), 0);
	start_stage(stage, created, options);
}

static inline void
close_stage(struct stage *stage)
{
	sl_bus_destroy(stage->bus);
	for (unsigned shard = 0; shard < SHARDS; shard++)
		sl_mailbox_finish(&stage->mailboxes[shard]);
	set_clock_is_off = false;
}

static inline bool
is_left_out(size_t backend, const struct options *options)
{
	if (!backends[backend].is_remote)
		return false;
	if (!nats_is_missing && options->not_on_nats)
		printf("\n    not with backend %s: %s\n    ", backends[backend].name, options->not_on_nats);
	return nats_is_missing || options->not_on_nats;
}

static inline void
for_each_backend(const struct options *options, void (*run)(struct stage *stage))
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
		struct stage stage;
		unsigned before = CU_get_number_of_failures();
		if (is_left_out(i, options))
			continue;
		open_stage(&stage, i, options);
		run(&stage);
		close_stage(&stage);
		if (CU_get_number_of_failures() > before)
			printf("\n    with backend %s", backends[i].name);
	}
}

static inline void
handle_done(struct sl_publish *publish)
{
	struct publication *publication = (struct publication *)publish;
	publication->done_count++;
	publication->result = publish->err;
	publication->id = publish->id;
}

static inline void
publish(struct stage *stage, struct publication *publication, unsigned shard,
	const char *channel, const char *key)
{
	struct sl_message *message;
	*publication = (struct publication){
		.publish = { .on_done = handle_done, .owner = stage->owner }, .shard = shard };
	if (sl_message_create(&message, channel, strlen(channel), SL_TEXT, "x", 1) != 0)
		abort();
	publication->result = sl_bus_publish(stage->bus, shard, message, key,
		key ? strlen(key) : 0, &publication->publish, &publication->id);
}

/* Where the message is in the mailboxes before its publish is answered there is nothing to wait for. */
static inline void
wait_for_head(struct stage *stage, uint64_t seq)
{
	for (unsigned ms = 0; stage->is_remote && sl_bus_head(stage->bus).seq < seq; ms++) {
		CU_ASSERT_FATAL(ms < POLL_TIMEOUT_MS);
		poll(NULL, 0, 1);
	}
}

/* Plays the publishing shard until the publish is answered, and its message delivered. */
static inline void
wait_for(struct stage *stage, struct publication *publication)
{
	struct sl_mailbox *mailbox = &stage->mailboxes[publication->shard];
	while (publication->result == SL_PENDING) {
		struct pollfd fd = { .fd = mailbox->event_fd, .events = POLLIN };
		CU_ASSERT_EQUAL_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS), 1);
		sl_mailbox_rest(mailbox);
		sl_mailbox_run_tasks(mailbox);
	}
	if (publication->result == 0)
		wait_for_head(stage, publication->id.seq);
}

static inline void
publish_and_wait(struct stage *stage, struct publication *publication, const char *channel,
	const char *key)
{
	publish(stage, publication, 0, channel, key);
	wait_for(stage, publication);
}

static inline struct sl_channel *
want(struct stage *stage, unsigned shard, const char *channel)
{
	struct sl_channel *record;
	uint64_t since;
	CU_ASSERT_EQUAL_FATAL(
		sl_bus_want(stage->bus, shard, channel, strlen(channel), 0, &record, &since), 0);
	return record;
}

/* Pops one message; returns its number, 0 when there is none. */
static inline uint64_t
pop_seq(struct stage *stage, unsigned shard)
{
	struct sl_message *message;
	if (!sl_mailbox_pop(&stage->mailboxes[shard], &message, 1))
		return 0;
	uint64_t seq = message->seq;
	sl_message_unref(message);
	return seq;
}

/* With a NATS server, where there can be one; a test's environment may require that. Returns the exit status. */
static inline int
run_over_backends(const char *suite_name, const struct unit_test *tests)
{
	nats_is_missing = nats_stage_open();
	if (nats_is_missing)
		printf("backend nats is not tested: %s\n", nats_is_missing);
	if (nats_is_missing && getenv("SLUICE_REQUIRE_TOOLS"))
		return 1;
	int status = unit_main(suite_name, tests);
	nats_stage_close();
	return status;
}

#endif
