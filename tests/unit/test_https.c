/* What holds for a connection holds in TLS, and what only TLS brings. */
#include <malloc.h>
#include <openssl/opensslv.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "live/control.h"
#include "tests/unit/https_client.h"
#include "tests/unit/ws_bytes.h"
#include "transports/registry.h"

#define PUBLISH "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" \
	"Content-Length: 1\r\n\r\nx"
#define HELD GET("/poll?channels=a&since=0&wait=55")
#define POLL GET("/poll?channels=b&since=0&wait=0")
#define WEBSOCKET "GET /ws?channels=a HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n\r\n"

static struct live_world world;
static struct https_client client;
static char large[70000];

static void
begin_with(const char *const *options, int version, int send_buffer)
{
	memset(large, 'x', sizeof large - 1);
	https_world_open(&world, options);
	https_connect(&client, &world, version, send_buffer);
	CU_ASSERT_TRUE_FATAL(https_shake(&client, &world));
}

static void
begin(void)
{
	begin_with(NULL, TLS13, 0);
}

static uint64_t
sum_wire(enum sl_class_counter counter)
{
	uint64_t sum = 0;
	for (int i = 0; i < SL_CLASS_COUNT; i++)
		sum += world_class_counter(&world, (enum sl_class)i, counter);
	return sum;
}

/* Everything is let go of, and every byte of the wire was counted. */
static void
end(void)
{
	while (https_read(&client, &world, SIZE_MAX) > 0)
		;
	struct tls_client tls = client.tls;
	shutdown(client.tls.fd, SHUT_WR);
	for (int i = 0; i < 5; i++)
		https_read(&client, &world, SIZE_MAX);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	CU_ASSERT_EQUAL(sum_wire(SL_CLASS_WIRE_BYTES_IN), tls.sent);
	if (!client.tls.is_reset)
		CU_ASSERT_EQUAL(sum_wire(SL_CLASS_WIRE_BYTES_OUT), client.tls.received);
	https_close(&client);
	world_close(&world);
}

/* ---- requests ---- */

