/* Nodes that tell each other, over a real server. */
#include "bus/nats_notices.h"

#include "config/config.h"
#include "tests/unit/nats_world.h"
#include "util/clock.h"

#define HOUR_S 3600

/* A node's notices, run by the test as the worker would. */
struct node {
	struct sl_bus *bus;
	struct sl_nats_notices *notices;
	natsConnection *connection;
	char heard[16][200]; /* "name: text" */
	unsigned count;
};

static struct node one, other;
static struct sl_config config;
static char bus_name[16];
static unsigned buses;

struct backend {
	struct sl_backend base; /* first */
	struct sl_nats_notices **notices;
};

static int
start(struct sl_backend *backend)
{
	sl_bus_set_epoch(backend->bus, 7);
	return sl_nats_notices_create(((struct backend *)backend)->notices, backend->bus, &config);
}

static void
destroy(struct sl_backend *backend)
{
	sl_nats_notices_destroy(*((struct backend *)backend)->notices);
	free(backend);
}

static int
refuse(struct sl_backend *backend, struct sl_message *message, const char *key, size_t key_len,
	struct sl_publish *pending, struct sl_cursor *id)
{
	(void)backend, (void)key, (void)key_len, (void)pending, (void)id;
	sl_message_unref(message);
	return SL_EBACKEND;
}

static int
announce(struct sl_backend *backend, const struct sl_notice *notice, struct sl_publish *pending)
{
	return sl_nats_notices_announce(*((struct backend *)backend)->notices, notice, pending);
}

/* On libnats's threads. */
static void
on_notice(void *arg, const struct sl_notice *notice)
{
	struct node *node = arg;
	pthread_mutex_lock(&world_lock);
	snprintf(node->heard[node->count++ % 16], sizeof *node->heard, "%.*s: %.*s", (int)notice->name.len,
		notice->name.bytes, (int)notice->text.len, notice->text.bytes);
	CU_ASSERT_TRUE(notice->kept_s > 0);
	pthread_mutex_unlock(&world_lock);
}

static void
open_node(struct node *node)
{
	static const struct sl_backend_ops ops = { .name = "notices", .answers_later = true,
		.start = start, .destroy = destroy, .publish = refuse, .announce = announce };
	struct sl_bus_config limits = { 100, 1 << 20, 60000, 1 << 24, 1000, .on_notice = on_notice,
		.notice_arg = node };
	struct backend *backend = calloc(1, sizeof *backend);
	*node = (struct node){ 0 };
	backend->base.ops = &ops;
	backend->notices = &node->notices;
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&node->bus, &limits, &backend->base), 0);
}

static void
connect_node(struct node *node)
{
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&node->connection, world_server.url), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(sl_nats_notices_use(node->notices, node->connection), 0);
}

static void
disconnect_node(struct node *node)
{
	sl_nats_notices_use(node->notices, NULL);
	natsConnection_Destroy(node->connection);
	node->connection = NULL;
}

static void
close_node(struct node *node)
{
	disconnect_node(node);
	sl_bus_destroy(node->bus);
}

static void
run_both(void)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	if (one.notices)
		sl_nats_notices_run(one.notices, now_ms);
	if (other.notices)
		sl_nats_notices_run(other.notices, now_ms);
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static unsigned
count_heard(struct node *node)
{
	pthread_mutex_lock(&world_lock);
	unsigned count = node->count;
	pthread_mutex_unlock(&world_lock);
	return count;
}

static void
run_until_heard(struct node *node, unsigned count)
{
	while (count_heard(node) < count)
		run_both();
}

static void
tell(struct node *node, struct world_shot *shot, const char *name, const char *text)
{
	struct sl_notice notice = { { name, strlen(name) }, { text, strlen(text) },
		sl_clock_wall_us() / 1000000 + HOUR_S };
	*shot = (struct world_shot){ .publish.on_done = world_on_done };
	shot->result = sl_bus_announce(node->bus, 0, &notice, &shot->publish);
}

static int
await(struct world_shot *shot)
{
	bool is_done = shot->result != SL_PENDING;
	while (!is_done) {
		run_both();
		pthread_mutex_lock(&world_lock);
		is_done = shot->is_done;
		pthread_mutex_unlock(&world_lock);
	}
	return shot->result == SL_PENDING ? shot->publish.err : shot->result;
}

/* Each test has a bus of its own. */
static void
begin(void)
{
	snprintf(bus_name, sizeof bus_name, "b%u", ++buses);
	config = (struct sl_config){ .nats_bus = bus_name, .publish_timeout_ms = 20000,
		.token_max_age_ms = 60000, .max_revocations = 100 };
	open_node(&one);
	other = (struct node){ 0 };
}

static void
test_nats_notices_are_heard_by_all_and_later_by_those_who_start_later(void)
{
	struct world_shot shots[3];
	begin();
	connect_node(&one);
	tell(&one, &shots[0], "r.a b", "{\"until\":1}");
	tell(&one, &shots[1], "r.c", "{\"until\":2}");
	CU_ASSERT_EQUAL(await(&shots[0]), 0);
	CU_ASSERT_EQUAL(await(&shots[1]), 0);
	run_until_heard(&one, 2);
	tell(&one, &shots[2], "r.a b", "{\"until\":3}");
	CU_ASSERT_EQUAL(await(&shots[2]), 0);
	open_node(&other);
	connect_node(&other);
	CU_ASSERT_FALSE(sl_nats_notices_has_caught_up(other.notices));
	while (!sl_nats_notices_has_caught_up(other.notices))
		run_both();
	CU_ASSERT_EQUAL(count_heard(&other), 2);
	CU_ASSERT_STRING_EQUAL(other.heard[0], "r.c: {\"until\":2}");
	CU_ASSERT_STRING_EQUAL(other.heard[1], "r.a b: {\"until\":3}");
	tell(&other, &shots[0], "r.d", "{}");
	CU_ASSERT_EQUAL(await(&shots[0]), 0);
	run_until_heard(&one, 4);
	CU_ASSERT_STRING_EQUAL(one.heard[3], "r.d: {}");
	close_node(&other);
	close_node(&one);
}

