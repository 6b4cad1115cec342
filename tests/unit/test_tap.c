#include "demo/tap.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/socket.h"
#include "tests/unit/demo_world.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/set_clock.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define BEGAN_US (SET_CLOCK_START_US - 500)
#define HEAD "GET /sse?demo=name HTTP/1.1\r\n\r\n"
#define HEAD_TEXT "31:" HEAD

static struct demo_world world;

/* A connection and its client's end. */
struct end {
	struct sl_socket socket;
	int peer;
};

static void
connect_end(struct end *end)
{
	struct sockaddr_storage nobody = { .ss_family = AF_UNIX };
	int fds[2];
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	sl_socket_init(&end->socket, fds[0], &nobody);
	end->peer = fds[1];
}

static void
close_end(struct end *end)
{
	sl_socket_finish(&end->socket);
	close(end->peer);
}

static void
rest(struct end *end, const char *head)
{
	sl_tap_rest(world.shards[0], &end->socket, head, strlen(head));
}

static void
begin(struct end *end, const char *name, enum sl_class class, const char *head, const char *body)
{
	rest(end, head);
	sl_tap_begin(world.shards[0], &end->socket, &(struct sl_tapped_request){ span(name), class,
		strlen(head), span(body), body ? strlen(body) : 0, BEGAN_US });
}

static void
send_text(struct end *end, const char *text)
{
	char bytes[8192];
	snprintf(bytes, sizeof bytes, "%s", text);
	struct iovec slice = { bytes, strlen(bytes) };
	CU_ASSERT_EQUAL(sl_socket_write(&end->socket, &slice, 1), (ssize_t)slice.iov_len);
}

/* Its client sends, and the gateway reads. */
static void
receive_text(struct end *end, const char *text)
{
	char bytes[8192];
	CU_ASSERT_EQUAL(write(end->peer, text, strlen(text)), (ssize_t)strlen(text));
	CU_ASSERT_EQUAL(sl_socket_read(&end->socket, bytes, sizeof bytes), (ssize_t)strlen(text));
}

#define EXPECT_EVENTS(name, text) CU_ASSERT_STRING_EQUAL(demo_tell_events(&world, name), text)

static void
test_tap_notes_a_request_and_what_follows_it(void)
{
	struct end end;
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "name", SL_CLASS_WEBSOCKET, HEAD, NULL);
	send_text(&end, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	receive_text(&end, "frame");
	send_text(&end, "answer");
	EXPECT_EVENTS("name", "1 websocket client open 0:|1 websocket client head " HEAD_TEXT "|"
		"1 websocket gateway head 36:HTTP/1.1 101 Switching Protocols\r\n\r\n|"
		"1 websocket client bytes 5:frame|1 websocket gateway bytes 6:answer|");
	close_end(&end);
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell(&world, "name"), "\"connections\":1,\"requests\":1,"
		"\"received\":{\"heads\":31,\"bodies\":5},\"sent\":{\"heads\":36,\"bodies\":6}"));
	demo_close(&world);
}

static void
test_tap_says_when_the_request_began(void)
{
	struct end end;
	char began[32], now[32];
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "name", SL_CLASS_SSE, HEAD, "x");
	const char *told = demo_tell(&world, "name");
	snprintf(began, sizeof began, "\"time\":%lld,", (long long)BEGAN_US);
	snprintf(now, sizeof now, "\"time\":%lld,", (long long)SET_CLOCK_START_US);
	const char *open = strstr(told, began), *head = strstr(open + 1, began);
	CU_ASSERT_PTR_NOT_NULL_FATAL(head);
	CU_ASSERT_PTR_NOT_NULL(strstr(head + 1, now)); /* its body */
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_sees_where_a_responses_head_ends_however_it_is_cut(void)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\n\r\r\n\r\nbody";
	const size_t head_len = sizeof whole - 1 - 4;
	for (size_t cut = 0; cut < sizeof whole; cut++) {
		struct end end;
		char bytes[sizeof whole];
		memcpy(bytes, whole, sizeof whole);
		demo_open(&world, NULL);
		connect_end(&end);
		begin(&end, "name", SL_CLASS_SSE, HEAD, NULL);
		struct iovec slices[] = { { bytes, cut }, { bytes + cut, sizeof whole - 1 - cut } };
		CU_ASSERT_EQUAL(sl_socket_write(&end.socket, slices, 2), (ssize_t)sizeof whole - 1);
		char want[64];
		snprintf(want, sizeof want, "\"sent\":{\"heads\":%zu,\"bodies\":4}", head_len);
		CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell(&world, "name"), want));
		close_end(&end);
		demo_close(&world);
	}
}

