/* What the adapters of the peers say and understand, without the peers. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/peers/engineio.h"
#include "bench/peers/template.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct bench_server server = { .host = "127.0.0.1:80" };

/* What `peer` sends for `cursor`; to be freed by sl_buffer_finish. */
static struct sl_buffer
request_of(const struct bench_peer *peer, enum bench_transport transport, const char *cursor)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	server.peer = peer;
	peer->subscribe(&out, &server, transport, "news", cursor);
	sl_buffer_append(&out, "", 1);
	return out;
}

static int
take(const struct bench_peer *peer, char cursor[BENCH_CURSOR_MAX], unsigned status,
	const char *head, const char *body)
{
	const struct bench_answer answer = {
		.status = status, .head = head, .head_len = strlen(head), .body = body,
		.body_len = strlen(body),
	};
	return peer->take_cursor(&answer, cursor);
}

static void
check_poll_request(const char *cursor, const char *start, const char *end)
{
	struct sl_buffer request = request_of(&bench_peer_socketio, BENCH_LONGPOLL, cursor);
	CU_ASSERT_EQUAL(strncmp(request.bytes, start, strlen(start)), 0);
	size_t len = strlen(request.bytes);
	CU_ASSERT(len > strlen(end) && strcmp(request.bytes + len - strlen(end), end) == 0);
	sl_buffer_finish(&request);
}

static void
test_socketio_poll_makes_a_session_then_joins_then_receives(void)
{
	char cursor[BENCH_CURSOR_MAX] = "";
	check_poll_request(cursor, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n", "\r\n\r\n");
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "",
		"0{\"sid\":\"abc_D\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000}"), 0);
	check_poll_request(cursor, "POST /socket.io/?EIO=4&transport=polling&sid=abc_D HTTP/1.1\r\n",
		"Content-Length: 38\r\n\r\n40{\"channel\":\"news\",\"channels\":\"news\"}");
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "ok"), 0);
	check_poll_request(cursor, "GET /socket.io/?EIO=4&transport=polling&sid=abc_D HTTP/1.1\r\n",
		"\r\n\r\n");
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "40{\"sid\":\"xyz\"}"), 1);
	check_poll_request(cursor, "GET /socket.io/?EIO=4&transport=polling&sid=abc_D ", "\r\n\r\n");
}

static void
test_socketio_poll_answers_a_ping_between_messages(void)
{
	char cursor[BENCH_CURSOR_MAX] = "rabc";
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "",
		"42[\"m\",\"2\"]\x1e" "2\x1e" "42[\"m\",\"y\"]"), 1);
	check_poll_request(cursor, "POST /socket.io/?EIO=4&transport=polling&sid=abc ", "\r\n\r\n3");
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "ok"), 1);
	check_poll_request(cursor, "GET /socket.io/?EIO=4&transport=polling&sid=abc ", "\r\n\r\n");
}

static void
test_socketio_poll_goes_on_after_messages_alone(void)
{
	char cursor[BENCH_CURSOR_MAX] = "rabc";
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "42[\"m\",\"2\"]\x1e" "4"), 1);
	CU_ASSERT_STRING_EQUAL(cursor, "rabc");
}

static void
test_socketio_poll_fails_when_the_session_ends(void)
{
	char cursor[BENCH_CURSOR_MAX] = "rabc", fresh[BENCH_CURSOR_MAX] = "";
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "1"), SL_EPROTO);
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 200, "", "44{\"message\":\"no\"}"), SL_EPROTO);
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, cursor, 400, "", "{\"code\":1}"), SL_EPROTO);
	CU_ASSERT_EQUAL(take(&bench_peer_socketio, fresh, 200, "", "0{\"sid\":\"abc"), SL_EPROTO);
}

