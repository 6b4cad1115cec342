#include "live/protocol.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "tests/backend/slow.h"
#include "tests/unit/live_world.h"
#include "tests/unit/somebody.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"
#include "util/err.h"

#define POLL_TIMEOUT_MS 30000 /* only a lost answer takes as long */

static struct live_world world;
static struct world_client client;

static void
start(const char *const *options, const char *query)
{
	world_open(&world, options);
	client_open_stream(&client, &world, query);
	client_take_text(&client, &world); /* open */
}

static void
start_slow(const struct sl_slow_config *config)
{
	struct sl_backend *backend;
	CU_ASSERT_EQUAL_FATAL(sl_slow_create(&backend, config), 0);
	world_open_over(&world, backend, NULL);
	client_open_stream(&client, &world, "channels=a");
	client_take_text(&client, &world);
}

static void
stop(void)
{
	client_close(&client);
	world_close(&world);
}

static void
say(const char *object)
{
	sl_protocol_handle(client.subscriber, object, strlen(object));
}

static const char *
hear(void)
{
	world_settle(&world);
	return client_take_text(&client, &world);
}

static void
expect(const char *object, const char *answer)
{
	say(object);
	const char *heard = hear();
	if (strcmp(heard, answer) != 0)
		printf("\n    %s: %s", object, heard);
	CU_ASSERT_STRING_EQUAL(heard, answer);
}

/* One error object, with `ref` as it was written. */
static void
expect_error(const char *object, const char *ref, const char *code)
{
	char begin[256];
	say(object);
	const char *heard = hear();
	int len = snprintf(begin, sizeof begin, "{\"type\":\"error\",\"ref\":%s,\"code\":\"%s\","
		"\"message\":\"", ref, code);
	bool matches = strncmp(heard, begin, (size_t)len) == 0 &&
		strchr(heard, '\n') == heard + strlen(heard) - 1;
	if (!matches)
		printf("\n    %s: %s", object, heard);
	CU_ASSERT_TRUE(matches);
	CU_ASSERT_TRUE(client_is_served(&client, &world));
}

/* ---- publish ---- */

static void
test_protocol_publish_is_acknowledged_with_its_id(void)
{
	start(NULL, "channels=other");
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":{\"x\":1},\"ref\":7}",
		"{\"type\":\"ack\",\"ref\":7,\"id\":\"EPOCH-1\"}\n");
	expect(" { \"data\" : null , \"channel\" : \"a\" , \"type\" : \"publish\" } ",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-2\"}\n");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISHES), 2);
	CU_ASSERT_EQUAL(world_class_counter(&world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_IN), 2);
	stop();
}

static void
test_protocol_publish_reaches_its_publisher_as_everybody(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":[1, 2],\"ref\":\"r\"}",
		"{\"type\":\"ack\",\"ref\":\"r\",\"id\":\"EPOCH-1\"}\n"
		"{\"id\":\"EPOCH-1\",\"channel\":\"a\",\"time\":TIME,\"data\":[1, 2]}\n");
	stop();
}

static void
test_protocol_refs_come_back_as_they_were_written(void)
{
	static const char *const refs[] = { "0", "-1.50e+3", "12345678901234567890", "\"\"",
		"\"a \\u00e9 \\\" b\"", "\"\xc3\xa9\"", NULL };
	start(NULL, "channels=other");
	for (int i = 0; refs[i]; i++) {
		char object[256], answer[256];
		snprintf(object, sizeof object,
			"{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":%s}", refs[i]);
		snprintf(answer, sizeof answer, "{\"type\":\"ack\",\"ref\":%s,\"id\":\"EPOCH-%d\"}\n",
			refs[i], i + 1);
		expect(object, answer);
		snprintf(object, sizeof object, "{\"type\":\"nonsense\",\"ref\":%s}", refs[i]);
		expect_error(object, refs[i], "bad_type");
	}
	stop();
}

static void
test_protocol_repeated_key_gets_the_first_answer(void)
{
	static const char object[] =
		"{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1,\"key\":\"key-0001\"}";
	start(NULL, "channels=other");
	expect(object, "{\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"}\n");
	expect(object, "{\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"data\":1,\"key\":\"key-0001\"}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-2\"}\n");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	stop();
}

