#include "bench/server/nats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/server/server.h"
#include "tests/unit/script.h"
#include "util/err.h"

static const struct bench_nats_place places[3] = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } };
static char text[4096];

static const char *
read_config(unsigned count, unsigned n)
{
	CU_ASSERT_EQUAL_FATAL(bench_nats_write(places, count, n, script, 1000), 0);
	FILE *file = fopen(script, "re");
	size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
	text[len] = '\0';
	if (file)
		fclose(file);
	return text;
}

static void
test_nats_server_is_told_where_it_and_the_others_are(void)
{
	const char *config = read_config(3, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(config, "server_name: n2\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(config, "listen: \"127.0.0.1:4\"\nhttp: \"127.0.0.1:5\"\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(config, "max_file: 1000\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(config, "listen: \"127.0.0.1:6\"\n\troutes: [\n\t\t\"nats://127.0.0.1:3\"\n"
		"\t\t\"nats://127.0.0.1:9\"\n\t]"));
	CU_ASSERT_PTR_NULL(strstr(read_config(1, 0), "cluster"));
	CU_ASSERT_EQUAL(bench_nats_write(places, 1, 0, "/nonexistent/config", 1), SL_EIO);
}

static void
test_nats_urls_are_as_the_gateway_takes_them(void)
{
	char urls[128];
	bench_nats_format_urls(places, 3, urls, sizeof urls);
	CU_ASSERT_STRING_EQUAL(urls, "nats://127.0.0.1:1,nats://127.0.0.1:4,nats://127.0.0.1:7");
}

static void
test_nats_ports_are_free_and_different(void)
{
	struct bench_nats_place chosen[3];
	CU_ASSERT_EQUAL_FATAL(bench_nats_choose(chosen, 3), 0);
	uint16_t ports[9];
	memcpy(ports, chosen, sizeof ports);
	for (int i = 0; i < 9; i++)
		for (int j = 0; j < i; j++)
			CU_ASSERT_NOT_EQUAL(ports[i], ports[j]);
}

static void
test_nats_program_is_the_one_that_is_named(void)
{
	write_script("exit 0");
	setenv("NATS_SERVER", script, 1);
	CU_ASSERT_STRING_EQUAL(bench_nats_find(), script);
	setenv("NATS_SERVER", "/nonexistent/nats-server", 1);
	CU_ASSERT_PTR_NULL(bench_nats_find());
	unsetenv("NATS_SERVER");
}

/* ---- one that answers ---- */

struct stub {
	int fd;
	const char *answer;
};

static void *
answer_once(void *arg)
{
	const struct stub *stub = arg;
	char request[512];
	int fd = accept(stub->fd, NULL, NULL);
	if (recv(fd, request, sizeof request, 0) > 0)
		send(fd, stub->answer, strlen(stub->answer), MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static int
ask_leader(const char *answer, char name[16])
{
	uint16_t port;
	pthread_t thread;
	struct stub stub = { bench_listen(&port), answer };
	CU_ASSERT_TRUE_FATAL(stub.fd >= 0 && pthread_create(&thread, NULL, answer_once, &stub) == 0);
	int err = bench_nats_find_leader(port, "sluice-demo", name, 16);
	pthread_join(thread, NULL);
	close(stub.fd);
	return err;
}

static void
test_nats_leader_is_found_in_what_a_server_says(void)
{
	char name[16];
	CU_ASSERT_EQUAL(ask_leader("HTTP/1.0 200 OK\r\n\r\n{\"account_details\":[{\"reserved_memory\":"
		"18446744073709551615,\"stream_detail\":["
		"{\"name\":\"other\",\"cluster\":{\"leader\":\"n1\"}},{\"name\":\"sluice-demo\",\"cluster\":"
		"{\"leader\":\"n3\"}}]}]}", name), 0);
	CU_ASSERT_STRING_EQUAL(name, "n3");
	CU_ASSERT_EQUAL(ask_leader("HTTP/1.0 200 OK\r\n\r\n{\"account_details\":[]}", name), 0);
	CU_ASSERT_STRING_EQUAL(name, "");
	CU_ASSERT_EQUAL(ask_leader("HTTP/1.1 200 OK\r\n\r\nno JSON", name), 0);
	CU_ASSERT_STRING_EQUAL(name, "");
	CU_ASSERT_EQUAL(ask_leader("SSH-2.0\r\n", name), SL_EPROTO);
}

static void
test_nats_server_that_is_not_there_is_an_error(void)
{
	unsigned status;
	CU_ASSERT_EQUAL(bench_nats_ask(bench_nats_free_port(), "/healthz", &status, NULL), SL_EIO);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_server_is_told_where_it_and_the_others_are),
		UNIT_TEST(test_nats_urls_are_as_the_gateway_takes_them),
		UNIT_TEST(test_nats_ports_are_free_and_different),
		UNIT_TEST(test_nats_program_is_the_one_that_is_named),
		UNIT_TEST(test_nats_leader_is_found_in_what_a_server_says),
		UNIT_TEST(test_nats_server_that_is_not_there_is_an_error),
		{ NULL, NULL },
	};
	return script_main("bench_nats", tests);
}