static void
test_socketio_websocket_joins_once_the_session_is_open(void)
{
	static const char opening[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n"
		"\x81\x40" "0{\"sid\":\"abc\",\"upgrades\":[]}";
	static const char joined[] = "\x81\x20" "40{\"sid\":\"xyz\"}";
	static const char join[] = "\x81\xa6\0\0\0\0"
		"40{\"channel\":\"news\",\"channels\":\"news\"}";
	struct sl_buffer out = SL_BUFFER_INIT;
	unsigned step = 0;
	for (size_t i = 0; i < sizeof opening - 1; i++)
		CU_ASSERT_EQUAL(bench_peer_socketio.converse(&out, BENCH_WEBSOCKET, "news", &step,
			opening + i, 1), 0);
	CU_ASSERT_EQUAL_FATAL(out.len, sizeof join - 1);
	CU_ASSERT_EQUAL(memcmp(out.bytes, join, out.len), 0);
	CU_ASSERT_EQUAL(bench_peer_socketio.converse(&out, BENCH_WEBSOCKET, "news", &step, joined, 6),
		0);
	CU_ASSERT_EQUAL(bench_peer_socketio.converse(&out, BENCH_WEBSOCKET, "news", &step, joined + 6,
		sizeof joined - 1 - 6), 1);
	CU_ASSERT_EQUAL(out.len, sizeof join - 1);
	sl_buffer_finish(&out);
}

/* What is measured is the servers: whatever the channel is called in the auth object, all say the same. */
static void
test_clients_of_socketio_say_the_same_to_every_server(void)
{
	const struct bench_peer *const others[] = { &bench_peer_sluice_socketio, &bench_peer_sluice_socketio_4 };
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_PTR_EQUAL(others[i]->converse, bench_peer_socketio.converse);
		CU_ASSERT_PTR_EQUAL(others[i]->subscribe, bench_peer_socketio.subscribe);
		CU_ASSERT_PTR_EQUAL(others[i]->take_cursor, bench_peer_socketio.take_cursor);
		CU_ASSERT_STRING_EQUAL(others[i]->engine_io, bench_peer_socketio.engine_io);
	}
}

/* Else one connection would stay with one shard, and so would all of its session's requests. */
static void
test_socketio_poll_leaves_its_shard_when_there_are_several(void)
{
	const struct bench_server one = { .host = "127.0.0.1:80", .peer = &bench_peer_sluice_socketio };
	const struct bench_server many = { .host = "127.0.0.1:80", .peer = &bench_peer_sluice_socketio_4 };
	struct sl_buffer out = SL_BUFFER_INIT;
	bench_socketio_subscribe(&out, &one, BENCH_LONGPOLL, "news", "cabc");
	sl_buffer_append(&out, "", 1);
	CU_ASSERT_PTR_NULL(strstr(out.bytes, "Connection: close"));
	sl_buffer_clear(&out);
	bench_socketio_subscribe(&out, &many, BENCH_LONGPOLL, "news", "cabc");
	sl_buffer_append(&out, "", 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(out.bytes, "\r\nConnection: close\r\n"));
	sl_buffer_finish(&out);
}

static void
test_bare_engineio_is_open_with_its_session(void)
{
	char cursor[BENCH_CURSOR_MAX] = "";
	const struct bench_peer *peer = &bench_peer_sluice_engineio;
	struct sl_buffer request = request_of(peer, BENCH_LONGPOLL, cursor);
	CU_ASSERT_PTR_NOT_NULL(strstr(request.bytes,
		"GET /engine.io/?channels=news&EIO=4&transport=polling HTTP/1.1\r\n"));
	sl_buffer_finish(&request);
	CU_ASSERT_EQUAL(take(peer, cursor, 200, "", "0{\"sid\":\"abc\",\"upgrades\":[]}"), 1);
	CU_ASSERT_STRING_EQUAL(cursor, "rabc");
	CU_ASSERT_EQUAL(take(peer, cursor, 200, "", "4a message\x1e" "2\x1e" "4another"), 1);
	CU_ASSERT_STRING_EQUAL(cursor, "pabc");
	CU_ASSERT_EQUAL(take(peer, cursor, 200, "", "ok"), 1);
	CU_ASSERT_EQUAL(take(peer, cursor, 200, "", "1"), SL_EPROTO);
}

static void
test_websocket_of_an_upgrade_names_its_session(void)
{
	const struct bench_server own = { .host = "127.0.0.1:80", .peer = &bench_peer_socketio };
	struct sl_buffer out = SL_BUFFER_INIT;
	bench_engineio_append_upgrade(&out, &own, "rabc");
	sl_buffer_append(&out, "", 1);
	CU_ASSERT_EQUAL(strncmp(out.bytes, "GET /socket.io/?EIO=4&transport=websocket&sid=abc HTTP/1.1\r\n",
		59), 0);
	sl_buffer_finish(&out);
}

static void
test_nchan_poll_goes_on_from_time_and_tag(void)
{
	char cursor[BENCH_CURSOR_MAX] = "";
	CU_ASSERT_EQUAL(take(&bench_peer_nchan, cursor, 200,
		"HTTP/1.1 200 OK\r\nLast-Modified: Sun, 22 Nov 2026 12:57:12 GMT\r\nEtag: 3\r\n\r\n", "x"), 1);
	CU_ASSERT_STRING_EQUAL(cursor,
		"If-Modified-Since: Sun, 22 Nov 2026 12:57:12 GMT\r\nIf-None-Match: 3\r\n");
	CU_ASSERT_EQUAL(take(&bench_peer_nchan, cursor, 200, "HTTP/1.1 200 OK\r\n\r\n", "x"), SL_EPROTO);
}