static void
test_protocol_publish_errors_are_told_by_code(void)
{
	static const char *const options[] = { "--max-message=10", NULL };
	start(options, "channels=other");
	expect_error("{\"type\":\"publish\",\"data\":1,\"ref\":1}", "1", "bad_channel");
	expect_error("{\"type\":\"publish\",\"channel\":5,\"data\":1,\"ref\":1}", "1", "bad_channel");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\\nb\",\"data\":1,\"ref\":1}", "1",
		"bad_channel");
	expect_error("{\"type\":\"publish\",\"channel\":\"\",\"data\":1}", "null", "bad_channel");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"ref\":1}", "1", "no_data");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":\"123456789\",\"ref\":1}", "1",
		"too_large");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"key\":\"short\",\"ref\":1}",
		"1", "bad_key");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"key\":12345678}", "null",
		"bad_key");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"key\":\"12345 78\"}",
		"null", "bad_key");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"compress\":0,\"ref\":1}", "1",
		"bad_request");
	CU_ASSERT_EQUAL(world_head(&world), 0);
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":\"12345678\"}", /* just fits */
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-1\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"compress\":false}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-2\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"compress\":null}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-3\"}\n");
	sl_bus_drain(world.bus);
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}", "1", "draining");
	stop();
}

static void
test_protocol_depth_is_that_of_the_payload_alone(void)
{
	static const char *const options[] = { "--max-json-depth=2", NULL };
	start(options, "channels=other");
	expect("{\"type\":\"publish\",\"channel\":\"a\",\"data\":[[1]],\"ref\":1}",
		"{\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-1\"}\n");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":[[[1]]],\"ref\":\"r]\"}", "\"r]\"",
		"too_deep");
	expect_error("{\"ref\":2,\"data\":{\"a\":[{}]},\"type\":\"publish\",\"channel\":\"a\"}", "2",
		"too_deep");
	expect_error("{\"type\":\"ping\",\"data\":[[[1]]],\"ref\":3}", "3", "too_deep");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":[[[1]],\"ref\":1}", "null", "bad_json");
	expect("{\"type\":\"ping\",\"data\":[[1]]}", "{\"type\":\"pong\",\"data\":[[1]],\"sent\":0}\n");
	CU_ASSERT_EQUAL(world_head(&world), 1);
	stop();
}

/* ---- what is no object of the protocol ---- */

static void
test_protocol_tells_of_what_it_cannot_read(void)
{
	static const char *const broken[] = { "", " ", "{", "}", "[]", "1", "null", "\"publish\"",
		"{\"type\":\"ping\"} x", "{\"type\":\"ping\",}", "{type:\"ping\"}", "{\"type\":\"ping\"",
		"{\"data\":01}", NULL };
	start(NULL, "channels=a");
	for (int i = 0; broken[i]; i++)
		expect_error(broken[i], "null", "bad_json");
	expect_error("{}", "null", "bad_type");
	expect_error("{\"ref\":5}", "5", "bad_type");
	expect_error("{\"type\":5,\"ref\":5}", "5", "bad_type");
	expect_error("{\"type\":\"Ping\",\"ref\":5}", "5", "bad_type");
	expect_error("{\"type\":\"ping\",\"ref\":[1]}", "null", "bad_ref");
	expect_error("{\"type\":\"ping\",\"ref\":true}", "null", "bad_ref");
	char object[256];
	snprintf(object, sizeof object, "{\"type\":\"ping\",\"ref\":\"%0127d\"}", 0);
	expect_error(object, "null", "bad_ref");
	stop();
}

static void
test_protocol_null_is_no_ref_and_no_key_and_a_value(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"ping\",\"ref\":null,\"data\":null}",
		"{\"type\":\"pong\",\"data\":null,\"sent\":0}\n");
	expect("{\"type\":\"nonsense\",\"ref\":5,\"ref\":null}", "{\"type\":\"error\",\"ref\":null,"
		"\"code\":\"bad_type\",\"message\":\"type: \\\"nonsense\\\" is unknown; use publish, subscribe, unsubscribe or "
		"ping\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"data\":null,\"ref\":null,\"key\":null}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-1\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"data\":1,\"ref\":1,\"key\":null}",
		"{\"type\":\"ack\",\"ref\":1,\"id\":\"EPOCH-2\"}\n");
	expect_error("{\"type\":null}", "null", "bad_type");
	expect_error("{\"type\":\"publish\",\"channel\":null,\"data\":1}", "null", "bad_channel");
	expect_error("{\"type\":\"subscribe\",\"channels\":null}", "null", "no_channels");
	stop();
}