static void
test_nats_notices_wait_for_the_stream_and_are_told_once_it_is_there(void)
{
	struct world_shot shot;
	begin();
	config.publish_timeout_ms = 50;
	sl_bus_destroy(one.bus);
	open_node(&one);
	tell(&one, &shot, "r.a", "{\"until\":1}");
	CU_ASSERT_EQUAL(await(&shot), SL_EUNKNOWN); /* which is not the end of it */
	connect_node(&one);
	run_until_heard(&one, 1);
	CU_ASSERT_STRING_EQUAL(one.heard[0], "r.a: {\"until\":1}");
	close_node(&one);
}

static void
test_nats_notices_reach_a_node_that_was_away(void)
{
	struct world_shot shot;
	begin();
	connect_node(&one);
	open_node(&other);
	connect_node(&other);
	tell(&one, &shot, "r.a", "{}");
	CU_ASSERT_EQUAL(await(&shot), 0);
	run_until_heard(&other, 1);
	disconnect_node(&other);
	tell(&one, &shot, "r.b", "{}");
	CU_ASSERT_EQUAL(await(&shot), 0);
	connect_node(&other);
	run_until_heard(&other, 2);
	while (!sl_nats_notices_has_caught_up(other.notices))
		run_both();
	CU_ASSERT_EQUAL(count_heard(&other), 2); /* the first one not again */
	close_node(&other);
	close_node(&one);
}

static void
test_nats_notices_begin_again_when_the_server_stood_still(void)
{
	struct world_shot shot;
	begin();
	connect_node(&one);
	tell(&one, &shot, "r.a", "{}");
	CU_ASSERT_EQUAL(await(&shot), 0);
	nats_server_pause(&world_server);
	tell(&one, &shot, "r.b", "{}");
	for (unsigned i = 0; i < 50; i++)
		run_both();
	nats_server_resume(&world_server);
	CU_ASSERT_EQUAL(await(&shot), 0);
	run_until_heard(&one, 2);
	close_node(&one);
}

static void
test_nats_notices_pass_over_what_is_none(void)
{
	struct world_shot shot;
	char subject[64];
	natsMsg *message;
	begin();
	connect_node(&one);
	tell(&one, &shot, "r.a", "{}");
	CU_ASSERT_EQUAL(await(&shot), 0);
	run_until_heard(&one, 1);
	static const char *const kepts[] = { NULL, "soon", "-1", "99999999999999999999" };
	for (unsigned i = 0; i < 4; i++) {
		snprintf(subject, sizeof subject, "sluice-nodes.%s.x%u", bus_name, i);
		CU_ASSERT_EQUAL_FATAL(natsMsg_Create(&message, subject, NULL, "{}", 2), NATS_OK);
		if (kepts[i])
			natsMsgHeader_Set(message, "Sluice-Kept", kepts[i]);
		CU_ASSERT_EQUAL(natsConnection_PublishMsg(one.connection, message), NATS_OK);
		natsMsg_Destroy(message);
	}
	tell(&one, &shot, "r.b", "{}");
	CU_ASSERT_EQUAL(await(&shot), 0);
	run_until_heard(&one, 2);
	CU_ASSERT_STRING_EQUAL(one.heard[1], "r.b: {}");
	close_node(&one);
}

static void
test_nats_notices_are_bounded(void)
{
	struct world_shot shot;
	char long_text[SL_NATS_NOTICE_BYTES_MAX + 2];
	static struct world_shot many[SL_NATS_NOTICES_MAX];
	begin();
	memset(long_text, ' ', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	tell(&one, &shot, "r.a", long_text);
	CU_ASSERT_EQUAL(shot.result, SL_ETOOBIG);
	for (unsigned i = 0; i < SL_NATS_NOTICES_MAX; i++)
		tell(&one, &many[i], "r.a", "{}");
	CU_ASSERT_EQUAL(many[SL_NATS_NOTICES_MAX - 1].result, SL_PENDING);
	tell(&one, &shot, "r.a", "{}");
	CU_ASSERT_EQUAL(shot.result, SL_EFULL);
	close_node(&one);
	CU_ASSERT_EQUAL(many[0].publish.err, SL_EDRAINING);
	CU_ASSERT_EQUAL(many[SL_NATS_NOTICES_MAX - 1].publish.err, SL_EDRAINING);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_notices_are_heard_by_all_and_later_by_those_who_start_later),
		UNIT_TEST(test_nats_notices_wait_for_the_stream_and_are_told_once_it_is_there),
		UNIT_TEST(test_nats_notices_reach_a_node_that_was_away),
		UNIT_TEST(test_nats_notices_begin_again_when_the_server_stood_still),
		UNIT_TEST(test_nats_notices_pass_over_what_is_none),
		UNIT_TEST(test_nats_notices_are_bounded),
		{ NULL, NULL },
	};
	return world_main("nats_notices", tests);
}