/* Reads one tnetstring at `*at`, which moves behind it: its bytes and its type. */
static char
read_tnetstring(const char **at, const char **value, size_t *len)
{
	char *end;
	*len = strtoul(*at, &end, 10);
	*value = *at;
	if (*end != ':')
		return '\0';
	*value = end + 1;
	*at = end + 1 + *len + 1;
	return end[1 + *len];
}

/* Asserts that a dictionary has `key` next and moves to its value. */
static void
expect_key(const char **at, const char *key)
{
	const char *value;
	size_t len;
	CU_ASSERT_EQUAL(read_tnetstring(at, &value, &len), ',');
	CU_ASSERT(len == strlen(key) && memcmp(value, key, len) == 0);
}

static void
test_pushpin_is_sent_one_item_a_frame(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	const char *value, *at, *formats, *format;
	size_t len;
	CU_ASSERT_EQUAL(bench_peer_pushpin.publish_burst(&out, &server, "news", "firstother", 5, 2), 0);
	CU_ASSERT_EQUAL(out.bytes[0], 2);
	size_t frame_len = (unsigned char)out.bytes[8];
	CU_ASSERT_EQUAL_FATAL(out.len, 2 * (9 + frame_len));
	CU_ASSERT_EQUAL(out.bytes[9], 'T');
	at = out.bytes + 10;
	CU_ASSERT_EQUAL(read_tnetstring(&at, &value, &len), '}');
	CU_ASSERT_PTR_EQUAL(at, out.bytes + 9 + frame_len);
	at = value;
	expect_key(&at, "channel");
	expect_key(&at, "news");
	expect_key(&at, "formats");
	CU_ASSERT_EQUAL(read_tnetstring(&at, &formats, &len), '}');
	CU_ASSERT_PTR_EQUAL(at, out.bytes + 9 + frame_len - 1);
	expect_key(&formats, "ws-message");
	CU_ASSERT_EQUAL(read_tnetstring(&formats, &format, &len), '}');
	expect_key(&format, "content");
	expect_key(&format, "first");
	expect_key(&formats, "http-stream");
	CU_ASSERT_EQUAL(read_tnetstring(&formats, &format, &len), '}');
	expect_key(&format, "content");
	expect_key(&format, "data: first\n\n");
	sl_buffer_finish(&out);
}

static void
test_template_fills_in_names_and_drops_comments(void)
{
	char from[] = "/tmp/sluice-template-XXXXXX", to[64], got[64];
	int fd = mkstemp(from);
	CU_ASSERT_FATAL(fd >= 0);
	FILE *file = fdopen(fd, "w");
	fputs("# @A@\n  # @A@\nx @A@ a@b @AB@@B@\n", file);
	fclose(file);
	snprintf(to, sizeof to, "%s.out", from);
	const struct bench_setting values[] = { { "A", "1" }, { "B", "@A@" }, { NULL, NULL } };
	CU_ASSERT_EQUAL(bench_template_write(from, to, values), 0);
	file = fopen(to, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_STRING_EQUAL(fgets(got, sizeof got, file), "x 1 a@b @AB@@A@\n");
	CU_ASSERT_PTR_NULL(fgets(got, sizeof got, file));
	fclose(file);
	unlink(from);
	unlink(to);
	CU_ASSERT_EQUAL(bench_template_write(from, to, values), SL_ENOENT);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_socketio_poll_makes_a_session_then_joins_then_receives),
		UNIT_TEST(test_socketio_poll_answers_a_ping_between_messages),
		UNIT_TEST(test_socketio_poll_goes_on_after_messages_alone),
		UNIT_TEST(test_socketio_poll_fails_when_the_session_ends),
		UNIT_TEST(test_socketio_websocket_joins_once_the_session_is_open),
		UNIT_TEST(test_clients_of_socketio_say_the_same_to_every_server),
		UNIT_TEST(test_socketio_poll_leaves_its_shard_when_there_are_several),
		UNIT_TEST(test_bare_engineio_is_open_with_its_session),
		UNIT_TEST(test_websocket_of_an_upgrade_names_its_session),
		UNIT_TEST(test_nchan_poll_goes_on_from_time_and_tag),
		UNIT_TEST(test_pushpin_is_sent_one_item_a_frame),
		UNIT_TEST(test_template_fills_in_names_and_drops_comments),
		{ NULL, NULL },
	};
	return unit_main("bench_peers", tests);
}
