#include "live/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/control.h"
#include "live/intake.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"
#include "util/err.h"

static char large[300001];

static const char *const small_outbox[] = { "--outbox=1K", "--max-message=1M", NULL };

static uint64_t
count_open(enum sl_class class_)
{
	return world_class_counter(&world, class_, SL_CLASS_OPENED) -
		world_class_counter(&world, class_, SL_CLASS_CLOSED);
}

static unsigned
publish_until_slow(unsigned max)
{
	unsigned published = 0;
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && published < max) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		published++;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	return published;
}

static void
test_link_is_freed_at_the_end_of_the_turn_and_counted_once(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a,b");
	struct sl_link *link = client.link;
	sl_link_add_work(link);
	sl_link_close(link);
	sl_link_close(link);
	sl_link_add_work(link);
	CU_ASSERT_EQUAL(link->state, SL_LINK_CLOSED);
	CU_ASSERT_TRUE(STAILQ_EMPTY(&world.shard.work));
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 0);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_OPENED), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_CLOSED), 1);
	client_close(&client);
	world_close(&world);
}

/* As a child does that another thread has forked and that has not begun its program yet. */
static void
test_link_closed_is_not_watched_though_another_process_has_its_descriptor(void)
{
	struct world_client client;
	struct epoll_event event;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	int duplicate = dup(client.link->socket.fd);
	sl_link_close(client.link);
	world_settle(&world);
	client_close(&client);
	CU_ASSERT_EQUAL(epoll_wait(world.shard.loop.epoll_fd, &event, 1, 0), 0);
	close(duplicate);
	world_close(&world);
}

static void
test_link_closes_when_its_peer_has(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(count_open(SL_CLASS_STREAM), 0);
	world_close(&world);
}

static void
test_link_takes_some_garbage_but_not_for_ever(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	uint64_t before = world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_WIRE_BYTES_IN);
	client_send(&client, large, 60000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_WIRE_BYTES_IN),
		before + 60000);
	client_send(&client, large, 6000);
	for (int i = 0; i < 30; i++)
		world_turn(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_link_does_not_linger_longer_than_2_s(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	world_settle(&world);
	while (client_read(&client))
		world_settle(&world);
	world_pass(&world, 1900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

/* More than the client's side of a connection holds, all of it with the kernel, and the link lingers. */
static void
open_lingering(struct world_client *client, bool over_tcp)
{
	struct world_request request = { .query = "channels=a", .over_tcp = over_tcp, .send_buffer = 4608 };
	int room = 400000;
	world_open(&world, NULL);
	client_open(client, &world, &sl_transport_stream, &request);
	setsockopt(client->link->socket.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	for (int i = 0; i < 100; i++) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 1000);
		world_settle(&world);
	}
	CU_ASSERT_FALSE(sl_link_is_blocked(client->link));
	sl_subscriber_end(client->subscriber, SL_END_DRAINING);
	world_settle(&world);
	CU_ASSERT_EQUAL(client->link->state, SL_LINK_LINGERING);
}

static void
check_untaken(bool over_tcp)
{
	struct world_client client;
	open_lingering(&client, over_tcp);
	world_pass(&world, 9000);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	CU_ASSERT(world.shard.metrics.gauges[SL_GAUGE_KERNEL_MEMORY] >= 5000);
	world_pass(&world, 3100);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world.shard.metrics.gauges[SL_GAUGE_KERNEL_MEMORY], 0);
	while (client_read(&client))
		sl_buffer_clear(&client.got);
	CU_ASSERT_EQUAL(client.reset, over_tcp); /* a Unix socket has no such thing */
	client_close(&client);
	world_close(&world);
}

static void
test_link_whose_client_takes_nothing_is_reset_so_that_the_kernel_keeps_nothing(void)
{
	check_untaken(true);
	check_untaken(false);
}

static void
test_link_whose_client_takes_a_little_now_and_then_is_waited_for(void)
{
	struct world_client client;
	char some[1500];
	open_lingering(&client, false);
	for (int i = 0; i < 4; i++) { /* 24 s */
		world_pass(&world, 6000);
		CU_ASSERT_TRUE(client_is_served(&client, &world));
		CU_ASSERT_EQUAL(recv(client.fd, some, sizeof some, 0), sizeof some);
	}
	while (client_read(&client))
		sl_buffer_clear(&client.got);
	world_pass(&world, 2100);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_FALSE(client.reset);
	client_close(&client);
	world_close(&world);
}

static void
test_link_whose_client_takes_nothing_does_not_delay_the_end_of_the_gateway(void)
{
	struct world_client client;
	open_lingering(&client, true);
	sl_shard_drain(&world.shard);
	world_pass(&world, 2100);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	client_close(&client);
	world_close(&world);
}

static void
test_link_head_and_first_object_go_out_in_one_write(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_EQUAL(client_read(&client), 0);
	world_turn(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SENDS), 1);
	CU_ASSERT_TRUE(client_skip_head(&client));
	CU_ASSERT_TRUE(client.got.len > 0);
	client_close(&client);
	world_close(&world);
}

