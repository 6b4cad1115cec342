#include "transports/registry.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/story.h"

static struct world_client client;

/* What the client of a request got, without its head. */
static const char *
read_body(const struct world_request *request)
{
	client_open(&client, &world, &sl_transport_stream, request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	return client_take_text(&client, &world);
}

#define REQUEST "GET /stream?channels=a,b&since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void
test_stream_is_an_object_a_line_each_in_a_chunk(void)
{
	struct world_request request = { .query = "channels=a&since=0", .http_minor = 1 };
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	const char *body = read_body(&request);
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"data\":\"x\"}\n\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\r\n{\"type\":\"open\",")); /* behind its size */
	client_close(&client);
	world_close(&world);
}

static void
test_stream_raw_tells_what_is_lost_in_its_head(void)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	struct world_request request = { .query = "channels=a&since=EPOCH-1&format=raw" };
	world_open(&world, options);
	publish_many("a", 5);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	client_read(&client);
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Sluice-Gap: after=EPOCH-1 resumed=EPOCH-3\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\r\n\r\nx\nx\n"));
	client_close(&client);
	world_close(&world);
}

static void
test_stream_raw_ends_at_a_gap_that_comes_later(void)
{
	static const char *const options[] = { "--mailbox=64", "--history-messages=2", NULL };
	struct world_request request = { .query = "channels=a&format=raw" };
	world_open(&world, options);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	publish_many("a", 200); /* the mailbox overruns, and history has the last two alone */
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_GAPS_TOLD), 1);
	client_close(&client);
	world_close(&world);
}

static void
test_stream_without_memory_refuses_or_closes(void)
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
		UNIT_TEST(test_stream_is_an_object_a_line_each_in_a_chunk),
		UNIT_TEST(test_stream_raw_tells_what_is_lost_in_its_head),
		UNIT_TEST(test_stream_raw_ends_at_a_gap_that_comes_later),
		UNIT_TEST(test_stream_without_memory_refuses_or_closes),
		{ NULL, NULL },
	};
	return unit_main("stream", tests);
}
