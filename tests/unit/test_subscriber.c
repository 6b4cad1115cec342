#include "live/delivery.h"
#include "live/subscriber.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "live/control.h"
#include "live/protocol.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/story.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static char large[300001];

static const char *const small_outbox[] = { "--outbox=1K", "--max-message=1M", NULL };

static unsigned
publish_until_slow(unsigned max)
{
	unsigned published = 0;
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && published < max) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		published++;
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
	return published;
}

static void
fall_behind(struct world_client *slow, const char *channel)
{
	while (slow->link->outbox.queued_bytes < 20000) {
		world_publish_bytes(&world, channel, SL_TEXT, large, 5000);
		world_turn(&world);
	}
}

/* By messages, or while it is behind, when they are not queued for it, by pongs. */
static void
overflow(struct world_client *slow)
{
	char ping[5100];
	int len = snprintf(ping, sizeof ping, "{\"type\":\"ping\",\"data\":\"%.5000s\"}", large);
	for (int i = 0; i < 100 && slow->link->state < SL_LINK_ENDING; i++) {
		if (slow->subscriber->state == SL_SUBSCRIBER_BEHIND)
			sl_protocol_handle(slow->subscriber, ping, (size_t)len);
		world_publish_bytes(&world, "b", SL_TEXT, large, 5000);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 1);
}

static void
test_subscriber_from_now_is_live_at_once_at_the_head(void)
{
	struct world_client client;
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	client_open_stream(&client, &world, "channels=a&heartbeat=30");
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	CU_ASSERT_EQUAL(client.subscriber->beat_interval_ms, 30000);
	CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), "{\"type\":\"open\","
		"\"cursor\":\"EPOCH-1\",\"transport\":\"stream\",\"heartbeat\":30,\"sent\":0,"
		"\"limits\":{\"message\":65536,\"channels\":64}}\n");
	world_publish(&world, "elsewhere", "x");
	world_settle(&world);
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 2);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_that_resumes_is_behind_until_it_has_caught_up(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a&since=0" };
	world_open(&world, NULL);
	for (int i = 0; i < 100; i++)
		world_publish(&world, "a", "x");
	client_open(&client, &world, &sl_transport_stream, &request);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_BEHIND);
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 64);
	world_settle(&world);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_LIVE);
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 100);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_ended_says_bye_then_shuts_and_lingers_for_the_peer(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	world_publish(&world, "a", "x");
	sl_delivery_drain(&world.shard);
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	sl_subscriber_end(client.subscriber, SL_END_SLOW_CONSUMER); /* ends once */
	world_publish(&world, "a", "x");
	expect(&client, "open@0 a1 bye:draining");
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_EQUAL(client.link->state, SL_LINK_LINGERING);
	client_send(&client, "late", 4);
	world_settle(&world);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	world_close(&world);
}

static void
test_subscriber_ends_chunked_streams_with_the_last_chunk(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	sl_subscriber_end(client.subscriber, SL_END_CLIENT); /* no bye: the client left first */
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	const char *text = client_take_text(&client, &world);
	CU_ASSERT_PTR_NULL(strstr(text, "bye"));
	CU_ASSERT_STRING_EQUAL(text + strlen(text) - 7, "\r\n0\r\n\r\n");
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_slow_consumer_gets_the_object_in_progress_and_bye(void)
{
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_client slow, other;
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	world_open(&world, options);
	client_open_stream(&other, &world, "channels=a");
	client_open(&slow, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&slow));
	while (world_counter(&world, SL_COUNTER_SLOW_CONSUMERS) == 0 && world_head(&world) < 1000) {
		world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
		world_turn(&world);
		client_read(&other);
	}
	CU_ASSERT_EQUAL(slow.link->state, SL_LINK_ENDING);
	CU_ASSERT_TRUE(slow.link->outbox.queued_bytes < 51000); /* what was not begun is gone */
	read_to_the_end(&slow);
	const char *story = client_take_story(&slow, &world); /* whole lines, or it aborts */
	CU_ASSERT_EQUAL(strncmp(story, "open@0 a1 ", 10), 0);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - strlen(" bye:slow_consumer"),
		" bye:slow_consumer");
	CU_ASSERT_TRUE(client_is_served(&other, &world));
	client_close(&slow);
	client_close(&other);
	world_close(&world);
}

