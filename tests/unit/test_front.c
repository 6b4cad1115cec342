#include "http/front.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/listener.h"
#include "core/owners.h"
#include "http/relay.h"
#include "http/settings.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "util/err.h"

static struct live_world world;
static struct sl_listener listener;
static char folder[] = "/tmp/sluice-front-XXXXXX";

/* Binds and listens. */
static int
open_listener(struct sl_listener *out, const struct sl_listen_address *address, unsigned shards)
{
	int err = sl_listener_open(out, address, shards);
	return err != 0 ? err : sl_listener_listen(out);
}

/* The world's front once more, with a listener. */
static void
begin(const char *const *options)
{
	char text[64];
	struct sl_listen_address address;
	world_open(&world, options);
	snprintf(text, sizeof text, "unix:%s/socket", folder);
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(text, &address), 0);
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 1), 0);
	sl_front_finish(&world.front);
	world.http.listeners = &listener;
	world.http.listener_count = 1;
	CU_ASSERT_EQUAL_FATAL(
		sl_front_init(&world.front, &world.http, &world.shard, world.settings), 0);
}

static void
end(void)
{
	world_close(&world);
	sl_listener_finish(&listener);
}

static int
connect_here(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CU_ASSERT_EQUAL(connect(fd, (const struct sockaddr *)&listener.address.sockaddr,
		listener.address.sockaddr_len), 0);
	return fd;
}

static void
test_front_accepts_counts_in_and_counts_out(void)
{
	int fds[70];
	begin(NULL);
	for (int i = 0; i < 70; i++) /* more than one event may accept */
		fds[i] = connect_here();
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 70);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_ACCEPTED), 70);
	for (int i = 0; i < 70; i++)
		close(fds[i]);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

static void
test_front_above_its_limit_refuses_with_an_answer_and_far_above_closes(void)
{
	static const char *const options[] = { "--max-connections=2", NULL };
	uint64_t slack = sl_owners_get_slack(2);
	int fds[200];
	unsigned count = (unsigned)(2 + slack + 3);
	char text[512];
	begin(options);
	CU_ASSERT_TRUE_FATAL(count < 200);
	for (unsigned i = 0; i < count; i++)
		fds[i] = connect_here();
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 2 + slack);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_TOTAL), slack);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_HARD), 3);
	CU_ASSERT_TRUE(send(fds[2], GET("/poll?channels=a&wait=0"),
		sizeof GET("/poll?channels=a&wait=0") - 1, MSG_NOSIGNAL) > 0);
	world_settle(&world);
	ssize_t got = recv(fds[2], text, sizeof text - 1, 0);
	CU_ASSERT_TRUE_FATAL(got > 12);
	CU_ASSERT_EQUAL(memcmp(text, "HTTP/1.1 429", 12), 0);
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	world_settle(&world);
	int fd = connect_here(); /* there is room again */
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_HARD), 3);
	close(fd);
	end();
}

static void
test_front_without_descriptors_rests_until_the_sweep(void)
{
	struct rlimit old, none;
	begin(NULL);
	int fd = connect_here();
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	setrlimit(RLIMIT_NOFILE, &old);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0); /* it rests */
	sl_front_sweep(&world.front);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	close(fd);
	end();
}

static void
test_front_that_drains_accepts_no_more(void)
{
	begin(NULL);
	sl_front_drain(&world.front);
	world.shard.draining = true;
	int fd = connect_here();
	world_settle(&world);
	sl_front_sweep(&world.front);
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	close(fd);
	end();
}

/* All the same for one address. */
static void
test_front_above_an_addresss_limit_refuses_too(void)
{
	struct sl_listen_address address;
	int fds[3];
	char text[512];
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse("127.0.0.1:0", &address), 0);
	world_open(&world, NULL);
	CU_ASSERT_EQUAL_FATAL(open_listener(&listener, &address, 1), 0);
	world_limit(&world, 1000, 2);
	sl_front_finish(&world.front);
	world.http.listeners = &listener;
	world.http.listener_count = 1;
	CU_ASSERT_EQUAL_FATAL(
		sl_front_init(&world.front, &world.http, &world.shard, world.settings), 0);
	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CU_ASSERT_EQUAL(connect(fds[i], (const struct sockaddr *)&listener.address.sockaddr,
			listener.address.sockaddr_len), 0);
		world_settle(&world);
		CU_ASSERT_EQUAL(send(fds[i], GET("/poll?channels=a&wait=0"),
			sizeof GET("/poll?channels=a&wait=0") - 1, MSG_NOSIGNAL),
			sizeof GET("/poll?channels=a&wait=0") - 1);
		world_settle(&world);
		CU_ASSERT_TRUE_FATAL(recv(fds[i], text, sizeof text, 0) > 12);
		CU_ASSERT_EQUAL(memcmp(text, i < 2 ? "HTTP/1.1 200" : "HTTP/1.1 429", 12), 0);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_ADDRESS), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_TOTAL), 0);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	end();
}

static void
test_front_without_memory_for_a_connection_closes_it_and_goes_on(void)
{
	static const char *const options[] = { "--max-connections=1", NULL };
	char byte;
	begin(options);
	for (int i = 0; i < 3; i++) {
		int fd = connect_here();
		failing_alloc_set(1, true);
		world_settle(&world);
		failing_alloc_off();
		CU_ASSERT_EQUAL(http_links(&world), 0);
		CU_ASSERT_EQUAL(recv(fd, &byte, 1, 0), 0);
		close(fd);
	}
	int fd = connect_here(); /* none of them is counted any more */
	world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_REFUSED_LIMIT_TOTAL), 0);
	close(fd);
	end();
}

static void
test_front_without_memory_or_descriptors_is_none(void)
{
	struct sl_front front;
	struct rlimit old, few;
	world_open(&world, NULL);
	unsigned refs = world.settings->refs;
	for_each_failing_allocation(failing) {
		int err = sl_front_init(&front, &world.http, &world.shard, world.settings);
		failing_expect(err);
		if (err == 0)
			sl_front_finish(&front);
		CU_ASSERT_EQUAL(world.settings->refs, refs);
	}
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &old), 0);
	bool is_enough = false;
	for (few = old, few.rlim_cur = 3; !is_enough && few.rlim_cur < 100; few.rlim_cur++) {
		CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
		int err = sl_front_init(&front, &world.http, &world.shard, world.settings);
		CU_ASSERT_TRUE(err == 0 || err == SL_EIO);
		is_enough = err == 0;
		if (is_enough)
			sl_front_finish(&front);
		CU_ASSERT_EQUAL(world.settings->refs, refs);
	}
	setrlimit(RLIMIT_NOFILE, &old);
	CU_ASSERT_TRUE(is_enough);
	world.shard.front = &world.front;
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_front_accepts_counts_in_and_counts_out),
		UNIT_TEST(test_front_above_its_limit_refuses_with_an_answer_and_far_above_closes),
		UNIT_TEST(test_front_without_descriptors_rests_until_the_sweep),
		UNIT_TEST(test_front_that_drains_accepts_no_more),
		UNIT_TEST(test_front_above_an_addresss_limit_refuses_too),
		UNIT_TEST(test_front_without_memory_for_a_connection_closes_it_and_goes_on),
		UNIT_TEST(test_front_without_memory_or_descriptors_is_none),
		{ NULL, NULL },
	};
	if (!mkdtemp(folder))
		return 1;
	int status = unit_main("front", tests);
	rmdir(folder);
	return status;
}