static void
test_https_serves_requests_of_every_kind_one_after_the_other(void)
{
	static const int versions[] = { TLS12, TLS13 };
	for (int i = 0; i < 2; i++) {
		begin_with(NULL, versions[i], 0);
		for (int j = 0; j < 3; j++) {
			CU_ASSERT_TRUE(http_is(https_ask(&client, &world, GET("/healthz")), 200));
			CU_ASSERT_TRUE(http_is(https_ask(&client, &world, PUBLISH), 200));
			CU_ASSERT_TRUE(http_is(https_ask(&client, &world, GET("/nothing")), 404));
			CU_ASSERT_TRUE(http_is(https_ask(&client, &world,
				GET("/poll?channels=a&since=0&wait=0")), 200));
			CU_ASSERT_TRUE(http_is(https_ask(&client, &world,
				"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204));
		}
		end();
	}
}

static void
test_https_two_requests_in_one_record_are_both_answered(void)
{
	begin();
	CU_ASSERT_EQUAL(http_count(https_ask(&client, &world, PUBLISH POLL), "HTTP/1.1 200 OK"), 2);
	CU_ASSERT_EQUAL(http_count(https_ask(&client, &world, GET("/healthz") POLL), "HTTP/1.1 200 OK"), 2);
	end();
}

static void
test_https_one_request_in_three_records_is_answered_once(void)
{
	static const size_t cuts[][2] = { { 1, 2 }, { 10, 40 }, { 60, 90 } };
	begin();
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		const char *text = PUBLISH;
		for (int all_at_once = 0; all_at_once < 2; all_at_once++) {
			size_t ends[] = { cuts[i][0], cuts[i][1], strlen(text) };
			for (size_t at = 0, part = 0; part < 3; at = ends[part++]) {
				tls_client_write(&client.tls, text + at, ends[part] - at);
				if (!all_at_once) {
					https_flush(&client);
					https_read(&client, &world, SIZE_MAX);
				}
			}
			https_flush(&client);
			CU_ASSERT_TRUE(http_is(https_take(&client, &world), 200));
		}
	}
	end();
}

static void
test_https_requests_may_come_byte_by_byte(void)
{
	begin();
	for (const char *at = PUBLISH POLL; *at; at++) {
		tls_client_write(&client.tls, at, 1);
		while (client.tls.out.len) {
			tls_client_send(&client.tls, 1);
			world_turn(&world);
		}
	}
	CU_ASSERT_EQUAL(http_count(https_take(&client, &world), "HTTP/1.1 200 OK"), 2);
	end();
}

/* More than is read at a time, in records that straddle what is. */
static void
test_https_many_requests_at_once_are_all_answered(void)
{
	static char text[40000];
	unsigned count = 0;
	begin();
	for (text[0] = '\0'; strlen(text) < sizeof text - 200; count++)
		strcat(text, POLL);
	tls_client_write(&client.tls, text, strlen(text));
	https_flush(&client);
	CU_ASSERT_EQUAL(http_count(https_take(&client, &world), "HTTP/1.1 200 OK"), count);
	/* The same, and behind them the client has nothing more to say. */
	tls_client_write(&client.tls, text, strlen(text));
	tls_client_say_end(&client.tls);
	https_flush(&client);
	CU_ASSERT_EQUAL(http_count(https_take(&client, &world), "HTTP/1.1 200 OK"), count);
	CU_ASSERT_TRUE(client.tls.has_ended && client.tls.has_fin);
	end();
}

static void
test_https_bodies_are_as_long_as_many_records(void)
{
	char head[200];
	begin();
	snprintf(head, sizeof head, "POST /publish?channel=a HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: text/plain\r\nContent-Length: 65000\r\n\r\n");
	https_say(&client, head);
	tls_client_write(&client.tls, large, 65000);
	https_flush(&client);
	CU_ASSERT_TRUE(http_is(https_take(&client, &world), 200));
	const char *answer = https_ask(&client, &world, GET("/poll?channels=a&since=0&wait=0"));
	CU_ASSERT_TRUE(http_is(answer, 200));
	CU_ASSERT_TRUE(strlen(answer) > 65000);
	end();
}

/* ---- held ---- */

static void
test_https_what_comes_behind_a_held_poll_waits(void)
{
	begin();
	https_say(&client, HELD);
	https_say(&client, POLL);
	https_flush(&client);
	CU_ASSERT_STRING_EQUAL(https_take(&client, &world), "");
	https_say(&client, POLL);
	https_flush(&client);
	CU_ASSERT_STRING_EQUAL(https_take(&client, &world), "");
	CU_ASSERT_EQUAL(client.plain.connection->phase, SL_PHASE_SERVING);
	world_publish(&world, "a", "news");
	CU_ASSERT_EQUAL(http_count(https_take(&client, &world), "HTTP/1.1 200 OK"), 3);
	end();
}

static void
test_https_held_poll_ends_when_its_client_says_so(void)
{
	begin();
	https_say(&client, HELD);
	tls_client_say_end(&client.tls);
	https_flush(&client);
	https_take(&client, &world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_TRUE(client.tls.has_ended);
	end();
}

static void
test_https_client_that_has_shut_its_side_gets_its_answer(void)
{
	begin();
	https_say(&client, GET("/healthz"));
	tls_client_say_end(&client.tls);
	https_flush(&client);
	CU_ASSERT_TRUE(http_is(https_take(&client, &world), 200));
	CU_ASSERT_TRUE(client.tls.has_ended && client.tls.has_fin);
	end();
}

static void
test_https_streams_end_when_their_client_says_so(void)
{
	static const char *const requests[] = { GET("/sse?channels=a"), GET("/stream?channels=a"), WEBSOCKET };
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		begin();
		CU_ASSERT_TRUE(strlen(https_ask(&client, &world, requests[i])) > 0);
		CU_ASSERT_EQUAL(http_links(&world), 1);
		tls_client_say_end(&client.tls);
		https_flush(&client);
		https_take(&client, &world);
		CU_ASSERT_EQUAL(http_links(&world), 0);
		end();
	}
}

/* ---- WebSocket ---- */

static void
test_https_frames_cross_records_and_share_them(void)
{
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin();
	https_ask(&client, &world, WEBSOCKET);
	for (int i = 0; i < 3; i++)
		ws_put_frame(&frames, WS_FIN | SL_WS_OPCODE_TEXT,
			"{\"type\":\"publish\",\"channel\":\"b\",\"data\":\"text\"}", 46);
	tls_client_write(&client.tls, frames.bytes, 70);
	https_flush(&client);
	https_take(&client, &world);
	tls_client_write(&client.tls, frames.bytes + 70, frames.len - 70);
	https_flush(&client);
	https_take(&client, &world);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_WEBSOCKET, SL_CLASS_MESSAGES_IN), 3);
	sl_buffer_finish(&frames);
	end();
}

