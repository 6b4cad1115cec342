#include "clients/engine_io/eio_websocket.h"

#include "tests/unit/eio_world.h"

static struct world_client client;

#define SOCKET "EIO=4&transport=websocket"

/* The first frame. */
static const char *
open_socket(const char *const *options, const char *query)
{
	eio_begin(options);
	http_connect(&client, &world);
	return eio_upgrade(&client, query);
}

static void
begin(const char *query)
{
	static const char *const options[] = { "--engineio-ping-interval=0.3", "--engineio-ping-timeout=0.2", NULL };
	CU_ASSERT_EQUAL_FATAL(strncmp(open_socket(options, query), "`0{\"sid\":\"", 10), 0);
}

static void
end(void)
{
	client_close(&client);
	eio_end();
}

static void
test_the_first_frame_is_the_handshake(void)
{
	char id[SL_SESSION_ID_LEN + 1], expected[256];
	const char *first = open_socket(NULL, SOCKET);
	CU_ASSERT_EQUAL_FATAL(sscanf(first, "`0{\"sid\":\"%20[A-Za-z0-9_-]\"", id), 1);
	snprintf(expected, sizeof expected, "`0{\"sid\":\"%s\",\"upgrades\":[],\"pingInterval\":25000,"
		"\"pingTimeout\":20000,\"maxPayload\":1000000}`", id);
	EIO_IS(first, expected);
	end();
}

static void
test_errors_refuse_the_upgrade(void)
{
	static const struct { const char *query, *body; } cases[] = {
		{ "transport=websocket", "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
		{ "EIO=abc&transport=websocket", "{\"code\":5,\"message\":\"Unsupported protocol version\"}" },
		{ "EIO=4", "{\"code\":0,\"message\":\"Transport unknown\"}" },
		{ SOCKET "&sid=abc", "{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ SOCKET "&sid=AAAAAAAAAAAAAAAAAAAA", "{\"code\":1,\"message\":\"Session ID unknown\"}" },
		{ SOCKET "&sid=AQAAAAAAAAAAAAAAAAAA", "{\"code\":1,\"message\":\"Session ID unknown\"}" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *answer = open_socket(NULL, cases[i].query);
		CU_ASSERT(http_is(answer, 400));
		EIO_IS(eio_body(answer), cases[i].body);
		end();
	}
}

static void
test_messages_go_both_ways(void)
{
	begin(SOCKET);
	EIO_IS(eio_talk(&client, "4hello"), "`4hello`");
	EIO_IS(eio_talk(&client, "4"), "`4`");
	EIO_IS(eio_talk(&client, "bAQID"), "<\1\2\3>");
	eio_say(&client, SL_WS_OPCODE_BINARY, "\1\2\3");
	EIO_IS(eio_take_frames(&client), "<\1\2\3>");
	EIO_IS(eio_talk(&client, "4a\x1e" "1"), "`4a\x1e" "1`"); /* a frame is a packet */
	end();
}

static void
test_messages_of_channels_come(void)
{
	begin(SOCKET "&channels=a");
	world_publish(&world, "a", "one");
	world_publish_bytes(&world, "a", SL_BINARY, "\1\2", 2);
	EIO_IS(eio_take_frames(&client), "`4one`<\1\2>");
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_ENGINEIO_WEBSOCKET, SL_CLASS_MESSAGES_OUT), 2);
	end();
}

static void
test_pings_come_however_much_else_does(void)
{
	begin(SOCKET "&channels=a");
	for (int i = 0; i < 3; i++) {
		eio_pass(144);
		world_publish(&world, "a", "x");
		EIO_IS(eio_take_frames(&client), "`4x`");
		eio_pass(176);
		EIO_IS(eio_take_frames(&client), "`2`");
		EIO_IS(eio_talk(&client, "3"), "");
		CU_ASSERT_TRUE(client_is_served(&client, &world));
		world.shard.loop.now_ms -= 20; /* beats are counted from when they were due */
	}
	end();
}

static void
test_a_missing_pong_closes_it(void)
{
	begin(SOCKET);
	eio_pass(480);
	EIO_IS(eio_take_frames(&client), "`2`");
	eio_pass(48);
	EIO_IS(eio_take_frames(&client), "(1000)");
	end();
}

static void
test_what_no_client_says_closes_it(void)
{
	static const struct { const char *text, *frames; } cases[] = {
		{ "abc", "(1003)" }, { "", "(1003)" }, { "bA", "(1003)" }, { "2", "(1003)" }, { "2probe", "(1003)" },
		{ "1", "(1000)" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(SOCKET);
		EIO_IS(eio_talk(&client, cases[i].text), cases[i].frames);
		end();
	}
	begin(SOCKET);
	EIO_IS(eio_talk(&client, "5"), "");
	EIO_IS(eio_talk(&client, "6"), "");
	EIO_IS(eio_talk(&client, "0"), "");
	EIO_IS(eio_talk(&client, "4on"), "`4on`");
	end();
}

static void
test_frames_of_websocket_itself_are_answered(void)
{
	begin(SOCKET);
	eio_say(&client, SL_WS_OPCODE_PING, "p");
	EIO_IS(eio_take_frames(&client), "`p`"); /* a pong */
	eio_say(&client, SL_WS_OPCODE_CLOSE, "\x03\xe8");
	EIO_IS(eio_take_frames(&client), "(1000)");
	end();
}

static void
test_a_message_has_the_limit_that_the_handshake_tells(void)
{
	static char text[1201];
	memset(text, '4', sizeof text - 1);
	open_socket((const char *const[]){ "--engineio-max-payload=1200", NULL }, SOCKET);
	text[1200] = '\0';
	CU_ASSERT_EQUAL(strlen(eio_talk(&client, text)), 1202);
	struct sl_buffer frame = SL_BUFFER_INIT;
	ws_put_frame(&frame, WS_FIN | SL_WS_OPCODE_TEXT, text, sizeof text);
	client_send(&client, frame.bytes, frame.len);
	EIO_IS(eio_take_frames(&client), "(1009)");
	sl_buffer_finish(&frame);
	end();
}

static void
test_a_subprotocol_that_its_user_asks_for_is_agreed_on(void)
{
	static const char request[] = "GET /engine.io/?" SOCKET " HTTP/1.1\r\nHost: localhost\r\n" EIO_UPGRADE
		"Sec-WebSocket-Protocol: chat, other\r\n\r\n";
	eio_begin(NULL);
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world, request);
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "HTTP/1.1 101 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nSec-WebSocket-Protocol: chat\r\n"));
	end();
}

static void
test_a_drain_closes_it_so_that_its_client_comes_again(void)
{
	begin(SOCKET);
	sl_shard_drain(&world.shard);
	EIO_IS(eio_take_frames(&client), "(1012)");
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_the_first_frame_is_the_handshake),
		UNIT_TEST(test_errors_refuse_the_upgrade),
		UNIT_TEST(test_messages_go_both_ways),
		UNIT_TEST(test_messages_of_channels_come),
		UNIT_TEST(test_pings_come_however_much_else_does),
		UNIT_TEST(test_a_missing_pong_closes_it),
		UNIT_TEST(test_what_no_client_says_closes_it),
		UNIT_TEST(test_frames_of_websocket_itself_are_answered),
		UNIT_TEST(test_a_message_has_the_limit_that_the_handshake_tells),
		UNIT_TEST(test_a_subprotocol_that_its_user_asks_for_is_agreed_on),
		UNIT_TEST(test_a_drain_closes_it_so_that_its_client_comes_again),
		{ NULL, NULL },
	};
	return unit_main("eio_websocket", tests);
}
