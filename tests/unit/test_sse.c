#include "transports/registry.h"

#include <string.h>

#include "bus/bus.h"
#include "http/gate.h"
#include "http/reply.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"

static struct world_client client;

/* What the client of a request got, without its head. */
static const char *
read_body(const struct world_request *request)
{
	client_open(&client, &world, &sl_transport_sse, request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	return client_take_text(&client, &world);
}

#define CONTENT "text/event-stream"
#define REQUEST "GET /sse?channels=a,b&since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void
test_sse_events_have_ids_and_control_objects_have_names(void)
{
	struct world_request request = { .query = "channels=a&since=0" };
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	CU_ASSERT_STRING_EQUAL(read_body(&request),
		"id: EPOCH-0\nevent: open\ndata: {\"type\":\"open\",\"cursor\":\"EPOCH-0\","
		"\"transport\":\"sse\",\"heartbeat\":15,\"sent\":0,"
		"\"limits\":{\"message\":65536,\"channels\":64}}\n\n"
		"id: EPOCH-1\ndata: {\"id\":\"EPOCH-1\",\"channel\":\"a\",\"time\":TIME,\"data\":\"x\"}\n\n");
	client_close(&client);
	world_close(&world);
}

static void
test_sse_raw_binary_is_base64(void)
{
	struct world_request request = { .query = "channels=a&since=0&format=raw" };
	world_open(&world, NULL);
	world_publish_bytes(&world, "a", SL_BINARY, "\0\xff", 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(read_body(&request), "id: EPOCH-1\ndata: AP8=\n\n"));
	client_close(&client);
	world_close(&world);
}

static void
test_sse_resumes_at_the_last_event_id_whatever_since_says(void)
{
	struct world_request request = { .query = "channels=a&since=0" };
	char field[64];
	world_open(&world, NULL);
	publish_many("a", 3);
	struct sl_cursor head = sl_bus_head(world.bus);
	snprintf(field, sizeof field, "Last-Event-ID: %08x-2\r\n", head.epoch);
	request.fields = field;
	const char *body = read_body(&request);
	CU_ASSERT_PTR_NULL(strstr(body, "\"id\":\"EPOCH-2\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"id\":\"EPOCH-3\""));
	client_close(&client);
	world_close(&world);
}

/* ---- refusals that a native EventSource can read ---- */

static struct sl_reply reply;
static struct sl_head asked;

static void
read_asked(const char *text)
{
	struct sl_head_refusal why;
	CU_ASSERT_TRUE_FATAL(sl_head_parse(&asked, text, strlen(text), &why));
}

/* Whether the transport answers in its own way; what it says is left in `reply`. */
static bool
refuses(const char *start, const char *fields, enum sl_gate_concern concern, const char *code)
{
	static char text[512]; /* the head borrows it */
	struct sl_gate_refusal why = { .status = 401, .code = code, .message = "a \"sentence\"",
		.concern = concern };
	struct sl_request request = { .head = &asked };
	snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: h\r\n%s\r\n", start, fields);
	read_asked(text);
	sl_reply_finish(&reply);
	reply = (struct sl_reply){ .head.status = 0 };
	return sl_transport_sse.refuse(&reply, &request, &why);
}

static unsigned
find_retry(void)
{
	unsigned line, member;
	const char *object = strstr(reply.body.bytes, "\"retry\":");
	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	CU_ASSERT_EQUAL(sscanf(reply.body.bytes, "retry: %u\n", &line), 1);
	CU_ASSERT_EQUAL(sscanf(object, "\"retry\":%u", &member), 1);
	CU_ASSERT_EQUAL(line, member);
	return line;
}

static void
test_sse_tells_an_eventsource_who_may_not_come_in_and_keeps_it_away(void)
{
	static const char *const codes[] = { "unauthorized", "forbidden", "token_revoked" };
	static const char *const lists[] = { "Accept: text/event-stream\r\n",
		"accept: text/html, TEXT/event-stream;q=0.5\r\n",
		"Accept: */*\r\nAccept: text/event-stream \r\n" };
	for (size_t i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(refuses("GET /sse", lists[i], SL_CONCERN_PRINCIPAL, codes[i]));
		char text[256];
		snprintf(text, sizeof text, "retry: 2147483647\nevent: bye\ndata: {\"type\":\"bye\","
			"\"reason\":\"%s\",\"retry\":2147483647,\"sent\":0,\"message\":"
			"\"a \\\"sentence\\\"\"}\n\n", codes[i]);
		CU_ASSERT_EQUAL(reply.head.status, 200);
		CU_ASSERT_STRING_EQUAL(reply.head.content_type, "text/event-stream");
		sl_buffer_append_char(&reply.body, '\0');
		CU_ASSERT_STRING_EQUAL(reply.body.bytes, text);
	}
}

/* A cookie can be renewed meanwhile. */
static void
test_sse_lets_an_eventsource_come_back_whose_token_has_expired(void)
{
	for (int i = 0; i < 100; i++) {
		CU_ASSERT_FATAL(refuses("GET /sse", "Accept: text/event-stream\r\n",
			SL_CONCERN_PRINCIPAL, "token_expired"));
		sl_buffer_append_char(&reply.body, '\0');
		unsigned retry_ms = find_retry();
		CU_ASSERT(retry_ms >= 30000 && retry_ms < 60000);
	}
}

static void
test_sse_tells_others_by_the_status(void)
{
	static const char *const lists[] = { "", "Accept: */*\r\n", "Accept: text/*\r\n",
		"Accept:\r\n", "Accept: text/event-streams\r\n" };
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		CU_ASSERT_FALSE(refuses("GET /sse", lists[i], SL_CONCERN_PRINCIPAL, "unauthorized"));
	CU_ASSERT_FALSE(refuses("HEAD /sse", "Accept: text/event-stream\r\n", SL_CONCERN_PRINCIPAL,
		"unauthorized"));
}

static void
test_sse_tells_everybody_that_there_is_no_room_and_to_come_back_soon(void)
{
	CU_ASSERT_FATAL(refuses("GET /sse", "", SL_CONCERN_ROOM, "draining"));
	sl_buffer_append_char(&reply.body, '\0');
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.body.bytes, "\"reason\":\"draining\""));
	CU_ASSERT_PTR_NULL(strstr(reply.body.bytes, "message"));
	CU_ASSERT(find_retry() <= 2000);
}