static void
test_protocol_reads_names_and_types_with_escapes(void)
{
	start(NULL, "channels=a");
	expect("{\"\\u0074ype\":\"p\\u0069ng\",\"data\":1}", "{\"type\":\"pong\",\"data\":1,\"sent\":0}\n");
	expect("{\"type\":\"publish\",\"channel\":\"\\u0062\",\"data\":1}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-1\"}\n");
	expect_error("{\"type\":\"publish\",\"channel\":\"b\\u0000\",\"data\":1}", "null",
		"bad_channel");
	stop();
}

static void
test_protocol_ping_comes_back_with_its_data(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"ping\"}", "{\"type\":\"pong\",\"data\":null,\"sent\":0}\n");
	expect("{\"type\":\"ping\",\"data\":{\"t\":[1,2]}}",
		"{\"type\":\"pong\",\"data\":{\"t\":[1,2]},\"sent\":0}\n");
	world_publish(&world, "a", "x");
	world_publish(&world, "b", "x"); /* not its channel */
	hear();
	expect("{\"type\":\"ping\"}", "{\"type\":\"pong\",\"data\":null,\"sent\":1}\n");
	static char large[70000];
	int len = snprintf(large, sizeof large, "{\"type\":\"ping\",\"ref\":1,\"data\":\"%065600d\"}", 0);
	CU_ASSERT_TRUE_FATAL(len < (int)sizeof large);
	expect_error(large, "1", "too_large");
	stop();
}

/* ---- channels ---- */

static void
test_protocol_subscribe_answers_with_the_whole_list(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"subscribe\",\"channels\":[\"b\",\"c\",\"a\"],\"ref\":1}",
		"{\"type\":\"subscribed\",\"ref\":1,\"channels\":[\"a\",\"b\",\"c\"],"
		"\"cursor\":\"EPOCH-0\"}\n");
	expect("{\"type\":\"unsubscribe\",\"channels\":[\"a\"],\"ref\":2}",
		"{\"type\":\"unsubscribed\",\"ref\":2,\"channels\":[\"c\",\"b\"],"
		"\"cursor\":\"EPOCH-0\"}\n");
	stop();
}

static void
test_protocol_subscribe_errors_change_nothing(void)
{
	static const char *const options[] = { "--max-channels=3", NULL };
	start(options, "channels=a");
	expect_error("{\"type\":\"subscribe\",\"ref\":1}", "1", "no_channels");
	expect_error("{\"type\":\"subscribe\",\"channels\":[],\"ref\":1}", "1", "no_channels");
	expect_error("{\"type\":\"subscribe\",\"channels\":\"b\",\"ref\":1}", "1", "no_channels");
	expect_error("{\"type\":\"subscribe\",\"channels\":[\"b\",\"*\"],\"ref\":1}", "1",
		"bad_channel");
	expect_error("{\"type\":\"subscribe\",\"channels\":[\"b\",1],\"ref\":1}", "1", "bad_channel");
	expect_error("{\"type\":\"subscribe\",\"channels\":[\"b\",\"c\",\"d\"],\"ref\":1}", "1",
		"too_many_channels");
	expect_error("{\"type\":\"unsubscribe\",\"ref\":1}", "1", "no_channels");
	expect_error("{\"type\":\"unsubscribe\",\"channels\":[\"\"],\"ref\":1}", "1", "bad_channel");
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 1);
	expect("{\"type\":\"subscribe\",\"channels\":[\"a\",\"b\",\"c\"],\"ref\":1}",
		"{\"type\":\"subscribed\",\"ref\":1,\"channels\":[\"a\",\"b\",\"c\"],"
		"\"cursor\":\"EPOCH-0\"}\n");
	stop();
}

static void
test_protocol_lists_any_names_of_channels(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"subscribe\",\"channels\":[\"\\\"}\",\"\\\\\",\"\\ud83d\\ude80,\"]}",
		"{\"type\":\"subscribed\",\"ref\":null,\"channels\":[\"a\",\"\\\"}\",\"\\\\\",\"\xf0\x9f\x9a\x80,\"],"
		"\"cursor\":\"EPOCH-0\"}\n");
	expect("{\"type\":\"unsubscribe\",\"channels\":[\"\\u0022\\u007D\",\"a\"]}",
		"{\"type\":\"unsubscribed\",\"ref\":null,\"channels\":[\"\\\\\",\"\xf0\x9f\x9a\x80,\"],"
		"\"cursor\":\"EPOCH-0\"}\n");
	stop();
}