/* In one turn there may be more than an outbox holds, for a client that takes it all. */
static void
test_link_that_takes_a_burst_is_not_slow(void)
{
	static const char *const options[] = { "--outbox=10K", NULL };
	struct world_client client;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a,b");
	for (int i = 0; i < 20; i++)
		world_publish_bytes(&world, i % 2 ? "a" : "b", SL_TEXT, large, 4000);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - strlen(" b19 a20"), " b19 a20");
	client_close(&client);
	world_close(&world);
}

static void
test_link_that_will_not_take_its_last_bytes_is_reset_after_5_s(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_client client;
	struct world_request request = { .query = "channels=a", .over_tcp = true,
		.send_buffer = 4608 };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	publish_until_slow(5000);
	world_pass(&world, 4900);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	world_pass(&world, 140);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	while (client_read(&client) > 0)
		sl_buffer_clear(&client.got);
	CU_ASSERT_TRUE(client.reset);
	client_close(&client);
	world_close(&world);
}

static void
test_link_takes_one_object_however_large(void)
{
	struct world_client client;
	world_open(&world, small_outbox);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", large);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	for (int i = 0; i < 100; i++) {
		client_read(&client);
		world_turn(&world);
	}
	expect(&client, "open@0 a1");
	/* The same with something small still waiting before it. */
	world_publish(&world, "a", large);
	sl_control_send_heartbeat(client.subscriber);
	for (int i = 0; i < 100; i++) {
		world_turn(&world);
		client_read(&client);
	}
	expect(&client, "heartbeat@1 a2");
	client_close(&client);
	world_close(&world);
}

/* ---- with a user of its own ---- */

/* Somebody who uses a link, and what it was told. */
struct user {
	struct sl_link link; /* first */
	int fd;              /* the peer's end */
};

static unsigned idles, timers, ends, closes, reads;
static enum sl_end_reason last_reason;

static void
on_readable(struct sl_link *link, uint32_t events)
{
	reads++;
	sl_intake_discard(link);
}

static void
on_idle(struct sl_link *link)
{
	idles++;
}

static void
on_timer(struct sl_link *link)
{
	timers++;
}

static void
on_end(struct sl_link *link, enum sl_end_reason reason)
{
	ends++;
	last_reason = reason;
	sl_link_end(link);
}

static void
on_close(struct sl_link *link)
{
	closes++;
}

static void
go_on(struct sl_link *link)
{
	on_readable(link, EPOLLIN);
}

static bool
on_outage(struct sl_link *link)
{
	return false;
}

static const struct sl_link_ops ops = { on_readable, on_idle, on_timer, go_on, on_end, on_outage, on_close };

static struct user *
open_user(const char *const *options)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct user *user = calloc(1, sizeof *user);
	int fds[2], small = 4608;
	idles = timers = ends = closes = reads = 0;
	world_open(&world, options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(user);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	user->fd = fds[0];
	CU_ASSERT_EQUAL_FATAL(
		sl_link_open(&user->link, &world.shard, &ops, SL_CLASS_HTTP, fds[1], &peer), 0);
	world.shard.on_released = NULL; /* nobody has counted it in */
	return user;
}

static void
close_user(int fd)
{
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	close(fd);
	world_close(&world);
}

