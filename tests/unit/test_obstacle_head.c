#include "bench/obstacle/head.h"

#include <string.h>

#include "tests/unit/expect_text.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define MAX 1024

static const char request_text[] = "GET /ws?a=b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
	"X-Empty:\r\ncookie:  a=b \r\nCookie: c\r\n\r\n";

static void
feed_all(struct ob_head *head, enum ob_head_kind kind, const char *text)
{
	size_t used;
	ob_head_init(head, kind, MAX);
	CU_ASSERT_EQUAL_FATAL(ob_head_feed(head, text, strlen(text), &used), 0);
}

static void
expect_written(const struct ob_head *head, const char *text)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	ob_head_write(head, &out);
	expect_text(&out, text);
}

static void
expect_error(enum ob_head_kind kind, const char *text, int err)
{
	struct ob_head head;
	size_t used;
	ob_head_init(&head, kind, MAX);
	CU_ASSERT_EQUAL(ob_head_feed(&head, text, strlen(text), &used), err);
	ob_head_finish(&head);
}

static void
test_head_is_understood_one_byte_at_a_time(void)
{
	struct ob_head head;
	size_t used;
	ob_head_init(&head, OB_REQUEST, MAX);
	for (size_t i = 0; i + 1 < sizeof request_text - 1; i++) {
		CU_ASSERT_EQUAL_FATAL(ob_head_feed(&head, request_text + i, 1, &used), SL_EAGAIN);
		CU_ASSERT_EQUAL(used, 1);
	}
	CU_ASSERT_EQUAL(ob_head_feed(&head, "\n", 1, &used), 0);
	CU_ASSERT_TRUE(sl_span_equals(ob_head_part(&head, OB_METHOD), "GET"));
	CU_ASSERT_TRUE(sl_span_equals(ob_head_part(&head, OB_TARGET), "/ws?a=b"));
	CU_ASSERT_TRUE(sl_span_equals(ob_head_get(&head, "HOST"), "x"));
	CU_ASSERT_TRUE(sl_span_equals(ob_head_get(&head, "Cookie"), "a=b"));
	CU_ASSERT_TRUE(sl_span_equals(ob_head_get(&head, "X-Empty"), ""));
	CU_ASSERT_PTR_NULL(ob_head_get(&head, "Upgrade").bytes);
	ob_head_finish(&head);
}

static void
test_head_leaves_what_follows_it(void)
{
	struct ob_head head;
	size_t used;
	ob_head_init(&head, OB_RESPONSE, MAX);
	const char *text = "HTTP/1.0 204 No Content\r\n\r\nbody";
	CU_ASSERT_EQUAL(ob_head_feed(&head, text, strlen(text), &used), 0);
	CU_ASSERT_EQUAL(used, strlen(text) - 4);
	CU_ASSERT_EQUAL(ob_head_status(&head), 204);
	CU_ASSERT_TRUE(ob_head_is_http10(&head));
	ob_head_finish(&head);
}

static void
test_head_is_written_as_it_came(void)
{
	struct ob_head head;
	feed_all(&head, OB_REQUEST, "\r\n\nPOST / HTTP/1.1\nb: 2\nA: 1\nb: 3\n\n");
	expect_written(&head, "POST / HTTP/1.1\r\nb: 2\r\nA: 1\r\nb: 3\r\n\r\n");
	ob_head_finish(&head);
}

static void
test_head_is_changed_in_place(void)
{
	struct ob_head head;
	feed_all(&head, OB_REQUEST, request_text);
	CU_ASSERT_TRUE(ob_head_remove(&head, "COOKIE"));
	CU_ASSERT_FALSE(ob_head_remove(&head, "Cookie"));
	ob_head_set(&head, "connection", "close");
	ob_head_trim_target(&head, 3);
	ob_head_set_part(&head, OB_REQUEST_VERSION, "HTTP/1.0", 8);
	ob_head_lower_names(&head);
	expect_written(&head, "GET ?a=b HTTP/1.0\r\nhost: x\r\nx-empty: \r\nconnection: close\r\n\r\n");
	ob_head_finish(&head);
}

static void
test_head_finds_tokens_of_lists(void)
{
	struct ob_head head;
	feed_all(&head, OB_REQUEST, request_text);
	CU_ASSERT_TRUE(ob_head_has_token(&head, "Connection", "upgrade"));
	CU_ASSERT_TRUE(ob_head_has_token(&head, "Connection", "Keep-Alive"));
	CU_ASSERT_FALSE(ob_head_has_token(&head, "Connection", "grade"));
	CU_ASSERT_FALSE(ob_head_has_token(&head, "Connection", "keep"));
	ob_head_finish(&head);
}

static void
test_head_can_be_used_again(void)
{
	struct ob_head head;
	size_t used;
	feed_all(&head, OB_REQUEST, request_text);
	ob_head_reset(&head);
	CU_ASSERT_FALSE(head.is_complete);
	CU_ASSERT_EQUAL(ob_head_feed(&head, "GET / HTTP/1.1\r\n\r\n", 18, &used), 0);
	expect_written(&head, "GET / HTTP/1.1\r\n\r\n");
	ob_head_finish(&head);
}

static void
test_head_refuses_what_is_none(void)
{
	expect_error(OB_REQUEST, "nonsense\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET /\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET / HTTP/2.0\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "G(T / HTTP/1.1\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET / HTTP/1.1\r\nno colon\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET / HTTP/1.1\r\n folded: x\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET / HTTP/1.1\r\nA : x\r\n", SL_ESYNTAX);
	expect_error(OB_REQUEST, "GET / HTTP/1.1\r\nA: x\ry\r\n", SL_ESYNTAX);
	expect_error(OB_RESPONSE, "\r\n", SL_ESYNTAX);
	expect_error(OB_RESPONSE, "HTTP/1.1 20 OK\r\n", SL_ESYNTAX);
	expect_error(OB_RESPONSE, "HTTP/1.1 2x0 OK\r\n", SL_ESYNTAX);
}

static void
test_head_has_limits(void)
{
	struct ob_head head;
	char line[MAX + 1];
	size_t used;
	memset(line, 'a', sizeof line);
	ob_head_init(&head, OB_REQUEST, MAX);
	CU_ASSERT_EQUAL(ob_head_feed(&head, line, sizeof line, &used), SL_ETOOBIG);
	ob_head_finish(&head);
	ob_head_init(&head, OB_REQUEST, 100000);
	CU_ASSERT_EQUAL(ob_head_feed(&head, "GET / HTTP/1.1\n", 15, &used), SL_EAGAIN);
	for (int i = 0; i < OB_HEAD_LINES; i++)
		CU_ASSERT_EQUAL_FATAL(ob_head_feed(&head, "a: b\n", 5, &used), SL_EAGAIN);
	CU_ASSERT_EQUAL(ob_head_feed(&head, "a: b\n", 5, &used), SL_ETOOBIG);
	ob_head_finish(&head);
}

static const struct unit_test tests[] = {
	UNIT_TEST(test_head_is_understood_one_byte_at_a_time),
	UNIT_TEST(test_head_leaves_what_follows_it),
	UNIT_TEST(test_head_is_written_as_it_came),
	UNIT_TEST(test_head_is_changed_in_place),
	UNIT_TEST(test_head_finds_tokens_of_lists),
	UNIT_TEST(test_head_can_be_used_again),
	UNIT_TEST(test_head_refuses_what_is_none),
	UNIT_TEST(test_head_has_limits),
	{ NULL, NULL },
};

int
main(void)
{
	return unit_main("obstacle_head", tests);
}
