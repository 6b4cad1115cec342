/* Request smuggling: what one connection carries is read as these requests and no others, whatever
 * hops before us may have made of it. */
#include <stdio.h>

#include "http/body.h"
#include "tests/unit/read_head.h"

#define POST "POST /a HTTP/1.1\r\nHost: h\r\n"
#define SECOND "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

/* The targets that were read, one letter each behind a method that is none of the two, and the
 * bodies, in brackets; '!' where the connection ends with a 400, '.' where it waits for more. */
static void
read_all(const char *bytes, size_t len, char *out)
{
	while (len > 0) {
		size_t scanned = 0, used = 0;
		struct sl_body body;
		ptrdiff_t head_len = sl_head_scan(bytes, len, &scanned);
		if (head_len == 0 || (head_len > 0 ? read_head_bytes(bytes, (size_t)head_len) : 1)) {
			strcpy(out, head_len == 0 ? "." : "!");
			return;
		}
		if (!sl_head_is_method(&head, "GET") && !sl_head_is_method(&head, "POST"))
			out += sprintf(out, "%.*s ", (int)head.method.len, head.method.bytes);
		*out++ = head.target.bytes[1];
		bytes += head_len;
		len -= (size_t)head_len;
		sl_body_begin(&body, &head, 1000);
		enum sl_body_state state = sl_body_feed(&body, bytes, len, &used);
		if (body.received > 0)
			out += sprintf(out, "[%.*s]", (int)body.bytes.len, body.bytes.bytes);
		sl_body_finish(&body);
		if (state != SL_BODY_DONE) {
			strcpy(out, state == SL_BODY_MORE ? "." : "!");
			return;
		}
		bytes += used;
		len -= used;
	}
	*out = '\0';
}

static const struct {
	const char *wire, *read;
} shapes[] = {
	/* no doubt at all */
	{ POST "\r\n" SECOND, "ab" },
	{ POST "Content-Length: 5\r\n\r\nhello" SECOND, "a[hello]b" },
	{ POST CHUNKED "\r\n5\r\nhello\r\n0\r\n\r\n" SECOND, "a[hello]b" },
	{ POST "Content-Length: 0\r\n\r\n\r\n" SECOND, "ab" },
	{ SECOND SECOND SECOND, "bbb" },

	/* CL.TE, TE.CL */
	{ POST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n" SECOND, "!" },
	{ POST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST CHUNKED "Content-Length: 0\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Content-Length: 4\r\nTransfer-encoding: Chunked\r\n\r\n5c\r\n" SECOND, "!" },

	/* TE.TE */
	{ POST CHUNKED CHUNKED "\r\n0\r\n\r\n" SECOND, "!" },
	{ POST CHUNKED "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello" SECOND, "!" },
	{ POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" SECOND, "!" },
	{ POST "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" SECOND, "ab" },
	{ POST "Transfer_Encoding: chunked\r\n\r\n" SECOND, "ab" },
	{ "POST /a HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n" SECOND, "!" },

	/* lengths */
	{ POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 5, 6\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" SECOND, "a[hello]b" },
	{ POST "Content-Length: 5, 5\r\n\r\nhello" SECOND, "a[hello]b" },
	{ POST "Content-Length: +5\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: -5\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 0x5\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 5 \r\n\r\nhello" SECOND, "a[hello]b" },
	{ POST "Content-Length : 5\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 18446744073709551621\r\n\r\nhello" SECOND, "!" },
	{ POST "Content-Length: 5\r\n\r\nhello\r\n" SECOND, "a[hello]b" },
	{ POST "Content-Length: 5\r\n\r\nhello!" SECOND, "a[hello]!GET b" },
	{ POST "Content-Length: 4\r\n\r\nhello" SECOND, "a[hell]oGET b" },

	/* chunks */
	{ POST CHUNKED "\r\n5;x=\"\r\nhello\r\n0\r\n\r\n" SECOND, "a[hello]b" },
	{ POST CHUNKED "\r\n5;\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n5\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n5\rXhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n0x5\r\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n+5\r\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n5 \r\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n10000000000000005\r\nhello\r\n0\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n5\r\nhello0\r\n\r\n" SECOND, "a[hello]!" },
	{ POST CHUNKED "\r\n5\r\nhello\r\n\r\n0\r\n\r\n" SECOND, "a[hello]!" },
	{ POST CHUNKED "\r\n5\r\nhello\n0\r\n\r\n" SECOND, "a[hello]!" },
	{ POST CHUNKED "\r\n4\r\nhello\r\n0\r\n\r\n" SECOND, "a[hell]!" },
	{ POST CHUNKED "\r\n6\r\nhello\r\n0\r\n\r\n" SECOND, "a[hello\r]!" },
	{ POST CHUNKED "\r\n0\r\nContent-Length: 40\r\n\r\n" SECOND, "ab" },
	{ POST CHUNKED "\r\n0\r\nX : y\r\n\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n0\r\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n0\r\n\n" SECOND, "a!" },
	{ POST CHUNKED "\r\n0\n\n" SECOND, "a!" },

	/* where a head ends */
	{ "POST /a HTTP/1.1\nHost: h\n\n" SECOND, "!" },
	{ POST "\n" SECOND, "!" },
	{ POST "X: \r\r\n\r\n" SECOND, "!" },
	{ POST "\r\r\n" SECOND, "!" },
	{ "GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n" SECOND, "!" },
	{ "GET /a HTTP/1.1\r\nHost: h\r\nX: y", "." },
	{ POST "Content-Length: 9\r\n\r\nhello", "a[hello]." },
};

static void
test_smuggling_finds_no_second_reading(void)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		char read[256];
		read_all(shapes[i].wire, strlen(shapes[i].wire), read);
		CU_ASSERT_STRING_EQUAL(read, shapes[i].read);
		if (strcmp(read, shapes[i].read) != 0)
			printf("\n    %s and not %s for\n%s\n", read, shapes[i].read, shapes[i].wire);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_smuggling_finds_no_second_reading),
		{ NULL, NULL },
	};
	int status = unit_main("smuggling", tests);
	forget_head();
	return status;
}
