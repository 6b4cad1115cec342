#include "http/handshake.h"

#include <sys/socket.h>

#include "core/tls_shard.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/https_client.h"

#define TIMEOUT_MS 10000 /* --request-timeout */

static struct live_world world;
static struct https_client client;

static void
begin(int version)
{
	https_world_open(&world, NULL);
	https_connect(&client, &world, version, 0);
}

static void
end(void)
{
	https_close(&client);
	for (int i = 0; i < 5; i++)
		world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	CU_ASSERT_EQUAL(world.shard.metrics.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING], 0);
	world_close(&world);
}

static void
test_handshake_is_followed_by_requests(void)
{
	static const int versions[] = { TLS12, TLS13 };
	for (int i = 0; i < 2; i++) {
		begin(versions[i]);
		CU_ASSERT_TRUE(client.plain.connection->is_secure);
		CU_ASSERT_EQUAL(client.plain.connection->phase, SL_PHASE_HANDSHAKE);
		CU_ASSERT_TRUE(https_shake(&client, &world));
		CU_ASSERT_EQUAL(client.plain.connection->phase, SL_PHASE_READING);
		CU_ASSERT_PTR_NULL(client.plain.connection->handshake);
		CU_ASSERT_TRUE(http_is(https_ask(&client, &world, GET("/healthz")), 200));
		end();
	}
}

/* As behind a PROXY header: the whole of the client's first words, or a part. */
static void
test_handshake_may_begin_with_bytes_that_were_read_before(void)
{
	static const size_t lens[] = { 0, 1, 100, 10000 };
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		begin(TLS13);
		struct sl_connection *c = client.plain.connection;
		struct sl_buffer *out = &client.tls.out;
		tls_client_advance(&client.tls);
		size_t len = lens[i] < out->len ? lens[i] : out->len;
		sl_handshake_drop(c);
		sl_connection_begin(c, out->bytes, len);
		sl_buffer_consume(out, len);
		client.tls.sent += len;
		https_flush(&client);
		https_read(&client, &world, SIZE_MAX);
		CU_ASSERT_TRUE(https_shake(&client, &world));
		CU_ASSERT_TRUE(http_is(https_ask(&client, &world, GET("/healthz")), 200));
		CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_TLS_HANDSHAKE_BYTES_IN) < client.tls.sent);
		end();
	}
}

static void
test_handshake_in_the_clear_is_answered_with_the_right_address(void)
{
	static const char request[] = "POST /publish?channel=a HTTP/1.1\r\nHost: localhost:8443\r\n"
		"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello" GET("/");
	begin(TLS13);
	sl_buffer_append(&client.tls.out, request, strlen(request));
	https_flush(&client);
	world_settle(&world);
	char answer[1000] = "";
	recv(client.tls.fd, answer, sizeof answer - 1, 0);
	CU_ASSERT_TRUE(http_is(answer, 400));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\"code\":\"tls_required\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "use https://localhost:8443/publish?channel=a\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Connection: close\r\n"));
	CU_ASSERT_EQUAL(recv(client.tls.fd, answer, sizeof answer, 0), 0);
	CU_ASSERT_FALSE(client.plain.connection->is_secure);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_PLAIN_HTTP), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISHES), 0);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_IN),
		strlen(request));
	end();
}

/* The request may come letter by letter. */
static void
test_handshake_in_the_clear_may_come_byte_by_byte(void)
{
	static const char request[] = "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char answer[1000] = "";
	begin(TLS13);
	for (size_t i = 0; i < strlen(request); i++) {
		CU_ASSERT_EQUAL(send(client.tls.fd, request + i, 1, 0), 1);
		world_settle(&world);
	}
	recv(client.tls.fd, answer, sizeof answer - 1, 0);
	CU_ASSERT_TRUE(http_is(answer, 400));
	end();
}

static void
test_handshake_that_fails_gets_its_alert_and_an_end(void)
{
	char bytes[100];
	begin(TLS13);
	CU_ASSERT_EQUAL(send(client.tls.fd, "\x16\x03\x01\0\x05hello", 10, 0), 10);
	world_settle(&world);
	ssize_t got = recv(client.tls.fd, bytes, sizeof bytes, 0);
	CU_ASSERT_TRUE(got >= 7);
	CU_ASSERT_EQUAL(bytes[0], 21);
	CU_ASSERT_EQUAL(recv(client.tls.fd, bytes, sizeof bytes, 0), 0);
	CU_ASSERT_EQUAL(http_links(&world), 1); /* so that the client reads it before a reset */
	world_pass(&world, 2100);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_FAILED), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_HTTP, SL_CLASS_WIRE_BYTES_OUT), (uint64_t)got);
	end();
}

static void
test_handshake_of_a_client_that_only_looks_is_none(void)
{
	begin(TLS13);
	end();
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_FAILED), 0);
}

/* ---- time ---- */

/* Stops after `messages` flights of the client, and `part` bytes of the next. */
static void
check_stall(int version, unsigned messages, size_t part)
{
	begin(version);
	tls_client_advance(&client.tls);
	for (unsigned i = 0; i < messages; i++) {
		https_flush(&client);
		https_read(&client, &world, SIZE_MAX);
	}
	tls_client_send(&client.tls, part);
	world_pass(&world, TIMEOUT_MS - 100);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_TIMEOUT), 0);
	world_pass(&world, 200);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_TIMEOUT), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_FAILED), 0);
	end();
}

static void
test_handshake_that_stalls_at_any_message_is_cut_off_in_time(void)
{
	check_stall(TLS13, 0, 0);
	check_stall(TLS13, 0, 50);
	check_stall(TLS13, 1, 0);
	check_stall(TLS13, 1, 20);
	check_stall(TLS12, 0, 50);
	check_stall(TLS12, 1, 0);
	check_stall(TLS12, 1, 50);
}

