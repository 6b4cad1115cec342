#include "transports/registry.h"

#include <string.h>

#include "bus/bus.h"
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
		UNIT_TEST(test_sse_without_memory_refuses_or_closes),
		{ NULL, NULL },
	};
	return unit_main("sse", tests);
}