/* What the kernel did not take was not carried. */
static void
test_tap_notes_of_slices_what_was_sent_of_them(void)
{
	struct end end;
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "name", SL_CLASS_STREAM, HEAD, NULL);
	struct iovec slices[] = { { (char[]){ "OK\r\n\r\n" }, 6 }, { (char[]){ "one" }, 3 },
		{ (char[]){ "two" }, 3 } };
	struct sl_socket_tap *tap = end.socket.tap;
	tap->ops->on_sent(tap, slices, 3, 10);
	EXPECT_EVENTS("name", "1 stream client open 0:|1 stream client head " HEAD_TEXT "|"
		"1 stream gateway head 6:OK\r\n\r\n|1 stream gateway bytes 4:onet|");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_shows_the_head_as_it_came_though_it_is_decoded_since(void)
{
	struct end end;
	char head[] = "GET /sse?demo=n%61me HTTP/1.1\r\n\r\n";
	demo_open(&world, NULL);
	connect_end(&end);
	rest(&end, head);
	memset(head, 'x', sizeof head - 1);
	sl_tap_begin(world.shards[0], &end.socket, &(struct sl_tapped_request){ span("name"),
		SL_CLASS_SSE, sizeof head - 1, { 0 }, 0, BEGAN_US });
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell_events(&world, "name"),
		"head 33:GET /sse?demo=n%61me HTTP/1.1\r\n\r\n|"));
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_shows_2_KiB_and_counts_the_rest(void)
{
	struct end end;
	char head[3000], body[5000];
	demo_open(&world, NULL);
	connect_end(&end);
	memset(head, 'h', sizeof head);
	memcpy(head, "GET /?demo=", 11);
	memset(body, 'b', sizeof body);
	head[sizeof head - 1] = body[sizeof body - 1] = '\0';
	begin(&end, "name", SL_CLASS_HTTP, head, body);
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell(&world, "name"),
		"\"received\":{\"heads\":2999,\"bodies\":4999}"));
	head[SL_TRACE_CAPTURE] = body[SL_TRACE_CAPTURE] = '\0';
	const char *told = demo_tell_events(&world, "name");
	CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(told, head));
	CU_ASSERT_EQUAL(strncmp(strstr(told, head) + SL_TRACE_CAPTURE, "|", 1), 0);
	CU_ASSERT_EQUAL(strncmp(strstr(told, body) + SL_TRACE_CAPTURE, "|", 1), 0);
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_counts_a_body_that_there_is_nothing_to_show_of(void)
{
	struct end end;
	demo_open(&world, NULL);
	connect_end(&end);
	rest(&end, HEAD);
	sl_tap_begin(world.shards[0], &end.socket, &(struct sl_tapped_request){ span("name"),
		SL_CLASS_HTTP, sizeof HEAD - 1, { 0 }, 15, BEGAN_US });
	EXPECT_EVENTS("name", "1 http client open 0:|1 http client head " HEAD_TEXT "|"
		"1 http client bytes 15:|");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_rests_between_requests_and_for_those_without_a_name(void)
{
	struct end end;
	demo_open(&world, NULL);
	connect_end(&end);
	rest(&end, "GET /healthz HTTP/1.1\r\n\r\n");
	CU_ASSERT_PTR_NULL(end.socket.tap);
	send_text(&end, "no tap");
	begin(&end, "name", SL_CLASS_POLL, HEAD, NULL);
	send_text(&end, "OK\r\n\r\n");
	rest(&end, "GET /healthz HTTP/1.1\r\n\r\n");
	send_text(&end, "OK\r\n\r\nunseen");
	receive_text(&end, "unseen");
	CU_ASSERT_FALSE(sl_tap_is_of(&end.socket, span("name")));
	begin(&end, "name", SL_CLASS_LONGPOLL, "short", "body");
	send_text(&end, "OK\r\n\r\nseen");
	EXPECT_EVENTS("name", "1 poll client open 0:|1 poll client head " HEAD_TEXT "|"
		"1 poll gateway head 6:OK\r\n\r\n|1 longpoll client head 5:short|"
		"1 longpoll client bytes 4:body|1 longpoll gateway head 6:OK\r\n\r\n|"
		"1 longpoll gateway bytes 4:seen|");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_may_be_of_several_names_in_turn(void)
{
	struct end end;
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "first", SL_CLASS_POLL, "demo=1", NULL);
	CU_ASSERT_TRUE(sl_tap_is_of(&end.socket, span("first")));
	begin(&end, "second", SL_CLASS_POLL, "demo=2", NULL);
	CU_ASSERT_FALSE(sl_tap_is_of(&end.socket, span("first")));
	CU_ASSERT_TRUE(sl_tap_is_of(&end.socket, span("second")));
	begin(&end, "first", SL_CLASS_POLL, "demo=3", NULL);
	close_end(&end);
	EXPECT_EVENTS("first", "1 poll client open 0:|1 poll client head 6:demo=1|"
		"1 poll client head 6:demo=3|1 poll gateway close 0:|");
	EXPECT_EVENTS("second", "1 poll client open 0:|1 poll client head 6:demo=2|"
		"1 poll gateway close 0:|");
	demo_close(&world);
}

static void
test_tap_has_8_names_in_its_life(void)
{
	struct end end;
	char name[24];
	demo_open(&world, NULL);
	connect_end(&end);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof name, "name-%d", i);
		begin(&end, name, SL_CLASS_POLL, "demo=", NULL);
		CU_ASSERT_EQUAL(sl_tap_is_of(&end.socket, span(name)), i < 8);
		send_text(&end, "something");
	}
	EXPECT_EVENTS("name-8", "");
	CU_ASSERT_EQUAL(demo_counter(&world, SL_COUNTER_DEMO_NAMES_DROPPED), 1);
	begin(&end, "name-0", SL_CLASS_POLL, "demo=", NULL);
	CU_ASSERT_TRUE(sl_tap_is_of(&end.socket, span("name-0")));
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_begins_anew_with_a_name_that_had_to_make_room(void)
{
	struct end end;
	char other[24];
	unsigned dropped = 0;
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "name", SL_CLASS_POLL, "demo=1", NULL);
	for (int i = 0; i < SL_NAMES_MAX; i++) {
		snprintf(other, sizeof other, "other-%d", i);
		sl_names_unref(world.demo.names, sl_names_get(world.demo.names, span(other), 2000,
			&dropped), 2000);
	}
	CU_ASSERT_EQUAL(dropped, 1);
	begin(&end, "name", SL_CLASS_POLL, "demo=2", NULL);
	EXPECT_EVENTS("name", "1 poll client open 0:|1 poll client head 6:demo=2|");
	CU_ASSERT_EQUAL(demo_counter(&world, SL_COUNTER_DEMO_NAMES_DROPPED), 1);
	close_end(&end);
	demo_close(&world);
}