static size_t
read_all(int fd)
{
	static char bytes[65536];
	size_t sum = 0;
	for (ssize_t got; (got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
		sum += (size_t)got;
	return sum;
}

static void
test_link_tells_its_user_when_all_is_with_the_kernel(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	size_t got = 0;
	sl_link_send(&user->link, large, 10);
	CU_ASSERT_EQUAL(idles, 0);
	world_turn(&world);
	CU_ASSERT_EQUAL(idles, 1);
	CU_ASSERT_EQUAL(read_all(fd), 10);
	sl_link_send(&user->link, large, 200000);
	world_turn(&world);
	CU_ASSERT_TRUE(sl_link_is_blocked(&user->link));
	CU_ASSERT_EQUAL(idles, 1);
	for (int i = 0; i < 1000 && got < 200000; i++) {
		got += read_all(fd);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(got, 200000);
	CU_ASSERT_FALSE(sl_link_is_blocked(&user->link));
	CU_ASSERT_EQUAL(idles, 2);
	sl_link_close(&user->link);
	close_user(fd);
}

static void
test_link_keeps_what_its_user_watches_for_while_it_is_blocked(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	sl_loop_change(&world.shard.loop, &user->link.watch, EPOLLRDHUP);
	sl_link_send(&user->link, large, 200000);
	world_turn(&world);
	CU_ASSERT_EQUAL(user->link.watch.events, EPOLLRDHUP | EPOLLOUT);
	while (sl_link_is_blocked(&user->link)) {
		read_all(fd);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(user->link.watch.events, EPOLLRDHUP);
	sl_link_close(&user->link);
	close_user(fd);
}

static void
test_link_pushes_whatever_it_holds_but_sends_wires_within_the_limit(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct user *user = open_user(options);
	int fd = user->fd;
	struct sl_wire *wire = sl_wire_create(&world.shard.framer, large, 60000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wire);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_TRUE(sl_link_push(&user->link, wire, 0));
	sl_link_send(&user->link, large, 100000);
	CU_ASSERT_EQUAL(ends, 0);
	CU_ASSERT_TRUE(user->link.outbox.queued_bytes == 400000);
	CU_ASSERT_FALSE(sl_link_send_wire(&user->link, wire, 0));
	CU_ASSERT_EQUAL(ends, 1);
	CU_ASSERT_EQUAL(last_reason, SL_END_SLOW_CONSUMER);
	CU_ASSERT_EQUAL(user->link.state, SL_LINK_ENDING);
	sl_wire_unref(wire);
	sl_link_close(&user->link);
	close_user(fd);
}

static void
test_link_of_another_class_is_open_and_sends_there(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	sl_link_set_class(&user->link, SL_CLASS_SSE);
	sl_link_set_class(&user->link, SL_CLASS_SSE);
	sl_link_send(&user->link, large, 10);
	world_turn(&world);
	CU_ASSERT_EQUAL(count_open(SL_CLASS_HTTP), 0);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_SSE, SL_CLASS_OPENED), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_SSE, SL_CLASS_WIRE_BYTES_OUT), 10);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT), 0);
	sl_link_close(&user->link);
	CU_ASSERT_EQUAL(count_open(SL_CLASS_SSE), 0);
	close_user(fd);
}

static void
test_link_has_its_user_told_of_its_timer_while_it_is_open(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	sl_link_set_timer(&user->link, world.shard.loop.now_ms + 1000);
	world_pass(&world, 1040);
	CU_ASSERT_EQUAL(timers, 1);
	sl_link_set_timer(&user->link, world.shard.loop.now_ms + 1000);
	sl_link_end(&user->link);
	world_pass(&world, 1040);
	CU_ASSERT_EQUAL(timers, 1);
	CU_ASSERT_EQUAL(user->link.state, SL_LINK_LINGERING);
	world_pass(&world, 1040);
	CU_ASSERT_EQUAL(closes, 1);
	CU_ASSERT_PTR_NULL(world.shard.links);
	close_user(fd);
}

/* A body that was refused is read on, so that its sender sees the answer and no reset. */
static void
test_link_lingers_10_s_and_takes_16_mib_of_a_body_that_nobody_wants(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	size_t sent = 0;
	user->link.lingers_long = true;
	sl_link_send(&user->link, large, 10);
	sl_link_end(&user->link);
	for (int i = 0; i < 9; i++) {
		for (size_t until = sent + (1 << 20); sent < until;) {
			ssize_t taken = send(fd, large, 65536, MSG_NOSIGNAL);
			sent += taken > 0 ? (size_t)taken : 0;
			world_turn(&world);
		}
		world_pass(&world, 1000);
		CU_ASSERT_EQUAL_FATAL(closes, 0);
	}
	CU_ASSERT_EQUAL(read_all(fd), 10);
	world_pass(&world, 1100);
	CU_ASSERT_EQUAL(closes, 1);
	close_user(fd);
	user = open_user(NULL);
	fd = user->fd;
	user->link.lingers_long = true;
	sl_link_end(&user->link);
	for (sent = 0; closes == 0 && sent < 20 << 20;) {
		ssize_t taken = send(fd, large, 65536, MSG_NOSIGNAL);
		sent += taken > 0 ? (size_t)taken : 0;
		world_turn(&world);
	}
	CU_ASSERT_TRUE(sent > 16 << 20 && sent < 17 << 20);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PROTOCOL_ERRORS), 1);
	close_user(fd);
}

