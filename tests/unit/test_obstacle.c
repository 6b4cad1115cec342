#include "demo/obstacle.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/listener.h"
#include "tests/unit/expect_text.h"
#include "tests/unit/script.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

static char text[4096];

static void
listen_at(struct sl_listener *listener, const char *address)
{
	*listener = (struct sl_listener){ .count = 0 };
	CU_ASSERT_EQUAL_FATAL(sl_listen_address_parse(address, &listener->address), 0);
}

static int
create(struct sl_obstacle **obstacle, const char *address, uint64_t limit_ms)
{
	struct sl_listener own;
	const struct sl_obstacle_program program = { .path = script };
	listen_at(&own, address);
	*obstacle = NULL;
	return sl_obstacle_create(obstacle, &program, &own, 1, limit_ms);
}

/* Before a listener that speaks TLS, behind one that does not. */
static int
create_secure(struct sl_obstacle **obstacle, const char *certificate)
{
	struct sl_listener own[2];
	const struct sl_obstacle_program program = { .path = script, .certificate = certificate,
		.key = "key.pem" };
	listen_at(&own[0], "127.0.0.1:8080");
	listen_at(&own[1], "127.0.0.1:443");
	own[1].is_secure = true;
	*obstacle = NULL;
	return sl_obstacle_create(obstacle, &program, own, 2, SCRIPT_LONG_MS);
}

/* The arguments that the program wrote down. */
static const char *
read_arguments(void)
{
	char path[PATH_MAX + 8];
	snprintf(path, sizeof path, "%s/args", script_folder);
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
	text[len] = '\0';
	if (file)
		fclose(file);
	return text;
}

/* Waits until a child has ended, and leaves it to be seen. */
static void
wait_for_end(void)
{
	siginfo_t info;
	CU_ASSERT_EQUAL(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

#define SAYS_PORTS "echo \"$@\" > \"${0%/*}/args\"; " \
	"echo listening 127.0.0.1:4001; echo control 127.0.0.1:4002; "

static void
test_obstacle_says_where_it_is_by_what_the_program_said(void)
{
	struct sl_obstacle *obstacle;
	struct sl_buffer out = SL_BUFFER_INIT;
	write_script(SAYS_PORTS "exec sleep 1000");
	CU_ASSERT_EQUAL_FATAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), 0);
	CU_ASSERT_EQUAL(sl_obstacle_port(obstacle), 4001);
	CU_ASSERT_TRUE(sl_obstacle_is_there(obstacle));
	sl_obstacle_append_json(obstacle, &out);
	sl_obstacle_append_policy(obstacle, &out);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, "{\"origin\":\"http://127.0.0.1:4001\","
		"\"control\":\"http://127.0.0.1:4002\"}"
		" http://127.0.0.1:4001 ws://127.0.0.1:4001 http://127.0.0.1:4002");
	sl_buffer_finish(&out);
	sl_obstacle_destroy(obstacle);
}

static void
test_obstacle_is_for_the_pages_of_the_gateway_and_stands_before_it(void)
{
	struct sl_obstacle *obstacle;
	write_script(SAYS_PORTS "exec sleep 1000");
	CU_ASSERT_EQUAL_FATAL(create(&obstacle, "[::1]:8080", SCRIPT_LONG_MS), 0);
	const char *arguments = read_arguments();
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --to=[::1]:8080"));
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --allow-origin=http://[::1]:8080 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --allow-origin=http://localhost:8080 "));
	sl_obstacle_destroy(obstacle);
}

static void
test_obstacle_before_a_listener_that_speaks_tls_speaks_it_on_both_sides(void)
{
	struct sl_obstacle *obstacle;
	struct sl_buffer out = SL_BUFFER_INIT;
	write_script(SAYS_PORTS "exec sleep 1000");
	CU_ASSERT_EQUAL_FATAL(create_secure(&obstacle, "cert.pem"), 0);
	const char *arguments = read_arguments();
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --to=127.0.0.1:443 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --allow-origin=http://127.0.0.1:8080 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --allow-origin=https://localhost "));
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, " --tls-cert=cert.pem --tls-key=key.pem --to-tls\n"));
	sl_obstacle_append_json(obstacle, &out);
	sl_obstacle_append_policy(obstacle, &out);
	expect_text(&out, "{\"origin\":\"https://127.0.0.1:4001\",\"control\":\"https://127.0.0.1:4002\"}"
		" https://127.0.0.1:4001 wss://127.0.0.1:4001 https://127.0.0.1:4002");
	sl_obstacle_destroy(obstacle);
}

static void
test_obstacle_whose_files_cannot_be_named_is_not_started(void)
{
	struct sl_obstacle *obstacle;
	static char path[PATH_MAX + 1];
	memset(path, 'x', PATH_MAX);
	write_script(SAYS_PORTS "exec sleep 1000");
	CU_ASSERT_EQUAL(create_secure(&obstacle, path), SL_ETOOBIG);
	CU_ASSERT_EQUAL(create_secure(&obstacle, NULL), SL_EINVAL);
	CU_ASSERT_PTR_NULL(obstacle);
}

