#include "worker.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/principals.h"
#include "auth/secret.h"
#include "http/settings.h"
#include "tests/unit/certificates.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/http_client.h"
#include "util/clock.h"

/* A worker of its own on what a world has beside its shard. */
static struct live_world world;
static struct sl_worker *worker;

static void
begin(void)
{
	world_open(&world, NULL);
	worker = aligned_alloc(_Alignof(struct sl_worker), sizeof *worker);
	memset(worker, 0, sizeof *worker);
	CU_ASSERT_EQUAL_FATAL(sl_worker_init(worker, 1, 2, world.bus, &world.http, world.settings), 0);
	world.shard.has_drained = true; /* nobody runs it */
}

static void
end(void)
{
	sl_worker_finish(worker);
	free(worker);
	world_close(&world);
}

static int
connect_here(void)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	int fds[2];
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sl_connection_create(&worker->front, &(struct sl_arrival){ fds[1], &peer,
		false, false }));
	return fds[0];
}

static void
test_worker_takes_turns_until_there_is_nothing_to_do(void)
{
	static const char requests[] = GET("/healthz") GET("/poll?channels=a&wait=0");
	char text[4096];
	begin();
	int fd = connect_here();
	CU_ASSERT_EQUAL(send(fd, requests, sizeof requests - 1, MSG_NOSIGNAL), sizeof requests - 1);
	for (int i = 0; i < 20; i++)
		sl_worker_take_turn(worker, true);
	CU_ASSERT_FALSE(sl_worker_take_turn(worker, true));
	ssize_t got = recv(fd, text, sizeof text - 1, 0);
	CU_ASSERT_TRUE_FATAL(got > 0);
	text[got] = '\0';
	CU_ASSERT_EQUAL(http_count(text, "HTTP/1.1 200"), 2);
	close(fd);
	end(); /* with the link still there */
}

static void
test_worker_runs_until_it_has_drained(void)
{
	static const char request[] = GET("/stream?channels=a");
	char text[4096];
	begin();
	int fd = connect_here();
	CU_ASSERT_EQUAL(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
	for (int i = 0; i < 5; i++)
		sl_worker_take_turn(worker, true);
	sl_worker_drain(worker, sl_clock_monotonic_ms() + 20000);
	shutdown(fd, SHUT_WR);
	sl_worker_run(worker); /* returns: the client has gone */
	ssize_t got = recv(fd, text, sizeof text - 1, 0);
	CU_ASSERT_TRUE_FATAL(got > 0);
	text[got] = '\0';
	CU_ASSERT_PTR_NULL(worker->shard.links);
	close(fd);
	end();
}

static void
test_worker_stops_in_time_whoever_is_there(void)
{
	begin();
	int fd = connect_here();
	sl_worker_drain(worker, sl_clock_monotonic_ms());
	sl_worker_run(worker);
	close(fd);
	end();
}

static void
test_worker_takes_the_newest_settings(void)
{
	begin();
	struct sl_settings *first = worker->front.settings;
	sl_worker_set_settings(worker, sl_settings_ref(first));
	sl_worker_set_settings(worker, sl_settings_ref(first));
	CU_ASSERT_PTR_EQUAL(worker->offered, first);
	sl_worker_take_turn(worker, true);
	CU_ASSERT_PTR_NULL(worker->offered);
	CU_ASSERT_PTR_EQUAL(worker->front.settings, first);
	sl_worker_set_settings(worker, sl_settings_ref(first));
	CU_ASSERT_EQUAL(first->refs, 4); /* the world's, its front's, the worker's front's, the offer's */
	sl_worker_finish(worker); /* before they are taken */
	CU_ASSERT_EQUAL(first->refs, 2);
	free(worker);
	world_close(&world);
}

static struct sl_auth *
make_auth(void)
{
	static char name[] = "sluice", option[CERTIFICATES_PATH_MAX + 32];
	char *argv[] = { name, option }, error[512];
	struct sl_auth *auth;
	struct sl_config config;
	snprintf(option, sizeof option, "--token-key=%s",
		certificates_write_text("secret", "0123456789abcdef0123456789abcdef"));
	chmod(certificates_path("secret"), 0600);
	struct sl_secret *secret;
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(&config, 2, argv), 0);
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&secret, NULL, error, sizeof error), 0);
	CU_ASSERT_EQUAL_FATAL(sl_auth_create(&auth, &config, secret, error, sizeof error), 0);
	sl_secret_destroy(secret);
	sl_config_finish(&config);
	return auth;
}

