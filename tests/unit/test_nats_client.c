#include "bus/nats_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include "bus/nats_loop.h"
#include "tests/unit/nats_place.h"

static struct sl_nats_loop *loop;
static struct sl_config config;
static char error[512];

/* Makes one for the server `index` and connects it, or leaves nothing. */
static int
open_client(struct sl_nats_client **client, size_t index)
{
	int err = sl_nats_client_create(client, loop, &config, index, error, sizeof error);
	CU_ASSERT_EQUAL_FATAL(err, 0);
	CU_ASSERT_FALSE(sl_nats_client_is_open(*client));
	err = sl_nats_client_connect(*client, error, sizeof error);
	if (err != 0)
		sl_nats_client_destroy(*client);
	return err;
}

static void
test_nats_client_connects_and_is_told_of_the_end(void)
{
	struct sl_nats_client *client;
	place_configure(&config, NULL);
	CU_ASSERT_EQUAL_FATAL(open_client(&client, 0), 0);
	CU_ASSERT_TRUE(sl_nats_client_is_open(client));
	CU_ASSERT_STRING_EQUAL(client->shown, place_server.url);
	CU_ASSERT_EQUAL(natsConnection_Flush(client->connection), NATS_OK);
	sl_nats_client_cut(client);
	place_await(!sl_nats_client_is_open(client));
	CU_ASSERT_NOT_EQUAL(natsConnection_Flush(client->connection), NATS_OK);
	sl_nats_client_destroy(client);
	sl_config_finish(&config);
}

static void
test_nats_client_many_come_and_go(void)
{
	place_configure(&config, NULL);
	for (unsigned i = 0; i < 30; i++) {
		struct sl_nats_client *client;
		CU_ASSERT_EQUAL_FATAL(open_client(&client, 0), 0);
		for (unsigned k = 0; k < i; k++)
			natsConnection_PublishString(client->connection, "anything", "text");
		sl_nats_client_destroy(client);
	}
	sl_nats_client_destroy(NULL);
	sl_config_finish(&config);
}

static void
test_nats_client_without_a_server_says_where(void)
{
	struct sl_nats_client *client;
	const char *const more[] = { "--nats", "nats://jo:secret@127.0.0.1:1", NULL };
	place_configure(&config, more);
	CU_ASSERT_EQUAL(open_client(&client, 1), SL_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "nats://***@127.0.0.1:1: "));
	CU_ASSERT_PTR_NULL(strstr(error, "secret"));
	sl_config_finish(&config);
}

/* It greets as a server does that speaks TLS, and says nothing more. */
static int
open_mute(char url[64])
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof name;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&name, &len);
	snprintf(url, 64, "tls://127.0.0.1:%u", ntohs(name.sin_port));
	return fd;
}

static void *
greet(void *arg)
{
	static const char info[] = "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"max_payload\":1048576,"
		"\"tls_required\":true}\r\n";
	int peer = accept(*(int *)arg, NULL, NULL);
	CU_ASSERT_EQUAL(write(peer, info, sizeof info - 1), (ssize_t)sizeof info - 1);
	for (char bytes[512]; read(peer, bytes, sizeof bytes) > 0;)
		;
	close(peer);
	return NULL;
}

static void
test_nats_client_does_not_wait_for_ever_in_a_handshake(void)
{
	char url[64];
	int fd = open_mute(url);
	pthread_t server;
	struct sl_nats_client *client;
	const char *const more[] = { "--nats", url, NULL };
	place_configure(&config, more);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&server, NULL, greet, &fd), 0);
	CU_ASSERT_NOT_EQUAL(open_client(&client, 1), 0);
	pthread_join(server, NULL);
	close(fd);
	sl_config_finish(&config);
}

static atomic_bool has_ended;

static void *
interrupt_soon(void *arg)
{
	while (!atomic_load(&has_ended)) {
		place_nap();
		sl_nats_client_interrupt(*(pthread_t *)arg);
	}
	return NULL;
}

static void
test_nats_client_is_interrupted_while_it_connects(void)
{
	char url[64];
	int fd = open_mute(url); /* nobody accepts, so nobody greets */
	pthread_t self = pthread_self(), other;
	struct sl_nats_client *client;
	const char *const more[] = { "--nats", url, NULL };
	place_configure(&config, more);
	uint64_t begin_ms = sl_clock_monotonic_ms();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&other, NULL, interrupt_soon, &self), 0);
	CU_ASSERT_NOT_EQUAL(open_client(&client, 1), 0);
	CU_ASSERT_TRUE(sl_clock_monotonic_ms() - begin_ms < SL_NATS_CONNECT_MS);
	atomic_store(&has_ended, true);
	pthread_join(other, NULL);
	close(fd);
	sl_config_finish(&config);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_client_connects_and_is_told_of_the_end),
		UNIT_TEST(test_nats_client_many_come_and_go),
		UNIT_TEST(test_nats_client_without_a_server_says_where),
		UNIT_TEST(test_nats_client_does_not_wait_for_ever_in_a_handshake),
		UNIT_TEST(test_nats_client_is_interrupted_while_it_connects),
		{ NULL, NULL },
	};
	if (sl_nats_loop_create(&loop) != 0)
		return 2;
	int status = place_main("nats_client", tests);
	sl_nats_loop_destroy(loop);
	return status;
}