static void
test_protocol_publishes_events(void)
{
	start(NULL, "channels=a");
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"event\":\"say \\\"it\\\"\",\"args\":\"list\",\"data\":[1]}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-1\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"event\":null,\"args\":null,\"data\":1}",
		"{\"type\":\"ack\",\"ref\":null,\"id\":\"EPOCH-2\"}\n");
	expect_error("{\"type\":\"publish\",\"channel\":\"b\",\"event\":\"\",\"data\":1}", "null", "bad_event");
	expect_error("{\"type\":\"publish\",\"channel\":\"b\",\"event\":\"e\",\"args\":\"list\",\"data\":1}", "null",
		"bad_args");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	stop();
}

static void
test_protocol_errors_name_the_channel_that_is_forbidden(void)
{
	struct sl_principal ann;
	somebody_init(&ann, "ann", "chat.*", NULL);
	start(NULL, "channels=a");
	client_admit(&client, &ann);
	expect("{\"type\":\"subscribe\",\"channels\":[\"chat.1\",\"news\"],\"ref\":1}",
		"{\"type\":\"error\",\"ref\":1,\"code\":\"forbidden\","
		"\"message\":\"this token may not subscribe to news\"}\n");
	expect("{\"type\":\"publish\",\"channel\":\"chat.1\",\"data\":1,\"ref\":2}",
		"{\"type\":\"error\",\"ref\":2,\"code\":\"forbidden\","
		"\"message\":\"this token may not publish to chat.1\"}\n");
	stop();
	somebody_finish(&ann);
}

/* A raw client has no other way to be told. */
static void
test_protocol_raw_that_may_not_publish_ends(void)
{
	struct sl_principal ann;
	struct world_request request = { .query = "channels=a&format=raw", .http_minor = 1 };
	somebody_init(&ann, "ann", "*", NULL);
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_websocket, &request);
	world_settle(&world);
	client_skip_head(&client);
	client_admit(&client, &ann);
	sl_protocol_publish_raw(client.subscriber, SL_TEXT, "x", 1);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_EQUAL_FATAL(client.got.len, 4); /* no message */
	CU_ASSERT_EQUAL(memcmp(client.got.bytes, "\x88\x02\x03\xf0", 4), 0); /* 1008 */
	CU_ASSERT_EQUAL(world_head(&world), 0);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_FORBIDDEN_PUBLISH), 1);
	stop();
	somebody_finish(&ann);
}

static void
limit(enum sl_limit limit, uint64_t rate)
{
	world_limit_rate(&world, limit, rate);
	client.subscriber->owner = sl_owners_get_subject(world.http.owners, "ann");
}

static void
test_protocol_error_of_a_limit_says_when_to_try_again(void)
{
	start(NULL, "channels=a");
	limit(SL_LIMIT_PUBLISHES, 1);
	for (int i = 0; i < 2; i++) {
		say("{\"type\":\"publish\",\"channel\":\"b\",\"data\":1}");
		hear();
	}
	expect("{\"type\":\"publish\",\"channel\":\"b\",\"data\":1,\"ref\":3}",
		"{\"type\":\"error\",\"ref\":3,\"code\":\"rate_limited\",\"message\":\"more publishes than "
		"--publish-rate allows one client; try again in 1 s\",\"retry\":1000}\n");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	stop();
}

static void
test_protocol_whoever_goes_on_being_refused_is_ended(void)
{
	static const char *const objects[] = {
		"nonsense", "{\"type\":\"nothing\"}", "{\"type\":\"subscribe\",\"channels\":[]}",
		"{\"type\":\"publish\",\"channel\":\"*\",\"data\":1}",
	};
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
		start(NULL, "channels=a");
		limit(SL_LIMIT_REQUESTS, 2);
		unsigned heard = 0;
		while (!sl_subscriber_is_ending(client.subscriber) && heard < 100) {
			heard++;
			say(objects[i]);
		}
		CU_ASSERT_EQUAL(heard, 9);
		const char *text = hear();
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"type\":\"bye\",\"reason\":\"rate_limited\",\"retry\":1"));
		stop();
	}
}

