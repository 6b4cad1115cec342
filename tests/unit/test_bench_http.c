#include "bench/load/http.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

struct sizes {
	size_t head, framing, body, answers;
	unsigned status;
	int err;
};

static struct sizes
feed_in_steps(const char *bytes, size_t step)
{
	struct bench_http http = { 0 };
	struct sizes sizes = { 0 };
	size_t len = strlen(bytes);
	for (size_t at = 0; at < len && !sizes.err;) {
		size_t end = (at / step + 1) * step, taken;
		int piece = bench_http_next(&http, bytes + at, (end < len ? end : len) - at, &taken);
		if (piece < 0) {
			sizes.err = piece;
			break;
		}
		at += taken;
		sizes.head += piece == BENCH_PIECE_HEAD ? taken : 0;
		sizes.framing += piece == BENCH_PIECE_FRAMING ? taken : 0;
		sizes.body += piece == BENCH_PIECE_BODY ? taken : 0;
		sizes.status = http.status;
		if (http.state == BENCH_HTTP_DONE) {
			sizes.answers++;
			bench_http_restart(&http);
		}
	}
	bench_http_finish(&http);
	return sizes;
}

static void
expect(const char *bytes, struct sizes wanted)
{
	for (size_t step = 1; step <= strlen(bytes); step++) {
		struct sizes sizes = feed_in_steps(bytes, step);
		CU_ASSERT_EQUAL(sizes.err, 0);
		CU_ASSERT_EQUAL(sizes.head, wanted.head);
		CU_ASSERT_EQUAL(sizes.framing, wanted.framing);
		CU_ASSERT_EQUAL(sizes.body, wanted.body);
		CU_ASSERT_EQUAL(sizes.answers, wanted.answers);
		CU_ASSERT_EQUAL(sizes.status, wanted.status);
	}
}

#define LENGTH_HEAD "HTTP/1.1 200 OK\r\ncontent-length:  5\r\n\r\n"
#define CHUNKED_HEAD "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
test_http_takes_bodies_of_known_length_apart(void)
{
	expect(LENGTH_HEAD "hello" LENGTH_HEAD "again",
		(struct sizes){ .head = 2 * strlen(LENGTH_HEAD), .body = 10, .answers = 2, .status = 200 });
}

static void
test_http_takes_chunks_and_trailers_apart(void)
{
	expect(CHUNKED_HEAD "5\r\nhello\r\n0A;x=1\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
		(struct sizes){ .head = strlen(CHUNKED_HEAD), .framing = 3 + 2 + 8 + 2 + 3 + 6 + 2,
			.body = 15, .answers = 1, .status = 200 });
}

static void
test_http_passes_over_interim_answers(void)
{
	expect("HTTP/1.1 100 Continue\r\n\r\n" LENGTH_HEAD "hello",
		(struct sizes){ .head = 25 + strlen(LENGTH_HEAD), .body = 5, .answers = 1, .status = 200 });
}

static void
test_http_ends_answers_that_have_no_body(void)
{
	static const char none[] = "HTTP/1.1 204 No Content\r\n\r\n";
	static const char empty[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	expect(none, (struct sizes){ .head = sizeof none - 1, .answers = 1, .status = 204 });
	expect(empty, (struct sizes){ .head = sizeof empty - 1, .answers = 1, .status = 200 });
}

static void
test_http_takes_what_follows_an_upgrade_as_body(void)
{
	static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
	expect("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 404 no\r\n\r\n",
		(struct sizes){ .head = sizeof head - 1, .body = 19, .status = 101 });
}

static void
test_http_refuses_what_is_no_answer(void)
{
	CU_ASSERT_EQUAL(feed_in_steps("GET / HTTP/1.1\r\n\r\n", 100).err, SL_EPROTO);
	CU_ASSERT_EQUAL(feed_in_steps("HTTP/1.1 2x0 OK\r\n\r\n", 100).err, SL_EPROTO);
	CU_ASSERT_EQUAL(feed_in_steps("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 100).err, SL_EPROTO);
	CU_ASSERT_EQUAL(feed_in_steps(CHUNKED_HEAD "x\r\n", 100).err, SL_EPROTO);
	CU_ASSERT_EQUAL(feed_in_steps(CHUNKED_HEAD "1\r\nab", 100).err, SL_EPROTO);
}

static void
test_http_keeps_the_head_and_the_bodys_beginning(void)
{
	struct bench_http http = { 0 };
	const char *value, *at = LENGTH_HEAD "hello";
	size_t value_len, taken;
	for (const char *end = at + strlen(at); at < end; at += taken)
		CU_ASSERT(bench_http_next(&http, at, 1, &taken) >= 0);
	struct bench_answer answer = bench_http_answer(&http);
	CU_ASSERT(bench_answer_field(&answer, "Content-Length", &value, &value_len));
	CU_ASSERT_EQUAL(value_len, 1);
	CU_ASSERT_EQUAL(answer.body_len, 5);
	CU_ASSERT_EQUAL(memcmp(answer.body, "hello", 5), 0);
	bench_http_finish(&http);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_http_takes_bodies_of_known_length_apart),
		UNIT_TEST(test_http_takes_chunks_and_trailers_apart),
		UNIT_TEST(test_http_passes_over_interim_answers),
		UNIT_TEST(test_http_ends_answers_that_have_no_body),
		UNIT_TEST(test_http_takes_what_follows_an_upgrade_as_body),
		UNIT_TEST(test_http_refuses_what_is_no_answer),
		UNIT_TEST(test_http_keeps_the_head_and_the_bodys_beginning),
		{ NULL, NULL },
	};
	return unit_main("bench http", tests);
}