/* A byte now and then buys no time. */
static void
test_handshake_has_its_time_from_the_start(void)
{
	begin(TLS13);
	tls_client_advance(&client.tls);
	for (int i = 0; i < 99; i++) {
		tls_client_send(&client.tls, 1);
		world_pass(&world, 100);
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 200);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

static void
test_handshake_done_gives_the_time_that_requests_have(void)
{
	begin(TLS13);
	https_shake(&client, &world);
	world_pass(&world, SL_IDLE_MS - 200);
	CU_ASSERT_EQUAL(http_links(&world), 1);
	world_pass(&world, 400);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	https_read(&client, &world, SIZE_MAX);
	CU_ASSERT_TRUE(client.tls.has_ended); /* not without a word */
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_TLS_HANDSHAKES_TIMEOUT), 0);
	end();
}

/* ---- many at once ---- */

#define MANY 20

static unsigned
count_answered(struct https_client *clients)
{
	unsigned count = 0;
	for (int i = 0; i < MANY; i++)
		count += tls_client_read(&clients[i].tls, SIZE_MAX) > 0;
	return count;
}

static void
test_handshake_steps_are_eight_a_turn_and_the_rest_waits_in_line(void)
{
	static struct https_client clients[MANY];
	begin(TLS13);
	for (int i = 0; i < MANY; i++) {
		https_connect(&clients[i], &world, TLS13, 0);
		tls_client_advance(&clients[i].tls);
		https_flush(&clients[i]);
	}
	_Atomic uint64_t *waiting = &world.shard.metrics.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING];
	world_turn(&world);
	CU_ASSERT_EQUAL(count_answered(clients), SL_TLS_STEPS_PER_TURN);
	CU_ASSERT_EQUAL(*waiting, MANY - SL_TLS_STEPS_PER_TURN);
	/* Who waits is not asked for again and again; who has gone is no longer in line. */
	world_turn(&world);
	CU_ASSERT_EQUAL(count_answered(clients), SL_TLS_STEPS_PER_TURN);
	CU_ASSERT_EQUAL(*waiting, MANY - 2 * SL_TLS_STEPS_PER_TURN);
	world_turn(&world);
	CU_ASSERT_EQUAL(count_answered(clients), MANY - 2 * SL_TLS_STEPS_PER_TURN);
	CU_ASSERT_EQUAL(*waiting, 0);
	for (int i = 0; i < MANY; i++) {
		CU_ASSERT_TRUE(https_shake(&clients[i], &world));
		CU_ASSERT_TRUE(http_is(https_ask(&clients[i], &world, GET("/healthz")), 200));
		https_close(&clients[i]);
	}
	end();
}

static void
test_handshake_in_line_may_end_there(void)
{
	static struct https_client clients[MANY];
	begin(TLS13);
	for (int i = 0; i < MANY; i++) {
		https_connect(&clients[i], &world, TLS13, 0);
		tls_client_advance(&clients[i].tls);
		https_flush(&clients[i]);
	}
	world_turn(&world);
	sl_shard_drain(&world.shard);
	CU_ASSERT_TRUE(world.shard.metrics.gauges[SL_GAUGE_TLS_HANDSHAKES_WAITING] > 0);
	for (int i = 0; i < MANY; i++)
		https_close(&clients[i]);
	end();
}

static void
test_handshake_without_memory_closes_the_connection(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		https_world_open(&world, NULL);
		world_settle(&world);
		struct sockaddr_storage peer = { .ss_family = AF_UNIX };
		int fds[2];
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
		world.shard.on_released = NULL;
		tls_client_open(&client.tls, fds[0], TLS13, NULL);
		tls_client_advance(&client.tls);
		tls_client_flush(&client.tls);
		failing_again(&failing);
		struct sl_connection *c = sl_connection_create(&world.front,
			&(struct sl_arrival){ fds[1], &peer, false, true });
		world_turn(&world);
		bool failed = failing_alloc_has_failed();
		failing_alloc_off();
		const struct sl_link *link = world.shard.links; /* or it ends, with what it had said */
		CU_ASSERT_EQUAL(link && link->state == SL_LINK_OPEN, !failed);
		if (!c)
			close(fds[1]);
		CU_ASSERT_EQUAL(tls_client_read(&client.tls, SIZE_MAX) > 0, !failed);
		tls_client_close(&client.tls);
		close(fds[0]);
		world_close(&world);
		failing_expect(failed ? -1 : 0);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_handshake_is_followed_by_requests),
		UNIT_TEST(test_handshake_may_begin_with_bytes_that_were_read_before),
		UNIT_TEST(test_handshake_in_the_clear_is_answered_with_the_right_address),
		UNIT_TEST(test_handshake_in_the_clear_may_come_byte_by_byte),
		UNIT_TEST(test_handshake_that_fails_gets_its_alert_and_an_end),
		UNIT_TEST(test_handshake_of_a_client_that_only_looks_is_none),
		UNIT_TEST(test_handshake_that_stalls_at_any_message_is_cut_off_in_time),
		UNIT_TEST(test_handshake_has_its_time_from_the_start),
		UNIT_TEST(test_handshake_done_gives_the_time_that_requests_have),
		UNIT_TEST(test_handshake_steps_are_eight_a_turn_and_the_rest_waits_in_line),
		UNIT_TEST(test_handshake_in_line_may_end_there),
		UNIT_TEST(test_handshake_without_memory_closes_the_connection),
		{ NULL, NULL },
	};
	int failed = unit_main("handshake", tests);
	tls_context_forget();
	return failed;
}