static void
test_https_close_notify_in_mid_frame_ends_the_connection(void)
{
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin();
	https_ask(&client, &world, WEBSOCKET);
	ws_put_frame(&frames, WS_FIN | SL_WS_OPCODE_TEXT, large, 1000);
	tls_client_write(&client.tls, frames.bytes, 500);
	tls_client_say_end(&client.tls);
	https_flush(&client);
	https_take(&client, &world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_WEBSOCKET, SL_CLASS_MESSAGES_IN), 0);
	sl_buffer_finish(&frames);
	end();
}

/* ---- slow clients ---- */

static const char *const small_outbox[] = { "--outbox=20K", "--max-message=64K", NULL };

static void
open_stream(void)
{
	https_say(&client, "GET /stream?channels=a HTTP/1.0\r\nHost: localhost\r\n\r\n");
	https_flush(&client);
	https_read(&client, &world, SIZE_MAX);
	CU_ASSERT_TRUE_FATAL(client_skip_head(&client.plain));
}

static unsigned
publish_until_slow(void)
{
	unsigned published = 0;
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && published < 1000) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 9000);
		world_turn(&world);
		published++;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	return published;
}

/* Reads `step` bytes at a time until the gateway has ended it. */
static void
read_on(size_t step)
{
	for (int i = 0; i < 100000 && !client.tls.has_fin; i++)
		https_read(&client, &world, step);
	CU_ASSERT_TRUE(client.tls.has_fin);
}

static void
test_https_slow_consumer_gets_all_that_is_in_a_record(void)
{
	begin_with(small_outbox, TLS13, 4608);
	open_stream();
	CU_ASSERT_TRUE(publish_until_slow() < 100);
	read_on(1000);
	/* Whole messages without a hole, and the end after them: the client can resume there. */
	const char *story = client_take_story(&client.plain, &world);
	char expected[2000] = "open@0";
	for (unsigned i = 1; i <= http_count(story, " a"); i++)
		sprintf(expected + strlen(expected), " a%u", i);
	strcat(expected, " bye:slow_consumer");
	CU_ASSERT_STRING_EQUAL(story, expected);
	CU_ASSERT_TRUE(http_count(story, " a") > 0);
	CU_ASSERT_TRUE(client.tls.has_ended);
	end();
}

static void
test_https_large_records_reach_a_client_that_reads_one_byte_a_time(void)
{
	begin_with(small_outbox, TLS13, 4608);
	open_stream();
	world_publish_bytes(&world, "a", SL_TEXT, large, 40000);
	for (int i = 0; i < 100000 && client.plain.got.len < 40000; i++) {
		world_turn(&world);
		tls_client_read(&client.tls, 1);
		sl_buffer_append(&client.plain.got, client.tls.got.bytes, client.tls.got.len);
		sl_buffer_clear(&client.tls.got);
	}
	https_read(&client, &world, SIZE_MAX);
	CU_ASSERT_STRING_EQUAL(client_take_story(&client.plain, &world), "open@0 a1");
	end();
}

