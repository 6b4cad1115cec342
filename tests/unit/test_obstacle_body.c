#include "bench/obstacle/body.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_span get = { "GET", 3 };

static int
of_response(struct ob_body *body, const char *text, struct sl_span method)
{
	struct ob_head head;
	size_t used;
	ob_head_init(&head, OB_RESPONSE, 1024);
	CU_ASSERT_EQUAL_FATAL(ob_head_feed(&head, text, strlen(text), &used), 0);
	int err = ob_body_of_response(body, &head, method);
	ob_head_finish(&head);
	return err;
}

static int
of_request(struct ob_body *body, const char *text)
{
	struct ob_head head;
	size_t used;
	ob_head_init(&head, OB_REQUEST, 1024);
	CU_ASSERT_EQUAL_FATAL(ob_head_feed(&head, text, strlen(text), &used), 0);
	int err = ob_body_of_request(body, &head);
	ob_head_finish(&head);
	return err;
}

/* Feeds `text` `step` bytes at a time; returns how many were taken. */
static size_t
feed(struct ob_body *body, const char *text, size_t step, struct sl_buffer *content, int *err)
{
	size_t at = 0, len = strlen(text), used;
	*err = 0;
	while (at < len && !body->is_done && !*err) {
		*err = ob_body_feed(body, text + at, len - at < step ? len - at : step, &used, content);
		at += used;
	}
	return at;
}

static void
expect_content(const struct sl_buffer *content, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(content->len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(content->bytes, text, content->len), 0);
}

static void
test_body_chunks_are_read_however_they_come(void)
{
	static const char text[] = "3\r\nabc\r\n00A;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext";
	for (size_t step = 1; step < sizeof text; step++) {
		struct ob_body body;
		struct sl_buffer content = SL_BUFFER_INIT;
		int err;
		of_response(&body, "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", get);
		CU_ASSERT_EQUAL(feed(&body, text, step, &content, &err), sizeof text - 1 - 4);
		CU_ASSERT_EQUAL(err, 0);
		CU_ASSERT_TRUE(body.is_done);
		expect_content(&content, "abc0123456789");
		sl_buffer_finish(&content);
	}
}

static void
test_body_bad_chunks_are_refused(void)
{
	static const char *const texts[] = { "x", "3\n", "3\r\nabcd", "\r\n", "3\r\nabc\n",
		"1234567890123456\r\n", "3;\n", "3\rx", NULL };
	for (int i = 0; texts[i]; i++) {
		struct ob_body body;
		struct sl_buffer content = SL_BUFFER_INIT;
		int err;
		of_response(&body, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", get);
		feed(&body, texts[i], 100, &content, &err);
		CU_ASSERT_EQUAL(err, SL_ESYNTAX);
		sl_buffer_finish(&content);
	}
}

static void
test_body_length_ends_where_it_says(void)
{
	struct ob_body body;
	struct sl_buffer content = SL_BUFFER_INIT;
	int err;
	of_request(&body, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n");
	CU_ASSERT_EQUAL(feed(&body, "hellonext", 3, &content, &err), 5);
	CU_ASSERT_TRUE(body.is_done);
	expect_content(&content, "hello");
	sl_buffer_finish(&content);
}

static void
test_body_is_absent_where_the_standard_says_so(void)
{
	struct ob_body body;
	CU_ASSERT_EQUAL(of_request(&body, "GET / HTTP/1.1\r\n\r\n"), 0);
	CU_ASSERT_TRUE(body.is_done);
	of_request(&body, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	CU_ASSERT_TRUE(body.is_done);
	of_response(&body, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", (struct sl_span){ "HEAD", 4 });
	CU_ASSERT_TRUE(body.is_done);
	of_response(&body, "HTTP/1.1 204 No\r\n\r\n", get);
	CU_ASSERT_TRUE(body.is_done);
	of_response(&body, "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", get);
	CU_ASSERT_TRUE(body.is_done);
	of_response(&body, "HTTP/1.1 101 No\r\n\r\n", get);
	CU_ASSERT_TRUE(body.is_done);
	of_response(&body, "HTTP/1.0 200 OK\r\n\r\n", get);
	CU_ASSERT_EQUAL(body.framing, OB_UNTIL_CLOSE);
	CU_ASSERT_FALSE(body.is_done);
}

static void
test_body_refuses_lengths_that_are_none(void)
{
	struct ob_body body;
	CU_ASSERT_EQUAL(of_request(&body, "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(of_request(&body, "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(of_request(&body, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n"), SL_ESYNTAX);
	CU_ASSERT_EQUAL(of_request(&body, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"),
		SL_ESYNTAX);
	CU_ASSERT_EQUAL(of_request(&body, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
		"Content-Length: 1\r\n\r\n"), SL_ESYNTAX);
}

static void
test_body_is_written_in_each_framing(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	ob_body_write(OB_CHUNKED, &out, "hello world!", 12, false);
	ob_body_write(OB_CHUNKED, &out, NULL, 0, true);
	expect_content(&out, "c\r\nhello world!\r\n0\r\n\r\n");
	sl_buffer_clear(&out);
	ob_body_write(OB_LENGTH, &out, "a", 1, true);
	ob_body_write(OB_UNTIL_CLOSE, &out, "b", 1, true);
	ob_body_write(OB_NO_BODY, &out, "c", 1, true);
	expect_content(&out, "ab");
	sl_buffer_finish(&out);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_body_chunks_are_read_however_they_come),
	UNIT_TEST(test_body_bad_chunks_are_refused),
	UNIT_TEST(test_body_length_ends_where_it_says),
	UNIT_TEST(test_body_is_absent_where_the_standard_says_so),
	UNIT_TEST(test_body_refuses_lengths_that_are_none),
	UNIT_TEST(test_body_is_written_in_each_framing),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_body", tests);
}