/* What TLS keeps of a socket, as after a handshake of 500 and 1000 bytes. */
#define SECURE { .handshake_in = 500, .handshake_out = 1000, .added_in = 500, .added_out = 1000 }
#define TELLS(name, text) CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell(&world, name), text))

static void
test_tap_tells_what_tls_added_and_the_handshake_once(void)
{
	struct end end;
	struct sl_socket_secure secure = SECURE;
	demo_open(&world, NULL);
	connect_end(&end);
	end.socket.secure = &secure;
	secure.added_in += 22;
	begin(&end, "name", SL_CLASS_WEBSOCKET, HEAD, NULL);
	TELLS("name", "\"what\":\"open\",\"bytes\":0,\"handshake\":{\"received\":500,\"sent\":1000}");
	TELLS("name", "\"what\":\"head\",\"bytes\":31,\"tls\":22,");
	secure.added_out += 44; /* two records, told of once */
	send_text(&end, "OK\r\n\r\nbody");
	TELLS("name", "\"what\":\"head\",\"bytes\":6,\"tls\":44,");
	TELLS("name", "\"what\":\"bytes\",\"bytes\":4,\"base64\"");
	TELLS("name", "\"received\":{\"heads\":31,\"bodies\":0,\"tls\":522},"
		"\"sent\":{\"heads\":6,\"bodies\":4,\"tls\":1044}");
	begin(&end, "other", SL_CLASS_POLL, HEAD, NULL);
	TELLS("other", "\"what\":\"open\",\"bytes\":0,\"base64\"");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_waits_until_a_record_is_read_whole(void)
{
	struct end end;
	struct sl_socket_secure secure = SECURE;
	demo_open(&world, NULL);
	connect_end(&end);
	end.socket.secure = &secure;
	begin(&end, "name", SL_CLASS_WEBSOCKET, HEAD, NULL);
	secure.added_in += 22 + 5; /* five bytes of the record are still to be read */
	secure.has_input = true;
	receive_text(&end, "a");
	TELLS("name", "\"bytes\":1,\"base64\"");
	secure.added_in -= 5;
	secure.has_input = false;
	receive_text(&end, "frame");
	TELLS("name", "\"bytes\":5,\"tls\":22,");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_leaves_out_what_was_added_to_others_bytes(void)
{
	struct end end;
	struct sl_socket_secure secure = SECURE;
	demo_open(&world, NULL);
	connect_end(&end);
	end.socket.secure = &secure;
	secure.added_in += 220; /* ten requests before, and the first of the name */
	secure.added_out += 220;
	begin(&end, "name", SL_CLASS_POLL, HEAD, NULL);
	TELLS("name", "\"received\":{\"heads\":31,\"bodies\":0},\"sent\":{\"heads\":0,\"bodies\":0}");
	secure.added_in += 22;
	rest(&end, "POST / HTTP/1.1\r\n\r\n"); /* nobody's, and its body */
	secure.added_in += 22;
	sl_tap_pass(&end.socket);
	secure.added_out += 22;
	send_text(&end, "OK\r\n\r\n");
	secure.added_in += 29;
	begin(&end, "name", SL_CLASS_POLL, HEAD, NULL);
	secure.added_out += 31;
	send_text(&end, "OK\r\n\r\n");
	TELLS("name", "\"received\":{\"heads\":62,\"bodies\":0,\"tls\":29},"
		"\"sent\":{\"heads\":6,\"bodies\":0,\"tls\":31}");
	close_end(&end);
	demo_close(&world);
}

static void
test_tap_says_who_closed_first(void)
{
	struct end left, served;
	char byte;
	demo_open(&world, NULL);
	connect_end(&left);
	connect_end(&served);
	begin(&left, "left", SL_CLASS_SSE, "demo=", NULL);
	begin(&served, "served", SL_CLASS_SSE, "demo=", NULL);
	shutdown(left.peer, SHUT_WR);
	CU_ASSERT_EQUAL(sl_socket_read_quietly(&left.socket, &byte, 1), SL_ECLOSED);
	close_end(&left);
	close_end(&served);
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell_events(&world, "left"), "client close 0:|"));
	CU_ASSERT_PTR_NOT_NULL(strstr(demo_tell_events(&world, "served"), "gateway close 0:|"));
	demo_close(&world);
}