static const struct sl_auth *
get_auth(void)
{
	return sl_principals_get_auth(worker->shard.principals);
}

static void
test_worker_knows_principals_by_the_rules_of_its_settings(void)
{
	begin();
	CU_ASSERT_PTR_NULL(get_auth());
	end();
	world_open(&world, NULL);
	struct sl_auth *first = make_auth(), *second = make_auth();
	world.settings->auth = first;
	worker = aligned_alloc(_Alignof(struct sl_worker), sizeof *worker);
	memset(worker, 0, sizeof *worker);
	CU_ASSERT_EQUAL_FATAL(sl_worker_init(worker, 1, 2, world.bus, &world.http, world.settings), 0);
	CU_ASSERT_PTR_EQUAL(get_auth(), first);
	world.settings->auth = second; /* as if these were others */
	sl_worker_set_settings(worker, sl_settings_ref(world.settings));
	CU_ASSERT_PTR_EQUAL(get_auth(), first);
	sl_worker_take_turn(worker, true);
	CU_ASSERT_PTR_EQUAL(get_auth(), second);
	sl_auth_unref(first);
	end();
}

static void
test_worker_sweeps_once_a_second(void)
{
	begin();
	CU_ASSERT_TRUE(sl_timer_is_set(&worker->second));
	uint64_t due_ms = worker->second.due_ms;
	sl_timer_wheel_run(&worker->shard.loop.timers, due_ms + 16);
	CU_ASSERT_TRUE(sl_timer_is_set(&worker->second));
	CU_ASSERT_TRUE(worker->second.due_ms >= due_ms);
	end();
}

/* Clients of the other may have requests here. */
static void
test_worker_that_has_drained_waits_for_the_others(void)
{
	begin();
	world.shard.has_drained = false;
	uint64_t began_ms = sl_clock_monotonic_ms();
	sl_worker_drain(worker, began_ms + 300);
	sl_worker_run(worker);
	CU_ASSERT(sl_clock_monotonic_ms() >= began_ms + 300);
	CU_ASSERT_TRUE(worker->shard.has_drained);
	end();
}

static void
test_worker_that_has_finished_has_nothing_left_to_drain(void)
{
	begin();
	sl_worker_drain(worker, 0);
	end(); /* before the task has run */
}

static void
test_worker_drained_answers_what_is_under_way_first(void)
{
	static const char requests[] = GET("/healthz") GET("/healthz");
	char text[4096];
	begin();
	int fd = connect_here();
	CU_ASSERT_EQUAL(send(fd, requests, sizeof requests - 1, MSG_NOSIGNAL), sizeof requests - 1);
	sl_worker_drain(worker, sl_clock_monotonic_ms() + 20000);
	shutdown(fd, SHUT_WR);
	sl_worker_run(worker);
	ssize_t got = recv(fd, text, sizeof text - 1, 0);
	CU_ASSERT_TRUE_FATAL(got > 0);
	text[got] = '\0';
	CU_ASSERT_EQUAL(http_count(text, "HTTP/1.1 200"), 1); /* which was the last */
	CU_ASSERT_PTR_NULL(worker->shard.links);
	close(fd);
	end();
}

static void
test_worker_without_memory_is_none(void)
{
	worker = aligned_alloc(_Alignof(struct sl_worker), sizeof *worker);
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		world_open(&world, NULL); /* a bus knows a shard once */
		memset(worker, 0, sizeof *worker);
		failing_again(&failing);
		int err = sl_worker_init(worker, 1, 2, world.bus, &world.http, world.settings);
		failing_expect(err);
		if (err == 0)
			sl_worker_finish(worker);
		CU_ASSERT_EQUAL(world.settings->refs, 2);
		world_close(&world);
	}
	free(worker);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_worker_takes_turns_until_there_is_nothing_to_do),
		UNIT_TEST(test_worker_runs_until_it_has_drained),
		UNIT_TEST(test_worker_stops_in_time_whoever_is_there),
		UNIT_TEST(test_worker_takes_the_newest_settings),
		UNIT_TEST(test_worker_knows_principals_by_the_rules_of_its_settings),
		UNIT_TEST(test_worker_sweeps_once_a_second),
		UNIT_TEST(test_worker_that_has_drained_waits_for_the_others),
		UNIT_TEST(test_worker_that_has_finished_has_nothing_left_to_drain),
		UNIT_TEST(test_worker_drained_answers_what_is_under_way_first),
		UNIT_TEST(test_worker_without_memory_is_none),
		{ NULL, NULL },
	};
	return unit_main("worker", tests);
}