static void
test_subscriber_slow_consumer_hears_no_cursor_or_count_of_what_it_will_not_get(void)
{
	static const char *const said[] = {
		"{\"type\":\"unsubscribe\",\"channels\":[\"a\"]}",
		"{\"type\":\"subscribe\",\"channels\":[\"c\"]}",
		"{\"type\":\"ping\",\"data\":1}",
		NULL, /* a heartbeat */
	};
	static const char publish[] =
		"{\"type\":\"publish\",\"channel\":\"elsewhere\",\"data\":1,\"ref\":7}";
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_request request = { .query = "channels=a,b", .send_buffer = 4608 };
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		struct world_client slow;
		world_open(&world, options);
		client_open(&slow, &world, &sl_transport_stream, &request);
		world_settle(&world);
		CU_ASSERT_TRUE(client_skip_head(&slow));
		fall_behind(&slow, "a");
		if (said[i])
			sl_protocol_handle(slow.subscriber, said[i], strlen(said[i]));
		else
			sl_control_send_heartbeat(slow.subscriber);
		world_publish_bytes(&world, "b", SL_TEXT, large, 5000);
		world_turn(&world);
		sl_protocol_handle(slow.subscriber, publish, sizeof publish - 1);
		overflow(&slow);
		read_to_the_end(&slow);
		const char *text = client_take_text(&slow, &world);
		CU_ASSERT_TRUE(check_cursors(text) < 20);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"ack\",\"ref\":7,")); /* its outcome is known */
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"slow_consumer\""));
		client_close(&slow);
		world_close(&world);
	}
}

/* What was queued before the first message that is dropped is true, and stays. */
static void
test_subscriber_slow_consumer_hears_the_cursors_of_what_it_has(void)
{
	static const char ping[] = "{\"type\":\"ping\",\"data\":1}";
	static const char *const options[] = { "--outbox=100K", NULL };
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	struct world_client slow;
	world_open(&world, options);
	client_open(&slow, &world, &sl_transport_stream, &request);
	world_publish_bytes(&world, "a", SL_TEXT, large, 50000);
	world_settle(&world);
	CU_ASSERT_TRUE(slow.link->outbox.queued_bytes > 0); /* it is begun */
	sl_control_send_heartbeat(slow.subscriber);
	sl_protocol_handle(slow.subscriber, ping, sizeof ping - 1);
	publish_until_slow(1000);
	read_to_the_end(&slow);
	CU_ASSERT_TRUE(client_skip_head(&slow));
	const char *text = client_take_text(&slow, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"heartbeat\",\"cursor\":\"EPOCH-1\",\"sent\":1}"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"pong\",\"data\":1,\"sent\":1}"));
	CU_ASSERT_EQUAL(check_cursors(text), 1);
	client_close(&slow);
	world_close(&world);
}