static void
test_https_what_is_committed_counts_in_the_sum_of_outboxes(void)
{
	begin_with(small_outbox, TLS13, 4608);
	open_stream();
	uint64_t before = world.shard.framer.pinned_bytes;
	world_publish_bytes(&world, "a", SL_TEXT, large, 14000);
	world_settle(&world);
	struct sl_link *link = client.plain.link;
	CU_ASSERT_EQUAL(link->outbox.queued_bytes, 0);
	CU_ASSERT_TRUE(sl_socket_has_unsent(&link->socket));
	CU_ASSERT_TRUE(sl_link_is_blocked(link));
	CU_ASSERT_EQUAL(sl_link_count_output(link), link->socket.secure->unsent_bytes);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes - before, link->socket.secure->unsent_bytes);
	while (https_read(&client, &world, 1000) > 0)
		;
	CU_ASSERT_FALSE(sl_link_has_output(link));
	CU_ASSERT_FALSE(sl_link_is_blocked(link));
	end();
}

static void
test_https_sum_of_outboxes_ends_whom_the_kernel_holds_the_most_for(void)
{
	static const char *const options[] = { "--outbox=60K", "--outbox-total=64K", NULL };
	static struct https_client slow[20];
	https_world_open(&world, options);
	for (int i = 0; i < 20; i++) {
		https_connect(&slow[i], &world, TLS13, 4608);
		CU_ASSERT_TRUE_FATAL(https_shake(&slow[i], &world));
		https_say(&slow[i], "GET /stream?channels=a HTTP/1.0\r\nHost: localhost\r\n\r\n");
		https_flush(&slow[i]);
		https_read(&slow[i], &world, SIZE_MAX);
	}
	world_publish_bytes(&world, "a", SL_TEXT, large, 16000);
	for (int i = 0; i < 10; i++)
		world_turn(&world);
	CU_ASSERT_TRUE(world_counter(&world, SL_COUNTER_OUTBOX_PINNED_EVICTIONS) > 0);
	for (int i = 0; i < 20; i++)
		https_close(&slow[i]);
	for (int i = 0; i < 5; i++)
		world_settle(&world);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	world_close(&world);
}

static void
test_https_abort_says_no_last_word(void)
{
	begin();
	https_ask(&client, &world, GET("/sse?channels=a"));
	sl_link_abort(client.plain.link);
	https_take(&client, &world);
	CU_ASSERT_TRUE(client.tls.has_fin);
	CU_ASSERT_FALSE(client.tls.has_ended);
	end();
}

static void
test_https_garbage_is_taken_while_a_stream_is_served_but_not_for_ever(void)
{
	begin();
	https_ask(&client, &world, GET("/sse?channels=a"));
	for (int i = 0; i < 60; i++) {
		tls_client_write(&client.tls, large, 1000);
		https_flush(&client);
		https_read(&client, &world, SIZE_MAX);
	}
	CU_ASSERT_EQUAL(http_links(&world), 1);
	for (int i = 0; i < 6; i++) {
		tls_client_write(&client.tls, large, 1000);
		https_flush(&client);
		https_read(&client, &world, SIZE_MAX);
	}
	CU_ASSERT_EQUAL(http_links(&world), 0);
	https_close(&client);
	world_close(&world);
}

static void
test_https_stream_ends_with_close_notify(void)
{
	begin();
	open_stream();
	sl_shard_drain(&world.shard);
	read_on(SIZE_MAX);
	CU_ASSERT_TRUE(client.tls.has_ended);
	CU_ASSERT_STRING_EQUAL(client_take_story(&client.plain, &world), "open@0 bye:draining");
	end();
}

