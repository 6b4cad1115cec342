/* A publisher under a bus, over a nats-server of the test's own; without a tail.
 * Owner: static. Thread: main; answers come on others. Errors: abort, or a failed assertion. */
#ifndef SL_TESTS_NATS_WORLD_H
#define SL_TESTS_NATS_WORLD_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bus/backend.h"
#include "bus/message.h"
#include "bus/nats_publisher.h"
#include "tests/backend/nats_server.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define WORLD_BUS "main"
#define WORLD_STREAM "sluice-main"
#define WORLD_WAIT_S 30

struct world_backend {
	struct sl_backend base; /* first */
	struct sl_nats_publisher *publisher;
};

/* One gateway: a bus and a connection of its own. */
struct world_node {
	struct sl_bus *bus;
	struct sl_nats_publisher *publisher;
	natsConnection *connection;
	jsCtx *js;
};

/* One publish and its answer. */
struct world_shot {
	struct sl_publish publish; /* first */
	int result;                /* of sl_bus_publish */
	struct sl_cursor id;
	bool is_done;
};

static struct nats_server world_server;
static pthread_mutex_t world_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t world_changed = PTHREAD_COND_INITIALIZER;
static struct sl_nats_publisher_config world_config; /* what nodes get */

static int
world_start(struct sl_backend *backend)
{
	struct world_backend *world = (struct world_backend *)backend;
	struct sl_nats_publisher_config config = world_config;
	config.bus = backend->bus;
	config.bus_name = WORLD_BUS;
	sl_bus_set_epoch(backend->bus, 7);
	return sl_nats_publisher_create(&world->publisher, &config);
}

static void
world_destroy(struct sl_backend *backend)
{
	sl_nats_publisher_destroy(((struct world_backend *)backend)->publisher);
	free(backend);
}

static int
world_publish(struct sl_backend *backend, struct sl_message *message, const char *key,
	size_t key_len, struct sl_publish *pending, struct sl_cursor *id)
{
	return sl_nats_publisher_add(((struct world_backend *)backend)->publisher, message, key, key_len,
		pending, id);
}

/* A node that has no connection. */
static inline struct world_node
world_open_node(void)
{
	static const struct sl_backend_ops ops = { .name = "world", .answers_later = true,
		.start = world_start, .destroy = world_destroy, .publish = world_publish };
	static const struct sl_bus_config limits = { 100, 1 << 20, 60000, 1 << 24, 1000 };
	struct world_node node = { 0 };
	struct world_backend *backend = calloc(1, sizeof *backend);
	if (!backend)
		abort();
	backend->base.ops = &ops;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&node.bus, &limits, &backend->base), 0);
	node.publisher = backend->publisher;
	return node;
}

static inline void
world_connect(struct world_node *node)
{
	natsOptions *options;
	CU_ASSERT_EQUAL_FATAL(natsOptions_Create(&options), NATS_OK);
	natsOptions_SetURL(options, world_server.url);
	natsOptions_SetAllowReconnect(options, false);
	natsOptions_SetSendAsap(options, true);
	CU_ASSERT_EQUAL_FATAL(natsConnection_Connect(&node->connection, options), NATS_OK);
	natsOptions_Destroy(options);
	CU_ASSERT_EQUAL_FATAL(natsConnection_JetStream(&node->js, node->connection, NULL), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(sl_nats_publisher_use(node->publisher, node->connection), 0);
}

static inline void
world_disconnect(struct world_node *node)
{
	sl_nats_publisher_use(node->publisher, NULL);
	jsCtx_Destroy(node->js);
	natsConnection_Destroy(node->connection);
	node->js = NULL;
	node->connection = NULL;
}

static inline void
world_close_node(struct world_node *node)
{
	world_disconnect(node);
	sl_bus_destroy(node->bus);
}

/* The log. */
static inline void
world_make_stream(struct world_node *node)
{
	const char *subjects[] = { "sluice." WORLD_BUS ".>" };
	jsStreamConfig config;
	jsStreamConfig_Init(&config);
	config.Name = WORLD_STREAM;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.MaxMsgSize = 100000;
	CU_ASSERT_EQUAL_FATAL(js_AddStream(NULL, node->js, &config, NULL, NULL), NATS_OK);
}

static inline void
world_drop_stream(struct world_node *node)
{
	CU_ASSERT_EQUAL_FATAL(js_DeleteStream(node->js, WORLD_STREAM, NULL, NULL), NATS_OK);
}

static inline uint64_t
world_count(struct world_node *node)
{
	jsStreamInfo *info = NULL;
	CU_ASSERT_EQUAL_FATAL(js_GetStreamInfo(&info, node->js, WORLD_STREAM, NULL, NULL), NATS_OK);
	uint64_t count = info->State.Msgs;
	jsStreamInfo_Destroy(info);
	return count;
}

/* The text of a message in the log. */
static inline void
world_expect_text(struct world_node *node, uint64_t seq, const char *text)
{
	natsMsg *message = NULL;
	CU_ASSERT_EQUAL_FATAL(js_GetMsg(&message, node->js, WORLD_STREAM, seq, NULL, NULL), NATS_OK);
	CU_ASSERT_EQUAL(natsMsg_GetDataLength(message), (int)strlen(text));
	CU_ASSERT_EQUAL(memcmp(natsMsg_GetData(message), text, strlen(text)), 0);
	natsMsg_Destroy(message);
}

/* On libnats's threads. */
static void
world_on_done(struct sl_publish *publish)
{
	pthread_mutex_lock(&world_lock);
	((struct world_shot *)publish)->is_done = true;
	pthread_cond_broadcast(&world_changed);
	pthread_mutex_unlock(&world_lock);
}

static inline void
world_shoot(struct world_node *node, struct world_shot *shot, const char *text, const char *key)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "a.b", 3, SL_TEXT, text, strlen(text)), 0);
	*shot = (struct world_shot){ .publish.on_done = world_on_done };
	shot->result = sl_bus_publish(node->bus, 0, message, key, key ? strlen(key) : 0,
		&shot->publish, &shot->id);
}

/* Its outcome, once it is there. */
static inline int
world_await(struct world_shot *shot)
{
	struct timespec until;
	if (shot->result != SL_PENDING)
		return shot->result;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WORLD_WAIT_S;
	pthread_mutex_lock(&world_lock);
	int timed_out = 0;
	while (!shot->is_done && !timed_out)
		timed_out = pthread_cond_timedwait(&world_changed, &world_lock, &until);
	bool is_done = shot->is_done;
	pthread_mutex_unlock(&world_lock);
	CU_ASSERT_TRUE_FATAL(is_done);
	shot->id = shot->publish.id;
	return shot->publish.err;
}

/* Of main(): runs the tests, each with what `limits` says, unless there is no server. */
static inline int
world_main(const char *suite, const struct unit_test *tests)
{
	int err = nats_server_start(&world_server);
	if (err != 0) {
		puts(err == SL_ENOENT ? "nats-server is not installed" : "nats-server does not start");
		return err != SL_ENOENT || getenv("SLUICE_REQUIRE_TOOLS") ? 1 : 77; /* automake's skip */
	}
	world_config = (struct sl_nats_publisher_config){ .pending_max = 1000, .bytes_max = 1 << 24,
		.keys_max = 100, .timeout_ms = 20000 };
	int status = unit_main(suite, tests);
	nats_server_stop(&world_server);
	return status;
}

#endif