static void
test_protocol_raw_over_a_limit_ends(void)
{
	struct world_request request = { .query = "channels=a&format=raw", .http_minor = 1 };
	world_open(&world, NULL);
	client_open(&client, &world, &sl_transport_websocket, &request);
	world_settle(&world);
	client_skip_head(&client);
	limit(SL_LIMIT_PUBLISHES, 1);
	for (int i = 0; i < 5; i++)
		sl_protocol_publish_raw(client.subscriber, SL_TEXT, "x", 1);
	world_settle(&world);
	CU_ASSERT_EQUAL(world_head(&world), 2);
	client_read(&client);
	/* What it had published comes back before the close. */
	CU_ASSERT_EQUAL(client.got.len, 2 * 3 + 16);
	CU_ASSERT_EQUAL(memcmp(client.got.bytes + 6, "\x88\x0e\x03\xf0rate_limited", 16), 0);
	stop();
}

static void
test_protocol_takes_64_channels_and_no_more(void)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	start(NULL, "channels=c0");
	for (int count = 64; count <= 65; count++) {
		sl_buffer_clear(&object);
		sl_buffer_append_str(&object, "{\"type\":\"subscribe\",\"ref\":1,\"channels\":[");
		for (int i = 0; i < count; i++)
			sl_buffer_printf(&object, "%s\"c%d\"", i ? "," : "", i);
		sl_buffer_append(&object, "]}", 3);
		if (count == 65) {
			expect_error(object.bytes, "1", "too_many_channels");
		} else {
			say(object.bytes);
			CU_ASSERT_PTR_NOT_NULL(strstr(hear(), "\"c63\"],\"cursor\""));
		}
	}
	CU_ASSERT_EQUAL(client.subscriber->subscription_count, 64);
	sl_buffer_finish(&object);
	stop();
}

/* ---- raw ---- */

static void
test_protocol_raw_publishes_to_the_only_channel_and_is_not_acknowledged(void)
{
	start(NULL, "channels=a&format=raw");
	sl_protocol_publish_raw(client.subscriber, SL_TEXT, "hello", 5);
	CU_ASSERT_STRING_EQUAL(hear(), "hello\n");
	sl_protocol_publish_raw(client.subscriber, SL_BINARY, "\x01\x02", 2);
	CU_ASSERT_STRING_EQUAL(hear(), "\x01\x02\n");
	CU_ASSERT_EQUAL(world_head(&world), 2);
	stop();
}

/* ---- publishes that wait for the backend ---- */

static uint64_t
count_pending(void)
{
	struct sl_bus_stats stats;
	sl_bus_get_stats(world.bus, &stats);
	return stats.pending_now;
}

static void
wait_for_backend(void)
{
	while (count_pending() > 0) {
		struct pollfd fd = { .fd = world.shard.mailbox.event_fd, .events = POLLIN };
		CU_ASSERT_TRUE_FATAL(poll(&fd, 1, POLL_TIMEOUT_MS) == 1 || count_pending() == 0);
		world_settle(&world);
	}
	world_settle(&world);
}

static void
test_protocol_publishes_that_wait_are_answered_with_their_refs(void)
{
	static const struct sl_slow_config config = { .seed = 3, .store_max_us = 2000,
		.ack_max_us = 2000 };
	start_slow(&config);
	client_close(&client);
	client_open_stream(&client, &world, "channels=other");
	client_take_text(&client, &world);
	for (int i = 0; i < 20; i++) {
		char object[128];
		snprintf(object, sizeof object,
			"{\"type\":\"publish\",\"channel\":\"a\",\"data\":%d,\"ref\":%d}", i, i);
		say(object);
	}
	CU_ASSERT_FALSE(LIST_EMPTY(&client.subscriber->pending));
	wait_for_backend();
	const char *heard = hear();
	for (int i = 0; i < 20; i++) {
		char begin[64];
		snprintf(begin, sizeof begin, "{\"type\":\"ack\",\"ref\":%d,\"id\":\"EPOCH-", i);
		const char *found = strstr(heard, begin);
		CU_ASSERT_PTR_NOT_NULL(found);
		CU_ASSERT_TRUE(found && !strstr(found + 1, begin)); /* once */
	}
	CU_ASSERT_TRUE(LIST_EMPTY(&client.subscriber->pending));
	stop();
}