static void
test_obstacle_without_a_loopback_listener_is_not_started(void)
{
	struct sl_obstacle *obstacle;
	write_script("touch \"${0%/*}/started\"");
	CU_ASSERT_EQUAL(create(&obstacle, "192.0.2.1:8080", SCRIPT_LONG_MS), SL_ENOENT);
	CU_ASSERT_EQUAL(create(&obstacle, "unix:/tmp/socket", SCRIPT_LONG_MS), SL_ENOENT);
	CU_ASSERT_PTR_NULL(obstacle);
	char path[PATH_MAX + 8];
	snprintf(path, sizeof path, "%s/started", script_folder);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void
test_a_program_that_is_another_is_told_and_ended(void)
{
	struct sl_obstacle *obstacle;
	write_script("echo hello; echo world; exec sleep 1000");
	CU_ASSERT_EQUAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), SL_EPROTO);
	write_script("exit 3");
	CU_ASSERT_EQUAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), SL_ECLOSED);
	write_script("echo listening 127.0.0.1:4001; exec sleep 1000");
	CU_ASSERT_EQUAL(create(&obstacle, "127.0.0.1:8080", 50), SL_EAGAIN);
	write_script("head -c 2000 /dev/zero; exec sleep 1000");
	CU_ASSERT_EQUAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), SL_ETOOBIG);
	CU_ASSERT_PTR_NULL(obstacle);
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void
test_obstacle_that_ends_is_started_again_on_its_ports_a_few_times(void)
{
	struct sl_obstacle *obstacle;
	write_script(SAYS_PORTS "exit 1");
	CU_ASSERT_EQUAL_FATAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), 0);
	sl_log_set_level(SL_LOG_ERROR);
	for (unsigned i = 0; i < SL_OBSTACLE_RESTARTS; i++) {
		wait_for_end();
		CU_ASSERT_TRUE(sl_obstacle_watch(obstacle));
		CU_ASSERT_TRUE(sl_obstacle_is_there(obstacle));
	}
	wait_for_end();
	const char *arguments = read_arguments();
	CU_ASSERT_PTR_NOT_NULL(strstr(arguments, "--listen=4001 --control=4002 "));
	CU_ASSERT_TRUE(sl_obstacle_watch(obstacle));
	CU_ASSERT_FALSE(sl_obstacle_is_there(obstacle));
	CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
	CU_ASSERT_FALSE(sl_obstacle_watch(obstacle));
	sl_obstacle_destroy(obstacle);
}

static void
test_watching_one_that_runs_or_is_none_changes_nothing(void)
{
	struct sl_obstacle *obstacle;
	write_script(SAYS_PORTS "exec sleep 1000");
	CU_ASSERT_EQUAL_FATAL(create(&obstacle, "127.0.0.1:8080", SCRIPT_LONG_MS), 0);
	CU_ASSERT_FALSE(sl_obstacle_watch(obstacle));
	CU_ASSERT_TRUE(sl_obstacle_is_there(obstacle));
	sl_obstacle_destroy(obstacle);
	CU_ASSERT_FALSE(sl_obstacle_watch(NULL));
	CU_ASSERT_FALSE(sl_obstacle_is_there(NULL));
	CU_ASSERT_EQUAL(sl_obstacle_port(NULL), 0);
	sl_obstacle_destroy(NULL);
}

static void
test_the_program_is_the_given_one_or_beside_this_one(void)
{
	char *found = sl_obstacle_find("/some/where");
	CU_ASSERT_STRING_EQUAL(found, "/some/where");
	free(found);
	CU_ASSERT_PTR_NULL(sl_obstacle_find("none"));
	CU_ASSERT_PTR_NULL(sl_obstacle_find(NULL)); /* there is none beside the tests */
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_obstacle_says_where_it_is_by_what_the_program_said),
		UNIT_TEST(test_obstacle_is_for_the_pages_of_the_gateway_and_stands_before_it),
		UNIT_TEST(test_obstacle_before_a_listener_that_speaks_tls_speaks_it_on_both_sides),
		UNIT_TEST(test_obstacle_whose_files_cannot_be_named_is_not_started),
		UNIT_TEST(test_obstacle_without_a_loopback_listener_is_not_started),
		UNIT_TEST(test_a_program_that_is_another_is_told_and_ended),
		UNIT_TEST(test_obstacle_that_ends_is_started_again_on_its_ports_a_few_times),
		UNIT_TEST(test_watching_one_that_runs_or_is_none_changes_nothing),
		UNIT_TEST(test_the_program_is_the_given_one_or_beside_this_one),
		{ NULL, NULL },
	};
	return script_main("obstacle", tests);
}
