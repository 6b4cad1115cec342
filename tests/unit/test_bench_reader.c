/* Readers and their accounts over a pair of sockets, byte for byte. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/worker.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define PAYLOAD_BYTES 16

static void
fake_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	sl_buffer_printf(out, "GET %s?%s\r\n\r\n", channel, cursor);
}

static int
fake_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX])
{
	const char *value;
	size_t len;
	if (!bench_answer_field(answer, "Cursor", &value, &len))
		return SL_EPROTO;
	*(char *)mempcpy(cursor, value, len) = '\0';
	return 1;
}

static const struct bench_peer fake_peer = {
	.name = "fake",
	.transports = BENCH_HAS_ALL,
	.subscribe = fake_subscribe,
	.take_cursor = fake_take_cursor,
	.opened = { "open", "open", "open", "\r\n\r\n", "\r\n\r\n" },
};

struct world {
	struct bench_server server;
	struct bench_worker worker;
	int peer; /* the server's end of the reader's connection */
};

static void
init_world(struct world *world, enum bench_transport transport)
{
	int ends[2];
	*world = (struct world){ .server.peer = &fake_peer };
	struct bench_worker_plan plan = {
		.server = &world->server, .transport = transport, .channel = "c", .readers = 1,
		.payload_len = PAYLOAD_BYTES, .core = -1,
	};
	CU_ASSERT_EQUAL_FATAL(bench_worker_init(&world->worker, &plan), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	world->worker.readers[0].stream.fd = ends[0];
	world->peer = ends[1];
}

static void
finish_world(struct world *world)
{
	bench_worker_finish(&world->worker);
	close(world->peer);
}

/* What the reader has sent since the last time, as text. */
static const char *
heard(struct world *world)
{
	static char text[512];
	ssize_t got = recv(world->peer, text, sizeof text - 1, 0);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* Returns the first error. */
static int
say_in_steps(struct world *world, const char *bytes, size_t len, size_t step)
{
	int err = 0;
	for (size_t at = 0; at < len && !err; at += step) {
		size_t more = at + step < len ? step : len - at;
		CU_ASSERT_EQUAL_FATAL(send(world->peer, bytes + at, more, 0), (ssize_t)more);
		err = bench_reader_read(&world->worker, &world->worker.readers[0]);
	}
	return err;
}

static struct bench_account
account_of(const struct world *world)
{
	struct bench_account account = { 0 };
	bench_worker_add_account(&world->worker, &account);
	return account;
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define STREAM_OPEN "5\r\nopen\n\r\n"
#define STREAM_MESSAGES "12\r\n[^00000000$xxxxxx]\r\n24\r\n[^00000001$xxxxxx][^00000002$xxxxxx]\r\n"

static void
test_reader_accounts_a_stream_to_the_byte_wherever_reads_end(void)
{
	static const char bytes[] = STREAM_HEAD STREAM_OPEN STREAM_MESSAGES;
	for (size_t step = 1; step < sizeof bytes; step++) {
		struct world world;
		init_world(&world, BENCH_SSE);
		CU_ASSERT_EQUAL(say_in_steps(&world, bytes, sizeof bytes - 1, step), 0);
		struct bench_account account = account_of(&world);
		CU_ASSERT_EQUAL(world.worker.open_count, 1);
		CU_ASSERT_EQUAL(world.worker.delivered, 3);
		CU_ASSERT_EQUAL(account.messages, 3);
		CU_ASSERT_EQUAL(account.down.wire, sizeof bytes - 1);
		CU_ASSERT_EQUAL(account.down.clear, sizeof bytes - 1);
		CU_ASSERT_EQUAL(account.down.heads, strlen(STREAM_HEAD));
		CU_ASSERT_EQUAL(account.down.payload, 3 * PAYLOAD_BYTES);
		CU_ASSERT_EQUAL(account.up.wire, 0);
		finish_world(&world);
	}
}

/* A hop between may cut chunks where it likes. */
static void
test_reader_counts_a_message_that_is_cut_by_chunks(void)
{
	static const char bytes[] = STREAM_HEAD "4\r\n^000\r\n4\r\n0000\r\n8\r\n0$xxxxxx\r\n";
	for (size_t step = 1; step < sizeof bytes; step++) {
		struct world world;
		init_world(&world, BENCH_STREAM);
		CU_ASSERT_EQUAL(say_in_steps(&world, bytes, sizeof bytes - 1, step), 0);
		CU_ASSERT_EQUAL(world.worker.delivered, 1);
		finish_world(&world);
	}
}

#define ANSWER "HTTP/1.1 200 OK\r\nCursor: k1\r\nContent-Length: 18\r\n\r\n[^00000000$xxxxxx]"
#define REQUEST "GET c?k1\r\n\r\n"

static void
test_reader_asks_again_after_a_long_polls_answer(void)
{
	static const char bytes[] = ANSWER;
	for (size_t step = 1; step < sizeof bytes; step++) {
		struct world world;
		init_world(&world, BENCH_LONGPOLL);
		CU_ASSERT_EQUAL(say_in_steps(&world, bytes, sizeof bytes - 1, step), 0);
		CU_ASSERT_STRING_EQUAL(heard(&world), REQUEST);
		struct bench_account account = account_of(&world);
		CU_ASSERT_EQUAL(account.up.wire, strlen(REQUEST));
		CU_ASSERT_EQUAL(account.up.heads, strlen(REQUEST));
		CU_ASSERT_EQUAL(account.down.heads, sizeof bytes - 1 - 18);
		CU_ASSERT_EQUAL(account.down.payload, PAYLOAD_BYTES);
		finish_world(&world);
	}
}

static void
test_reader_of_short_polls_waits_for_its_turn(void)
{
	struct world world;
	init_world(&world, BENCH_POLL);
	CU_ASSERT_EQUAL(say_in_steps(&world, ANSWER, strlen(ANSWER), 1000), 0);
	CU_ASSERT_STRING_EQUAL(heard(&world), "");
	CU_ASSERT_EQUAL(bench_reader_poll(&world.worker, &world.worker.readers[0]), 0);
	CU_ASSERT_STRING_EQUAL(heard(&world), REQUEST);
	/* One that comes due meanwhile is made up for. */
	CU_ASSERT_EQUAL(bench_reader_poll(&world.worker, &world.worker.readers[0]), 0);
	CU_ASSERT_STRING_EQUAL(heard(&world), "");
	CU_ASSERT_EQUAL(say_in_steps(&world, ANSWER, strlen(ANSWER), 1000), 0);
	CU_ASSERT_STRING_EQUAL(heard(&world), REQUEST);
	CU_ASSERT_EQUAL(world.worker.readers[0].counter.doubled, 1);
	finish_world(&world);
}

static void
test_reader_answers_pings(void)
{
	static const char bytes[] = "HTTP/1.1 101 S\r\n\r\n\x81\x04open\x89\x01p";
	for (size_t step = 1; step < sizeof bytes; step++) {
		struct world world;
		init_world(&world, BENCH_WEBSOCKET);
		CU_ASSERT_EQUAL(say_in_steps(&world, bytes, sizeof bytes - 1, step), 0);
		CU_ASSERT_EQUAL(memcmp(heard(&world), "\x8a\x81\0\0\0\0p", 7), 0);
		CU_ASSERT_EQUAL(account_of(&world).up.wire, 7);
		CU_ASSERT_EQUAL(world.worker.open_count, 1);
		finish_world(&world);
	}
}

static void
test_reader_refuses_an_error_and_the_end_of_a_stream(void)
{
	static const char error[] = "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n";
	static const char ended[] = STREAM_HEAD STREAM_OPEN "0\r\n\r\n";
	struct world world;
	init_world(&world, BENCH_SSE);
	CU_ASSERT_EQUAL(say_in_steps(&world, error, sizeof error - 1, 1000), SL_EPROTO);
	finish_world(&world);
	init_world(&world, BENCH_SSE);
	CU_ASSERT_EQUAL(say_in_steps(&world, ended, sizeof ended - 1, 1000), SL_ECLOSED);
	finish_world(&world);
}

static void
test_reader_of_a_channel_of_its_own_times_its_messages_by_their_turn(void)
{
	struct world world;
	char name[BENCH_CHANNEL_MAX];
	init_world(&world, BENCH_LONGPOLL);
	struct bench_worker *worker = &world.worker;
	worker->plan.channels = 10;
	worker->plan.first_reader = 4;
	worker->pass = (struct bench_pass){ .measured = true,
		.schedule = { .rate = 1e9, .burst = 1, .first = 10, .count = 10 } };
	CU_ASSERT_EQUAL_FATAL(bench_worker_prepare(worker, 10), 0);
	/* Its first message, number 4 of all, was of the warm-up; number 14 is the pass's fifth. */
	static const char bytes[] = ANSWER, later[] = "HTTP/1.1 200 OK\r\nCursor: k2\r\n"
		"Content-Length: 18\r\n\r\n[^00000001$xxxxxx]";
	CU_ASSERT_EQUAL(say_in_steps(&world, bytes, sizeof bytes - 1, 1000), 0);
	CU_ASSERT_STRING_EQUAL(heard(&world), "GET c.4?k1\r\n\r\n");
	CU_ASSERT_EQUAL(worker->tally->latency.count, 0);
	CU_ASSERT_EQUAL(say_in_steps(&world, later, sizeof later - 1, 1000), 0);
	CU_ASSERT_EQUAL(worker->tally->latency.count, 1);
	CU_ASSERT_EQUAL(worker->delivered, 2);
	for (unsigned turn = 0; turn < 10; turn++)
		CU_ASSERT_EQUAL(worker->tally->last_ns[turn] != 0, turn == 4);
	worker->published = 14;
	CU_ASSERT_EQUAL(bench_worker_owes(worker, &worker->readers[0]), 1);
	worker->published = 15;
	CU_ASSERT_EQUAL(bench_worker_owes(worker, &worker->readers[0]), 2);
	bench_worker_name_channel(worker, 9, name);
	CU_ASSERT_STRING_EQUAL(name, "c.9");
	finish_world(&world);
}

static void
test_account_splits_bytes_by_kind_for_each_message(void)
{
	const struct bench_account before = { .down = { .wire = 100, .clear = 100, .heads = 100 } };
	const struct bench_account after = {
		.down = { .wire = 1100, .clear = 900, .heads = 300, .payload = 400, .segment_headers = 520 },
		.up = { .wire = 40, .clear = 20, .heads = 20, .segment_headers = 104 },
		.messages = 10,
	};
	struct bench_account account = bench_account_between(&before, &after);
	json_t *figures = json_object();
	bench_account_set_figures(&account, 2, figures);
	static const struct {
		const char *name;
		double wanted;
	} kinds[] = {
		{ "down_payload", 40 }, { "down_heads", 20 }, { "down_framing", 20 }, { "down_tls", 20 },
		{ "down_tcp_ip", 52 }, { "down_total", 152 }, { "up_payload", 0 }, { "up_heads", 2 },
		{ "up_framing", 0 }, { "up_tls", 2 }, { "up_tcp_ip", 10.4 }, { "up_total", 14.4 },
		{ "bytes_per_s", 832 },
	};
	CU_ASSERT_EQUAL(json_object_size(figures), sizeof kinds / sizeof *kinds);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		double value = json_real_value(json_object_get(figures, kinds[i].name));
		CU_ASSERT_DOUBLE_EQUAL(value, kinds[i].wanted, 1e-9);
	}
	json_decref(figures);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_reader_accounts_a_stream_to_the_byte_wherever_reads_end),
		UNIT_TEST(test_reader_counts_a_message_that_is_cut_by_chunks),
		UNIT_TEST(test_reader_asks_again_after_a_long_polls_answer),
		UNIT_TEST(test_reader_of_short_polls_waits_for_its_turn),
		UNIT_TEST(test_reader_answers_pings),
		UNIT_TEST(test_reader_refuses_an_error_and_the_end_of_a_stream),
		UNIT_TEST(test_reader_of_a_channel_of_its_own_times_its_messages_by_their_turn),
		UNIT_TEST(test_account_splits_bytes_by_kind_for_each_message),
		{ NULL, NULL },
	};
	return unit_main("bench reader", tests);
}