static void
test_protocol_failures_of_the_backend_are_told(void)
{
	static const struct sl_slow_config config = { .seed = 3, .store_max_us = 100,
		.fail_percent = 100 };
	start_slow(&config);
	say("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":\"x\"}");
	wait_for_backend();
	CU_ASSERT_STRING_EQUAL(hear(), "{\"type\":\"error\",\"ref\":\"x\",\"code\":\"backend\","
		"\"message\":\"the backend could not store the message\"}\n");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 1);
	stop();
}

static void
test_protocol_answers_to_a_closed_connection_are_forgotten(void)
{
	static const struct sl_slow_config config = { .seed = 3, .store_max_us = 2000,
		.ack_max_us = 2000 };
	start_slow(&config);
	for (int i = 0; i < 10; i++)
		say("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}");
	sl_link_close(client.link);
	world_turn(&world); /* the connection is freed before the answers come */
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	wait_for_backend();
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_PUBLISH_ERRORS), 0);
	stop();
}

static void
test_protocol_answers_to_a_connection_that_ends_are_not_sent_behind_bye(void)
{
	static const struct sl_slow_config config = { .seed = 3, .store_max_us = 20000 };
	start_slow(&config);
	say("{\"type\":\"publish\",\"channel\":\"other\",\"data\":1,\"ref\":1}");
	bool was_pending = !LIST_EMPTY(&client.subscriber->pending);
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	wait_for_backend();
	CU_ASSERT_TRUE(was_pending);
	CU_ASSERT_STRING_EQUAL(client_take_story(&client, &world), "bye:draining");
	stop();
}

static void
test_protocol_only_so_many_publishes_may_wait(void)
{
	static const struct sl_slow_config config = { .seed = 3, .store_max_us = UINT32_MAX };
	start_slow(&config);
	for (int i = 0; i < 64; i++)
		say("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":1}");
	CU_ASSERT_STRING_EQUAL(hear(), "");
	expect_error("{\"type\":\"publish\",\"channel\":\"a\",\"data\":1,\"ref\":65}", "65", "limit");
	CU_ASSERT_EQUAL(count_pending(), 64);
	stop();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_protocol_publish_is_acknowledged_with_its_id),
		UNIT_TEST(test_protocol_publish_reaches_its_publisher_as_everybody),
		UNIT_TEST(test_protocol_refs_come_back_as_they_were_written),
		UNIT_TEST(test_protocol_repeated_key_gets_the_first_answer),
		UNIT_TEST(test_protocol_publish_errors_are_told_by_code),
		UNIT_TEST(test_protocol_depth_is_that_of_the_payload_alone),
		UNIT_TEST(test_protocol_tells_of_what_it_cannot_read),
		UNIT_TEST(test_protocol_null_is_no_ref_and_no_key_and_a_value),
		UNIT_TEST(test_protocol_reads_names_and_types_with_escapes),
		UNIT_TEST(test_protocol_ping_comes_back_with_its_data),
		UNIT_TEST(test_protocol_subscribe_answers_with_the_whole_list),
		UNIT_TEST(test_protocol_subscribe_errors_change_nothing),
		UNIT_TEST(test_protocol_errors_name_the_channel_that_is_forbidden),
		UNIT_TEST(test_protocol_raw_that_may_not_publish_ends),
		UNIT_TEST(test_protocol_error_of_a_limit_says_when_to_try_again),
		UNIT_TEST(test_protocol_whoever_goes_on_being_refused_is_ended),
		UNIT_TEST(test_protocol_raw_over_a_limit_ends),
		UNIT_TEST(test_protocol_takes_64_channels_and_no_more),
		UNIT_TEST(test_protocol_raw_publishes_to_the_only_channel_and_is_not_acknowledged),
		UNIT_TEST(test_protocol_publishes_that_wait_are_answered_with_their_refs),
		UNIT_TEST(test_protocol_failures_of_the_backend_are_told),
		UNIT_TEST(test_protocol_answers_to_a_closed_connection_are_forgotten),
		UNIT_TEST(test_protocol_answers_to_a_connection_that_ends_are_not_sent_behind_bye),
		UNIT_TEST(test_protocol_only_so_many_publishes_may_wait),
		UNIT_TEST(test_protocol_lists_any_names_of_channels),
		UNIT_TEST(test_protocol_publishes_events),
		{ NULL, NULL },
	};
	return unit_main("protocol", tests);
}