/* ---- memory ---- */

#define IDLE_COUNT 200
/* From OpenSSL 3.2 on each direction has a record layer of its own, of about 4 KiB. */
#if OPENSSL_VERSION_NUMBER < 0x30200000L
#define IDLE_BYTES_MAX (15 * 1024)
#else
#define IDLE_BYTES_MAX (23 * 1024)
#endif

static size_t
count_heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

/* Everything on the heap is counted: the connection and all that TLS keeps of it. */
static void
check_idle_memory(int version, const char *request)
{
	static struct https_client clients[IDLE_COUNT];
	https_world_open(&world, NULL);
	for (int round = 0; round < 2; round++) { /* the first grows what all share */
		size_t before = count_heap();
		for (int i = 0; i < IDLE_COUNT; i++) {
			https_connect(&clients[i], &world, version, 0);
			CU_ASSERT_TRUE_FATAL(https_shake(&clients[i], &world));
			https_ask(&clients[i], &world, request);
			int fd = clients[i].tls.fd;
			tls_client_close(&clients[i].tls);
			sl_buffer_finish(&clients[i].plain.got);
			clients[i].tls.fd = fd;
		}
		CU_ASSERT_EQUAL(http_links(&world), IDLE_COUNT);
		size_t each = (count_heap() - before) / IDLE_COUNT;
		if (round == 1 && before > 0) { /* a sanitizer's allocator does not say */
			printf("%zu bytes ", each);
			CU_ASSERT_TRUE(each <= IDLE_BYTES_MAX);
		}
		for (int i = 0; i < IDLE_COUNT; i++)
			close(clients[i].tls.fd);
		for (int i = 0; i < IDLE_COUNT && http_links(&world) > 0; i++)
			world_settle(&world);
		CU_ASSERT_EQUAL(http_links(&world), 0);
	}
	world_close(&world);
}

static void
test_https_idle_connection_holds_little(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	check_idle_memory(TLS13, POLL);
	check_idle_memory(TLS13, GET("/stream?channels=a"));
	check_idle_memory(TLS12, POLL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_https_serves_requests_of_every_kind_one_after_the_other),
		UNIT_TEST(test_https_two_requests_in_one_record_are_both_answered),
		UNIT_TEST(test_https_one_request_in_three_records_is_answered_once),
		UNIT_TEST(test_https_requests_may_come_byte_by_byte),
		UNIT_TEST(test_https_many_requests_at_once_are_all_answered),
		UNIT_TEST(test_https_bodies_are_as_long_as_many_records),
		UNIT_TEST(test_https_what_comes_behind_a_held_poll_waits),
		UNIT_TEST(test_https_held_poll_ends_when_its_client_says_so),
		UNIT_TEST(test_https_client_that_has_shut_its_side_gets_its_answer),
		UNIT_TEST(test_https_streams_end_when_their_client_says_so),
		UNIT_TEST(test_https_frames_cross_records_and_share_them),
		UNIT_TEST(test_https_close_notify_in_mid_frame_ends_the_connection),
		UNIT_TEST(test_https_slow_consumer_gets_all_that_is_in_a_record),
		UNIT_TEST(test_https_large_records_reach_a_client_that_reads_one_byte_a_time),
		UNIT_TEST(test_https_what_is_committed_counts_in_the_sum_of_outboxes),
		UNIT_TEST(test_https_sum_of_outboxes_ends_whom_the_kernel_holds_the_most_for),
		UNIT_TEST(test_https_abort_says_no_last_word),
		UNIT_TEST(test_https_garbage_is_taken_while_a_stream_is_served_but_not_for_ever),
		UNIT_TEST(test_https_stream_ends_with_close_notify),
		UNIT_TEST(test_https_idle_connection_holds_little),
		{ NULL, NULL },
	};
	int failed = unit_main("https", tests);
	tls_context_forget();
	return failed;
}