/* It has said all that it had to say, and reads on. */
static void
test_link_sends_its_last_bytes_to_a_client_that_has_shut_its_side(void)
{
	struct user *user = open_user(NULL);
	int fd = user->fd;
	size_t got = 0;
	sl_link_send(&user->link, large, 200000);
	sl_link_end(&user->link);
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 1000 && closes == 0; i++) {
		world_turn(&world);
		got += read_all(fd);
	}
	CU_ASSERT_EQUAL(got, 200000);
	CU_ASSERT_EQUAL(closes, 1);
	CU_ASSERT_EQUAL(reads, 0);
	close_user(fd);
}

static void
test_link_closes_when_its_peer_is_gone_before_the_last_bytes(void)
{
	struct user *user = open_user(NULL);
	sl_link_send(&user->link, large, 200000);
	sl_link_end(&user->link);
	world_turn(&world);
	close(user->fd);
	world_settle(&world);
	CU_ASSERT_EQUAL(closes, 1);
	CU_ASSERT_PTR_NULL(world.shard.links);
	close_user(-1);
}

static void
test_link_leaves_the_descriptor_where_it_cannot_be_watched(void)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	static struct sl_link link;
	world_open(&world, NULL);
	CU_ASSERT_EQUAL(sl_link_open(&link, &world.shard, &ops, SL_CLASS_HTTP, -1, &peer), SL_EIO);
	CU_ASSERT_PTR_NULL(world.shard.links);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_OPENED), 0);
	world_close(&world);
}

static void
test_link_without_memory_for_what_it_should_send_is_closed_once(void)
{
	for (unsigned n = 1;; n++) {
		struct user *user = open_user(NULL);
		int fd = user->fd;
		failing_alloc_set(n, n % 2);
		for (int i = 0; i < 20; i++)
			sl_link_send(&user->link, large, 10);
		failing_alloc_off();
		bool has_failed = failing_alloc_has_failed();
		CU_ASSERT_EQUAL(closes, has_failed);
		CU_ASSERT_EQUAL(user->link.state, has_failed ? SL_LINK_CLOSED : SL_LINK_OPEN);
		world_settle(&world);
		CU_ASSERT_EQUAL(read_all(fd), has_failed ? 0 : 200);
		sl_shard_close_links(&world.shard);
		close_user(fd);
		if (!has_failed)
			break;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_link_is_freed_at_the_end_of_the_turn_and_counted_once),
		UNIT_TEST(test_link_closed_is_not_watched_though_another_process_has_its_descriptor),
		UNIT_TEST(test_link_closes_when_its_peer_has),
		UNIT_TEST(test_link_takes_some_garbage_but_not_for_ever),
		UNIT_TEST(test_link_does_not_linger_longer_than_2_s),
		UNIT_TEST(test_link_whose_client_takes_nothing_is_reset_so_that_the_kernel_keeps_nothing),
		UNIT_TEST(test_link_whose_client_takes_a_little_now_and_then_is_waited_for),
		UNIT_TEST(test_link_whose_client_takes_nothing_does_not_delay_the_end_of_the_gateway),
		UNIT_TEST(test_link_head_and_first_object_go_out_in_one_write),
		UNIT_TEST(test_link_that_takes_a_burst_is_not_slow),
		UNIT_TEST(test_link_that_will_not_take_its_last_bytes_is_reset_after_5_s),
		UNIT_TEST(test_link_takes_one_object_however_large),
		UNIT_TEST(test_link_tells_its_user_when_all_is_with_the_kernel),
		UNIT_TEST(test_link_keeps_what_its_user_watches_for_while_it_is_blocked),
		UNIT_TEST(test_link_pushes_whatever_it_holds_but_sends_wires_within_the_limit),
		UNIT_TEST(test_link_of_another_class_is_open_and_sends_there),
		UNIT_TEST(test_link_has_its_user_told_of_its_timer_while_it_is_open),
		UNIT_TEST(test_link_lingers_10_s_and_takes_16_mib_of_a_body_that_nobody_wants),
		UNIT_TEST(test_link_sends_its_last_bytes_to_a_client_that_has_shut_its_side),
		UNIT_TEST(test_link_closes_when_its_peer_is_gone_before_the_last_bytes),
		UNIT_TEST(test_link_leaves_the_descriptor_where_it_cannot_be_watched),
		UNIT_TEST(test_link_without_memory_for_what_it_should_send_is_closed_once),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("link", tests);
}