static void
test_subscriber_that_reads_slowly_but_reads_loses_nothing(void)
{
	struct world_client client;
	struct world_request request = { .query = "channels=a", .send_buffer = 4608 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	CU_ASSERT_TRUE(client_skip_head(&client));
	for (int i = 0; i < 40; i++)
		world_publish_bytes(&world, "a", SL_TEXT, large, 5000);
	for (int i = 0; i < 1000; i++) {
		client_read(&client);
		world_turn(&world);
	}
	const char *story = client_take_story(&client, &world);
	CU_ASSERT_PTR_NOT_NULL(strstr(story, "open@0 a1 a2 a3 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(story, " a39 a40"));
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_replays_more_than_its_outbox_holds(void)
{
	struct world_client one, many;
	world_open(&world, small_outbox);
	world_publish(&world, "a", large);
	for (int i = 0; i < 100; i++)
		world_publish_bytes(&world, "b", SL_TEXT, large, 100);
	client_open_stream(&one, &world, "channels=a&since=0");
	client_open_stream(&many, &world, "channels=b&since=0");
	for (int i = 0; i < 100; i++) {
		client_read(&one);
		client_read(&many);
		world_turn(&world);
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SLOW_CONSUMERS), 0);
	expect(&one, "open@0 a1");
	const char *story = client_take_story(&many, &world);
	CU_ASSERT_EQUAL(strncmp(story, "open@0 b2 b3 ", 13), 0);
	CU_ASSERT_STRING_EQUAL(story + strlen(story) - 5, " b101");
	client_close(&one);
	client_close(&many);
	world_close(&world);
}

static void
test_subscriber_parked_stays_at_its_position(void)
{
	struct world_client client;
	world_open(&world, NULL);
	client_open_stream(&client, &world, "channels=a");
	publish_many("elsewhere", 3);
	world_settle(&world);
	sl_subscriber_park(client.subscriber);
	CU_ASSERT_EQUAL(client.subscriber->state, SL_SUBSCRIBER_PARKED);
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 0);
	publish_many("a", 2);
	expect(&client, "open@0");
	CU_ASSERT_EQUAL(sl_subscriber_get_cursor(client.subscriber).seq, 3);
	client_close(&client);
	world_close(&world);
}

static void
test_subscriber_that_never_began_may_leave(void)
{
	struct sl_subscriber subscriber = { .state = SL_SUBSCRIBER_PARKED };
	sl_subscriber_leave(&subscriber);
	CU_ASSERT_TRUE(sl_subscriber_is_ending(&subscriber)); /* it has no link */
}

static void
test_subscriber_is_refused_where_there_is_no_room_for_its_framing(void)
{
	static const struct sl_encoder encoders[SL_ENCODERS_MAX];
	struct world_request request = { .query = "channels=a", .http_minor = 1 };
	struct world_client client;
	world_open(&world, NULL);
	for (int i = 0; i < SL_ENCODERS_MAX; i++)
		sl_framer_intern(&world.shard.framer, &encoders[i]);
	client_open(&client, &world, &sl_transport_stream, &request);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_EQUAL(strncmp(client_take_text(&client, &world), "HTTP/1.1 429 ", 13), 0);
	client_close(&client);
	world_close(&world);
}

/* Opening is the transports' to test. */
static void
test_subscriber_without_memory_for_what_it_is_told_is_closed(void)
{
	static const char ping[] = "{\"type\":\"ping\",\"data\":1}";
	for (unsigned n = 1;; n++) {
		struct world_client client;
		world_open(&world, NULL);
		client_open_stream(&client, &world, "channels=a");
		failing_alloc_set(n, n % 2);
		sl_control_send_heartbeat(client.subscriber);
		sl_protocol_handle(client.subscriber, ping, sizeof ping - 1);
		struct sl_gap gap = { .channel = "a" };
		sl_subscriber_send_gap(client.subscriber, &gap);
		sl_subscriber_end(client.subscriber, SL_END_DRAINING);
		failing_alloc_off();
		bool has_failed = failing_alloc_has_failed();
		CU_ASSERT_EQUAL(client.link->state, has_failed ? SL_LINK_CLOSED : SL_LINK_ENDING);
		world_settle(&world);
		CU_ASSERT_EQUAL(client_is_served(&client, &world), !has_failed);
		client_close(&client);
		world_close(&world);
		if (!has_failed)
			break;
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_subscriber_from_now_is_live_at_once_at_the_head),
		UNIT_TEST(test_subscriber_that_resumes_is_behind_until_it_has_caught_up),
		UNIT_TEST(test_subscriber_ended_says_bye_then_shuts_and_lingers_for_the_peer),
		UNIT_TEST(test_subscriber_ends_chunked_streams_with_the_last_chunk),
		UNIT_TEST(test_subscriber_slow_consumer_gets_the_object_in_progress_and_bye),
		UNIT_TEST(test_subscriber_slow_consumer_hears_no_cursor_or_count_of_what_it_will_not_get),
		UNIT_TEST(test_subscriber_slow_consumer_hears_the_cursors_of_what_it_has),
		UNIT_TEST(test_subscriber_that_reads_slowly_but_reads_loses_nothing),
		UNIT_TEST(test_subscriber_replays_more_than_its_outbox_holds),
		UNIT_TEST(test_subscriber_parked_stays_at_its_position),
		UNIT_TEST(test_subscriber_that_never_began_may_leave),
		UNIT_TEST(test_subscriber_is_refused_where_there_is_no_room_for_its_framing),
		UNIT_TEST(test_subscriber_without_memory_for_what_it_is_told_is_closed),
		{ NULL, NULL },
	};
	memset(large, 'x', sizeof large - 1);
	return unit_main("subscriber", tests);
}