static void
test_sse_tells_when_a_limit_pays_again(void)
{
	struct sl_gate_refusal why = { .status = 429, .code = "rate_limited", .message = "a sentence",
		.concern = SL_CONCERN_ROOM, .retry_ms = 7000 };
	struct sl_request request = { .head = &asked };
	read_asked("GET /sse HTTP/1.1\r\nHost: h\r\n\r\n");
	sl_reply_finish(&reply);
	reply = (struct sl_reply){ .head.status = 0 };
	CU_ASSERT_TRUE_FATAL(sl_transport_sse.refuse(&reply, &request, &why));
	sl_buffer_append_char(&reply.body, '\0');
	CU_ASSERT_PTR_NOT_NULL(strstr(reply.body.bytes, "\"rate_limited\""));
	CU_ASSERT_TRUE(find_retry() >= 7000);
	sl_reply_finish(&reply);
}

static void
test_sse_without_memory_says_so_of_a_refusal(void)
{
	static const struct sl_gate_refusal why = { .status = 401, .code = "forbidden",
		.message = "m", .concern = SL_CONCERN_PRINCIPAL };
	struct sl_request request = { .head = &asked };
	read_asked("GET / HTTP/1.1\r\nHost: h\r\nAccept: " CONTENT "\r\n\r\n");
	for_each_failing_allocation(failing) {
		struct sl_reply failed = { .head.status = 0 };
		CU_ASSERT_TRUE(sl_transport_sse.refuse(&failed, &request, &why));
		failing_expect(sl_buffer_status(&failed.body));
		sl_reply_finish(&failed);
	}
}

static void
test_sse_without_memory_refuses_or_closes(void)
{
	struct world_request request = { .query = "channels=a,b&since=0", .http_minor = 1 };
	world_open(&world, NULL);
	publish_many("a", 3);
	for (unsigned n = 1; n < 40; n++) {
		static struct world_client failed;
		client_connect(&failed, &world, &request);
		client_send(&failed, REQUEST, sizeof REQUEST - 1);
		failing_alloc_set(n, false);
		world_settle(&world);
		failing_alloc_off();
		client_close(&failed);
		world_settle(&world);
		CU_ASSERT_PTR_NULL(world.shard.links);
		CU_ASSERT_EQUAL(world.shard.framer.pinned_bytes, 0);
	}
	CU_ASSERT_PTR_NOT_NULL(strstr(read_body(&request), "EPOCH-3"));
	client_close(&client);
	world_close(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sse_events_have_ids_and_control_objects_have_names),
		UNIT_TEST(test_sse_raw_binary_is_base64),
		UNIT_TEST(test_sse_resumes_at_the_last_event_id_whatever_since_says),
		UNIT_TEST(test_sse_tells_an_eventsource_who_may_not_come_in_and_keeps_it_away),
		UNIT_TEST(test_sse_lets_an_eventsource_come_back_whose_token_has_expired),
		UNIT_TEST(test_sse_tells_others_by_the_status),
		UNIT_TEST(test_sse_tells_everybody_that_there_is_no_room_and_to_come_back_soon),
		UNIT_TEST(test_sse_tells_when_a_limit_pays_again),
		UNIT_TEST(test_sse_without_memory_says_so_of_a_refusal),
		UNIT_TEST(test_sse_without_memory_refuses_or_closes),
		{ NULL, NULL },
	};
	int status = unit_main("sse", tests);
	sl_reply_finish(&reply);
	return status;
}
