#include "live/kernel_memory.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "config/config.h"
#include "live/link.h"
#include "tests/unit/story.h"
#include "transports/registry.h"

#define CLIENTS 12

static struct world_client clients[CLIENTS];
static char large[60000];

static uint64_t
get_gauge(void)
{
	return world.shard.metrics.gauges[SL_GAUGE_KERNEL_MEMORY];
}

/* Client `i` reads channel `c<i>`; over TCP what it does not read stays here once its own buffer is full. */
static void
open_client(int i, bool over_tcp)
{
	char query[32];
	struct world_request request = { .query = query, .over_tcp = over_tcp, .send_buffer = 200000 };
	snprintf(query, sizeof query, "channels=c%d", i);
	client_open(&clients[i], &world, &sl_transport_stream, &request);
	world_settle(&world);
}

static void
publish_to(int i, int count)
{
	char channel[8];
	snprintf(channel, sizeof channel, "c%d", i);
	for (; count > 0; count--) {
		world_publish_bytes(&world, channel, SL_TEXT, large, sizeof large);
		world_settle(&world);
	}
}

static void
open_world(const char *const *options)
{
	memset(large, 'x', sizeof large);
	world_open(&world, options);
}

static uint64_t
sum_of_links(void)
{
	uint64_t sum = 0;
	for (const struct sl_link *link = world.shard.links; link; link = link->next)
		sum += link->kernel.bytes;
	return sum;
}

static void
check_link_that_lags(bool over_tcp)
{
	static const char *const options[] = { "--outbox=10M", NULL };
	open_world(options);
	open_client(0, over_tcp);
	CU_ASSERT_EQUAL(get_gauge(), 0);
	publish_to(0, 15);
	CU_ASSERT_TRUE(sl_link_is_blocked(clients[0].link));
	uint64_t held = get_gauge();
	CU_ASSERT(held > 50000); /* asked for as soon as it was blocked */
	CU_ASSERT_EQUAL(held, clients[0].link->kernel.bytes);
	while (client_read(&clients[0]))
		world_settle(&world);
	world_pass(&world, 2100);
	while (client_read(&clients[0])) /* what the kernel still had on its way */
		world_pass(&world, 1100);
	CU_ASSERT_FALSE(sl_link_is_blocked(clients[0].link));
	CU_ASSERT_EQUAL(get_gauge(), 0);
	for (int i = 0; i < 100 && !sl_link_is_blocked(clients[0].link); i++)
		publish_to(0, 1);
	CU_ASSERT(get_gauge() > 50000);
	client_close(&clients[0]);
	world_settle(&world);
	CU_ASSERT_EQUAL(get_gauge(), 0);
	world_close(&world);
}

static void
test_kernel_memory_of_a_link_that_lags_counts_until_it_reads_or_closes(void)
{
	check_link_that_lags(true);
	check_link_that_lags(false);
}

static void
test_kernel_memory_counts_what_nobody_has_read(void)
{
	struct world_request request = { .query = "channels=a", .over_tcp = true };
	open_world(NULL);
	client_open(&clients[0], &world, &sl_transport_stream, &request);
	world_settle(&world);
	/* As a link that waits for its turn. */
	sl_loop_change(&world.shard.loop, &clients[0].link->watch, EPOLLRDHUP);
	client_send(&clients[0], large, sizeof large);
	world_pass(&world, 10000);
	CU_ASSERT(get_gauge() >= sizeof large / 2); /* it may have kept some itself */
	client_close(&clients[0]);
	world_settle(&world);
	world_close(&world);
}

