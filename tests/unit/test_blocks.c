#include "demo/blocks.h"

#include <sys/socket.h>
#include <unistd.h>

#include "demo/tap.h"
#include "http/reply.h"
#include "live/link.h"
#include "tests/unit/demo_world.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Aborting is live/link.c's: here it takes the link off its shard's list, and is noted. */
static unsigned aborted;

void __wrap_sl_link_abort(struct sl_link *link);

void
__wrap_sl_link_abort(struct sl_link *link)
{
	*link->prev = link->next;
	if (link->next)
		link->next->prev = link->prev;
	link->state = SL_LINK_CLOSED;
	aborted++;
}

static struct demo_world world;

static void
open_link(struct sl_link *link, unsigned shard, enum sl_class class, const char *name)
{
	struct sockaddr_storage nobody = { .ss_family = AF_UNIX };
	struct sl_link **list = &world.shards[shard]->links;
	*link = (struct sl_link){ .shard = world.shards[shard], .class = class, .next = *list,
		.prev = list };
	if (link->next)
		link->next->prev = &link->next;
	*list = link;
	sl_socket_init(&link->socket, -1, &nobody);
	if (name)
		sl_tap_begin(link->shard, &link->socket, &(struct sl_tapped_request){
			.name = span(name), .class = class });
}

static void
run_shards(void)
{
	for (unsigned i = 0; i < DEMO_SHARDS; i++)
		sl_mailbox_run_tasks(&world.shards[i]->mailbox);
}

static void
test_blocks_are_a_list_of_transports(void)
{
	unsigned classes = 99;
	CU_ASSERT_EQUAL(sl_blocks_parse(span("[]"), &classes), 0);
	CU_ASSERT_EQUAL(classes, 0);
	CU_ASSERT_EQUAL(sl_blocks_parse(span(" [ \"sse\", \"s\\u0073e\",\"websocket\"]"), &classes), 0);
	CU_ASSERT_EQUAL(classes, 1u << SL_CLASS_SSE | 1u << SL_CLASS_WEBSOCKET);
	static const char *const bad[] = { NULL, "", "{}", "\"sse\"", "[\"http\"]", "[\"SSE\"]", "[1]",
		"[\"sse\"", "[\"sse\"]]", "[[\"sse\"]]", "[null]" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CU_ASSERT_EQUAL(sl_blocks_parse(span(bad[i]), &classes), SL_EINVAL);
}

static void
test_blocks_cut_the_names_links_of_these_transports_on_every_shard(void)
{
	struct sl_link links[8];
	static const bool is_cut[8] = { true, false, false, false, true, true, true, false };
	demo_open(&world, NULL);
	open_link(&links[0], 0, SL_CLASS_SSE, "name");
	open_link(&links[1], 0, SL_CLASS_STREAM, "name");
	open_link(&links[2], 0, SL_CLASS_SSE, "other");
	open_link(&links[3], 0, SL_CLASS_SSE, NULL);
	open_link(&links[4], 1, SL_CLASS_POLL, "name");
	open_link(&links[5], 1, SL_CLASS_SSE, "name");
	open_link(&links[6], 1, SL_CLASS_SSE, "name");
	open_link(&links[7], 1, SL_CLASS_HTTP, "name");
	aborted = 0;
	sl_blocks_cut(&world.http, span("name"), 1u << SL_CLASS_SSE | 1u << SL_CLASS_POLL);
	CU_ASSERT_EQUAL(aborted, 0); /* each shard does its own */
	run_shards();
	CU_ASSERT_EQUAL(aborted, 4);
	CU_ASSERT_EQUAL(world.shards[0]->metrics.counters[SL_COUNTER_DEMO_CUT], 1);
	CU_ASSERT_EQUAL(world.shards[1]->metrics.counters[SL_COUNTER_DEMO_CUT], 3);
	for (unsigned i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL(links[i].state == SL_LINK_CLOSED, is_cut[i]);
		sl_socket_finish(&links[i].socket);
	}
	demo_close(&world);
}

static void
test_blocks_that_are_lifted_cut_nothing(void)
{
	struct sl_link link;
	demo_open(&world, NULL);
	open_link(&link, 0, SL_CLASS_SSE, "name");
	aborted = 0;
	sl_blocks_cut(&world.http, span("name"), 0);
	CU_ASSERT_FALSE(world.shards[0]->mailbox.has_tasks);
	run_shards();
	CU_ASSERT_EQUAL(aborted, 0);
	sl_socket_finish(&link.socket);
	demo_close(&world);
}

/* The name is copied: a shard's turn may come when the request is over. */
static void
test_blocks_remember_the_name_themselves(void)
{
	struct sl_link link;
	char name[] = "name";
	demo_open(&world, NULL);
	open_link(&link, 1, SL_CLASS_SSE, name);
	aborted = 0;
	sl_blocks_cut(&world.http, span(name), 1u << SL_CLASS_SSE);
	memset(name, 'x', sizeof name - 1);
	run_shards();
	CU_ASSERT_EQUAL(aborted, 1);
	sl_socket_finish(&link.socket);
	demo_close(&world);
}

static void
test_blocks_without_memory_cut_less(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		demo_open(&world, NULL);
		failing_alloc_set(failing.n, failing.is_lasting);
		sl_blocks_cut(&world.http, span("name"), 1u << SL_CLASS_SSE);
		failing_alloc_off();
		CU_ASSERT_EQUAL(world.shards[0]->mailbox.has_tasks, failing.n > 1);
		run_shards();
		demo_close(&world);
	}
}

static void
test_blocks_answer_as_a_proxy_would(void)
{
	struct sl_reply reply = { .head.cors = { "http://page", true } };
	sl_blocks_set_reply(&reply);
	CU_ASSERT_EQUAL(reply.head.status, 403);
	CU_ASSERT_TRUE(reply.head.is_foreign && reply.head.closes);
	CU_ASSERT_PTR_NULL(reply.head.cors.origin);
	CU_ASSERT_STRING_EQUAL(reply.head.content_type, "text/html");
	CU_ASSERT_PTR_NOT_NULL(memmem(reply.body.bytes, reply.body.len, "403 Forbidden", 13));
	sl_buffer_finish(&reply.body);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_blocks_are_a_list_of_transports),
		UNIT_TEST(test_blocks_cut_the_names_links_of_these_transports_on_every_shard),
		UNIT_TEST(test_blocks_that_are_lifted_cut_nothing),
		UNIT_TEST(test_blocks_remember_the_name_themselves),
		UNIT_TEST(test_blocks_without_memory_cut_less),
		UNIT_TEST(test_blocks_answer_as_a_proxy_would),
		{ NULL, NULL },
	};
	return unit_main("blocks", tests);
}
