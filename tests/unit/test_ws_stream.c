#include "transports/ws_stream.h"

#include "http/routes.h"
#include "tests/unit/http_client.h"
#include "tests/unit/visit_family.h"
#include "tests/unit/ws_bytes.h"
#include "transports/ws_encoders.h"
#include "transports/ws_handshake.h"

/* A WebSocket that echoes, and visits a session when it is told to. */
static struct live_world world;
static struct world_client client;
static struct sl_ws_reader reader;
static unsigned closed_with, events;

static void
on_error(struct sl_connection *connection, unsigned close_code)
{
	closed_with = close_code;
	sl_link_end(&connection->link);
}

static void
go_on(struct sl_visit *over, struct sl_connection *connection)
{
	(void)over;
	sl_ws_stream_send(&connection->link, SL_WS_OPCODE_TEXT, "back", 4);
}

static const struct sl_visit_ops visit_ops = { .arrive = family_arrive, .leave = family_leave, .on_answer = go_on };

static void
visit(struct sl_connection *connection)
{
	const struct sl_visit_call call = { .ops = &visit_ops };
	CU_ASSERT_EQUAL(sl_visit_begin(connection, &call), 0);
}

static void
on_event(struct sl_connection *connection, const struct sl_ws_event *event)
{
	events++;
	if (event->type == SL_WS_CLOSE)
		sl_link_end(&connection->link);
	else if (event->len == 5 && memcmp(event->bytes, "visit", 5) == 0)
		visit(connection);
	else
		sl_ws_stream_send(&connection->link, event->type == SL_WS_PING ? SL_WS_OPCODE_PONG : SL_WS_OPCODE_TEXT,
			event->bytes, event->len);
}

static size_t
receive(struct sl_connection *connection, char *bytes, size_t len)
{
	static const struct sl_ws_stream_rules rules = {
		.on_event = on_event, .on_error = on_error, .max_message_bytes = 100 };
	return sl_ws_stream_receive(connection, &reader, &rules, bytes, len);
}

static int
open_echo(struct sl_connection *connection, const struct sl_request *request)
{
	struct sl_buffer head = SL_BUFFER_INIT;
	sl_ws_reader_init(&reader);
	int err = sl_subscriber_init(&connection->subscriber, &connection->link, sl_ws_encoders_get(SL_WS_RAW, 0), NULL);
	if (err == 0)
		err = sl_ws_handshake_append(&head, request->head, sl_ws_handshake_choose(request->head, NULL),
			(struct sl_span){ 0 });
	if (err == 0)
		sl_link_send_buffer(&connection->link, &head);
	sl_buffer_finish(&head);
	return err;
}

static void
finish(struct sl_connection *connection)
{
	(void)connection;
	sl_ws_reader_finish(&reader);
}

static const struct sl_transport echo = {
	.name = "echo", .path = "echo", .class = SL_CLASS_ENGINEIO_WEBSOCKET, .capabilities = SL_UPGRADES | SL_REFUSES,
	.refuse = family_refuse, .open = open_echo, .receive = receive, .finish = finish,
};
static const struct sl_transport *const transports[] = { &echo, NULL };
static const struct sl_route routes[] = {
	{ .path = "echo", .methods = "GET, OPTIONS", .kind = SL_ROUTE_DELIVER, .needs = SL_NEEDS_PRINCIPAL,
		.transports = transports, .has_no_channels = true },
	{ .path = NULL },
};

static void
begin(void)
{
	static const struct sl_route *const lists[] = { routes, family_routes, sl_http_routes, NULL };
	static const char request[] = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Protocol: mine\r\n\r\n";
	memset(family_sessions, 0, sizeof family_sessions);
	closed_with = events = 0;
	world_open(&world, NULL);
	world.http.routes = (struct sl_routes){ lists };
	http_connect(&client, &world);
	const char *answer = http_ask(&client, &world, request);
	CU_ASSERT(http_is(answer, 101));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Sec-WebSocket-Protocol: mine\r\n"));
}

static void
end(void)
{
	client_close(&client);
	world_settle(&world);
	world_close(&world);
}

static const char *
say(struct sl_buffer *bytes)
{
	client_send(&client, bytes->bytes, bytes->len);
	sl_buffer_finish(bytes);
	return http_take(&client, &world);
}

static void
test_ws_stream_has_each_message_handled(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin();
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "one");
	ws_put(&bytes, true, SL_WS_OPCODE_PING, "p");
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "two");
	CU_ASSERT_STRING_EQUAL(say(&bytes), "\x81\x03one\x8a\x01p\x81\x03two");
	ws_put_frame(&bytes, WS_FIN | SL_WS_OPCODE_CLOSE, "\x03\xe8", 2);
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "behind the end");
	CU_ASSERT_STRING_EQUAL(say(&bytes), "");
	CU_ASSERT_EQUAL(events, 4);
	end();
}

static void
test_ws_stream_tells_what_a_client_did_wrong(void)
{
	static char long_text[102];
	memset(long_text, 'x', 101);
	for (unsigned i = 0; i < 2; i++) {
		struct sl_buffer bytes = SL_BUFFER_INIT;
		begin();
		if (i)
			ws_put(&bytes, true, SL_WS_OPCODE_TEXT, long_text);
		else
			ws_put_frame(&bytes, 0xf0 | SL_WS_OPCODE_TEXT, "x", 1);
		ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "more");
		CU_ASSERT_STRING_EQUAL(say(&bytes), "");
		CU_ASSERT_EQUAL(closed_with, i ? 1009 : 1002);
		CU_ASSERT_EQUAL(events, 0);
		end();
	}
}

/* Each frame is a step: the rest waits for the link's next turn. */
static void
test_ws_stream_reads_no_more_than_a_turn_allows(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin();
	for (int i = 0; i < 200; i++)
		ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "x");
	client_send(&client, bytes.bytes, bytes.len);
	sl_buffer_finish(&bytes);
	world_turn(&world);
	CU_ASSERT(events > 0 && events <= SL_STEPS_OF_SHARE);
	http_take(&client, &world);
	CU_ASSERT_EQUAL(events, 200);
	end();
}

static void
test_ws_stream_is_not_read_while_it_visits(void)
{
	struct sl_buffer bytes = SL_BUFFER_INIT;
	begin();
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "a");
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "visit");
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "b");
	CU_ASSERT_STRING_EQUAL(say(&bytes), "\x81\x01" "a");
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "c");
	CU_ASSERT_STRING_EQUAL(say(&bytes), "");
	CU_ASSERT_EQUAL(events, 2);
	family_answer(0, "");
	CU_ASSERT_STRING_EQUAL(http_take(&client, &world), "\x81\x04" "back\x81\x01" "b\x81\x01" "c");
	/* and one of a client that leaves meanwhile is left */
	ws_put(&bytes, true, SL_WS_OPCODE_TEXT, "visit");
	say(&bytes);
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_EQUAL(family_sessions[0].left, 1);
	CU_ASSERT_EQUAL(http_links(&world), 0);
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_stream_has_each_message_handled),
		UNIT_TEST(test_ws_stream_tells_what_a_client_did_wrong),
		UNIT_TEST(test_ws_stream_reads_no_more_than_a_turn_allows),
		UNIT_TEST(test_ws_stream_is_not_read_while_it_visits),
		{ NULL, NULL },
	};
	return unit_main("ws_stream", tests);
}