static void
check_limit(bool over_tcp)
{
	static const char *const options[] = { "--kernel-memory=1M", "--outbox-total=100M", "--outbox=100K", NULL };
	open_world(options);
	for (int i = 0; i < CLIENTS; i++)
		open_client(i, over_tcp);
	/* The first reads everything; client 1 takes less from the kernel than the others. */
	for (int round = 0; round < 30; round++) {
		publish_to(0, 1);
		while (client_read(&clients[0]))
			world_settle(&world);
		clients[0].got.len = 0;
		if (round == 0)
			publish_to(1, 1);
		for (int i = 2; i < CLIENTS; i++)
			publish_to(i, 1);
		world_pass(&world, 40);
		CU_ASSERT_EQUAL(sum_of_links(), get_gauge());
		CU_ASSERT(get_gauge() <= 1 << 20);
	}
	CU_ASSERT(world_counter(&world, SL_COUNTER_KERNEL_MEMORY_ENDS) > 0);
	CU_ASSERT_TRUE(client_is_served(&clients[0], &world));
	CU_ASSERT_TRUE(client_is_served(&clients[1], &world));
	for (int i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	world_settle(&world);
	CU_ASSERT_EQUAL(get_gauge(), 0);
	CU_ASSERT_EQUAL(world.shard.kernel_memory.held, 0);
	world_close(&world);
}

static void
test_kernel_memory_above_its_limit_ends_those_for_which_most_is_held(void)
{
	check_limit(true);
	check_limit(false);
}

static void
test_kernel_memory_without_a_limit_ends_nobody(void)
{
	static const char *const options[] = { "--kernel-memory=0", "--outbox=10M", NULL };
	open_world(options);
	for (int i = 0; i < CLIENTS; i++) {
		open_client(i, true);
		publish_to(i, 20);
	}
	CU_ASSERT(get_gauge() > 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_KERNEL_MEMORY_ENDS), 0);
	for (int i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	world_close(&world);
}

static void
test_kernel_memory_asks_one_that_has_read_again_before_it_ends(void)
{
	static const char *const options[] = { "--kernel-memory=2M", "--outbox=10M", NULL };
	open_world(options);
	open_client(0, true);
	open_client(1, true);
	publish_to(0, 20);
	publish_to(1, 20);
	CU_ASSERT(get_gauge() > 0);
	/* As if more had been held, for the one that reads now. */
	while (client_read(&clients[0]))
		world_settle(&world);
	struct sl_kernel_memory *memory = &world.shard.kernel_memory;
	memory->held += (UINT64_C(1) << 24) - clients[0].link->kernel.bytes;
	clients[0].link->kernel.bytes = UINT64_C(1) << 24;
	sl_scale_put(&memory->scale, &clients[0].link->kernel.weight, UINT64_C(1) << 24);
	CU_ASSERT_FALSE(sl_kernel_memory_limit(&world.shard));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_KERNEL_MEMORY_ENDS), 0);
	CU_ASSERT_TRUE(client_is_served(&clients[0], &world));
	client_close(&clients[0]);
	client_close(&clients[1]);
	world_close(&world);
}

/* Links come and go while the walk over them stands at one of them. */
static void
test_kernel_memory_walk_keeps_its_place_when_the_link_there_closes(void)
{
	open_world(NULL);
	for (int i = 0; i < 3; i++)
		open_client(i, true);
	struct sl_kernel_memory *memory = &world.shard.kernel_memory;
	for (struct sl_link *link = world.shard.links; link; link = world.shard.links) {
		memory->at = link;
		sl_link_close(link);
		CU_ASSERT_PTR_EQUAL(memory->at, world.shard.links);
	}
	world_pass(&world, 1100);
	for (int i = 0; i < 3; i++)
		client_close(&clients[i]);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_kernel_memory_of_a_link_that_lags_counts_until_it_reads_or_closes),
		UNIT_TEST(test_kernel_memory_counts_what_nobody_has_read),
		UNIT_TEST(test_kernel_memory_above_its_limit_ends_those_for_which_most_is_held),
		UNIT_TEST(test_kernel_memory_without_a_limit_ends_nobody),
		UNIT_TEST(test_kernel_memory_asks_one_that_has_read_again_before_it_ends),
		UNIT_TEST(test_kernel_memory_walk_keeps_its_place_when_the_link_there_closes),
		{ NULL, NULL },
	};
	return unit_main("kernel_memory", tests);
}