static void
test_tap_is_told_of_frames_alone_not_of_requests(void)
{
	struct end end;
	char bytes[64];
	demo_open(&world, NULL);
	connect_end(&end);
	begin(&end, "name", SL_CLASS_POLL, "demo=", NULL);
	CU_ASSERT_EQUAL(write(end.peer, "GET / HTTP/1.1", 14), 14);
	CU_ASSERT_EQUAL(sl_socket_read_quietly(&end.socket, bytes, sizeof bytes), 14);
	CU_ASSERT_EQUAL(write(end.peer, "thrown away", 11), 11);
	CU_ASSERT_EQUAL(sl_socket_discard(&end.socket, bytes, sizeof bytes), 11);
	sl_socket_tell_tap(&end.socket, "behind it", 9);
	EXPECT_EVENTS("name", "1 poll client open 0:|1 poll client head 5:demo=|"
		"1 poll client bytes 11:thrown away|1 poll client bytes 9:behind it|");
	close_end(&end);
	demo_close(&world);
}

/* A tap, a name and its trace; the tap is tried for again once the request is whole. */
static void
test_tap_without_memory_notes_nothing(void)
{
	for_each_failing_allocation(failing) {
		struct end end;
		failing_alloc_off();
		demo_open(&world, NULL);
		connect_end(&end);
		failing_alloc_set(failing.n, failing.is_lasting);
		begin(&end, "name", SL_CLASS_SSE, HEAD, "body");
		send_text(&end, "OK\r\n\r\n");
		failing_alloc_off();
		bool is_tried_again = failing.n == 1 && !failing.is_lasting;
		CU_ASSERT_EQUAL(sl_tap_is_of(&end.socket, span("name")),
			!failing_alloc_has_failed() || is_tried_again);
		close_end(&end);
		demo_close(&world);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tap_notes_a_request_and_what_follows_it),
		UNIT_TEST(test_tap_says_when_the_request_began),
		UNIT_TEST(test_tap_sees_where_a_responses_head_ends_however_it_is_cut),
		UNIT_TEST(test_tap_notes_of_slices_what_was_sent_of_them),
		UNIT_TEST(test_tap_shows_the_head_as_it_came_though_it_is_decoded_since),
		UNIT_TEST(test_tap_shows_2_KiB_and_counts_the_rest),
		UNIT_TEST(test_tap_counts_a_body_that_there_is_nothing_to_show_of),
		UNIT_TEST(test_tap_rests_between_requests_and_for_those_without_a_name),
		UNIT_TEST(test_tap_may_be_of_several_names_in_turn),
		UNIT_TEST(test_tap_has_8_names_in_its_life),
		UNIT_TEST(test_tap_begins_anew_with_a_name_that_had_to_make_room),
		UNIT_TEST(test_tap_tells_what_tls_added_and_the_handshake_once),
		UNIT_TEST(test_tap_waits_until_a_record_is_read_whole),
		UNIT_TEST(test_tap_leaves_out_what_was_added_to_others_bytes),
		UNIT_TEST(test_tap_says_who_closed_first),
		UNIT_TEST(test_tap_is_told_of_frames_alone_not_of_requests),
		UNIT_TEST(test_tap_without_memory_notes_nothing),
		{ NULL, NULL },
	};
	return unit_main("tap", tests);
}
