/* What the relay writes for a head that the reader takes, libmicrohttpd reads as the same method,
 * path and Host, and no other field: no byte of the client's can make the two differ. */
#include <errno.h>
#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/exchange.h"
#include "http/head.h"
#include "http/request.h"
#include "http/route.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"

#define RUNS 20

static const struct sl_route route = { .path = "", .methods = "GET, HEAD, POST" };

struct expected {
	const struct sl_head *head;
	struct sl_span path;
	unsigned seen; /* requests that libmicrohttpd told of */
};

static struct expected expected;

static enum MHD_Result
handle(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_size, void **state)
{
	(void)arg, (void)version, (void)upload;
	if (!*state) {
		*state = &expected;
		return MHD_YES;
	}
	FUZZ_EXPECT(*upload_size == 0);
	expected.seen++;
	FUZZ_EXPECT(sl_span_equals(expected.head->method, method));
	FUZZ_EXPECT(sl_span_equals(expected.path, url));
	/* Host, Connection and Content-Length */
	FUZZ_EXPECT(MHD_get_connection_values(mhd, MHD_HEADER_KIND, NULL, NULL) <= 3);
	const char *host = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Host");
	FUZZ_EXPECT(host && (expected.head->authority.len == 0 ||
		sl_span_equals(expected.head->authority, host)));
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(mhd, 200, response);
	MHD_destroy_response(response);
	return result;
}

static size_t
keep_escapes(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg, (void)mhd;
	return strlen(text);
}

static void
drop_log(void *arg, const char *format, va_list args)
{
	(void)arg, (void)format, (void)args;
}

static struct MHD_Daemon *
start_daemon(void)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, handle, NULL,
		MHD_OPTION_EXTERNAL_LOGGER, drop_log, NULL,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)65536,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_END);
}

/* One request, on a connection of its own; all of the answer comes back. */
static void
relay(const struct sl_buffer *text)
{
	static struct MHD_Daemon *daemon;
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	char answer[4096];
	int fds[2];
	if (!daemon)
		daemon = start_daemon();
	FUZZ_EXPECT(daemon);
	FUZZ_EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	FUZZ_EXPECT(MHD_add_connection(daemon, fds[1], (struct sockaddr *)&address,
		sizeof address.ss_family) == MHD_YES);
	FUZZ_EXPECT(send(fds[0], text->bytes, text->len, MSG_NOSIGNAL) == (ssize_t)text->len);
	for (int i = 0; i < RUNS && !expected.seen; i++)
		MHD_run(daemon);
	FUZZ_EXPECT(expected.seen == 1);
	MHD_run(daemon);
	ssize_t got = recv(fds[0], answer, sizeof answer, 0);
	FUZZ_EXPECT(got > 15 && memcmp(answer, "HTTP/1.1 200 OK", 15) == 0);
	close(fds[0]);
	for (int i = 0; i < 3; i++)
		MHD_run(daemon);
	FUZZ_EXPECT(expected.seen == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const methods[] = { "GET", "HEAD", "POST" };
	struct sl_head_refusal refusal;
	struct sl_head head;
	size_t scanned = 0;
	bool is_taken = false;
	char *copy = fuzz_copy(bytes, len);
	ptrdiff_t head_len = sl_head_scan(copy, len, &scanned);
	if (head_len > 0 && head_len <= 16384 && sl_head_parse(&head, copy, (size_t)head_len, &refusal))
		for (size_t i = 0; i < 3; i++)
			is_taken |= sl_head_is_method(&head, methods[i]);
	if (is_taken && head.target.bytes[0] == '/') {
		struct sl_request request = { .head = &head, .route = &route };
		struct sl_buffer text = SL_BUFFER_INIT;
		const char *query = memchr(head.target.bytes, '?', head.target.len);
		expected = (struct expected){ &head, { head.target.bytes,
			query ? (size_t)(query - head.target.bytes) : head.target.len }, 0 };
		sl_exchange_append_head(&text, &request, false);
		FUZZ_EXPECT(sl_buffer_status(&text) == 0);
		relay(&text);
		sl_buffer_finish(&text);
	}
	free(copy);
	return 0;
}
