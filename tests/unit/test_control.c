#include "live/control.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/live_world.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static struct live_world world;
static struct world_client client;

static void
start(void)
{
	world_open(&world, NULL);
	world_publish(&world, "a", "x");
	client_open_stream(&client, &world, "channels=a");
	client_take_text(&client, &world); /* open */
}

static void
stop(void)
{
	client_close(&client);
	world_close(&world);
}

static void
expect(const char *text)
{
	world_settle(&world);
	CU_ASSERT_STRING_EQUAL(client_take_text(&client, &world), text);
}

static struct sl_cursor
cursor_at(uint64_t seq)
{
	struct sl_cursor cursor = sl_subscriber_get_cursor(client.subscriber);
	cursor.seq = seq;
	return cursor;
}

static void
test_control_objects_are_what_the_protocol_says(void)
{
	start();
	uint64_t sends = world_counter(&world, SL_COUNTER_SENDS);
	struct sl_buffer head = SL_BUFFER_INIT;
	sl_buffer_append_str(&head, "head\n");
	sl_control_send_open(client.subscriber, &head);
	sl_buffer_finish(&head);
	expect("head\n{\"type\":\"open\",\"cursor\":\"EPOCH-1\",\"transport\":\"stream\",\"heartbeat\":15,"
		"\"sent\":0,\"limits\":{\"message\":65536,\"channels\":64}}\n");
	sl_control_send_heartbeat(client.subscriber);
	expect("{\"type\":\"heartbeat\",\"cursor\":\"EPOCH-1\",\"sent\":0}\n");
	sl_control_send_mark(client.subscriber);
	expect("{\"type\":\"mark\"}\n");
	struct sl_buffer answer = SL_BUFFER_INIT;
	sl_buffer_append_str(&answer, "{\"type\":\"ack\",\"ref\":1}");
	sl_control_send_answer(client.subscriber, SL_CONTROL_ANSWER, "ack", &answer);
	expect("{\"type\":\"ack\",\"ref\":1}\n");
	sl_buffer_finish(&answer);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_HEARTBEATS), 1);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SENDS), sends + 4);
	stop();
}

static void
test_control_gap_tells_what_was_asked_for_and_where_it_goes_on(void)
{
	start();
	struct sl_gap gap = { "chat", cursor_at(3), cursor_at(9) };
	sl_control_send_gap(client.subscriber, &gap);
	expect("{\"type\":\"gap\",\"channel\":\"chat\",\"after\":\"EPOCH-3\","
		"\"resumed\":\"EPOCH-9\"}\n");
	gap.channel = "\"} \\, \xf0\x9f\x9a\x80";
	sl_control_send_gap(client.subscriber, &gap);
	expect("{\"type\":\"gap\",\"channel\":\"\\\"} \\\\, \xf0\x9f\x9a\x80\",\"after\":\"EPOCH-3\","
		"\"resumed\":\"EPOCH-9\"}\n");
	gap.channel = "chat";
	gap.after = (struct sl_cursor){ 0 }; /* asked with what was no cursor */
	sl_control_send_gap(client.subscriber, &gap);
	expect("{\"type\":\"gap\",\"channel\":\"chat\",\"after\":null,\"resumed\":\"EPOCH-9\"}\n");
	stop();
}

static void
test_control_bye_names_its_reason_and_a_time_to_come_back(void)
{
	static const struct {
		enum sl_end_reason reason;
		const char *name;
		unsigned min_ms, max_ms;
	} byes[] = {
		{ SL_END_DRAINING, "draining", 500, 5000 },
		{ SL_END_SLOW_CONSUMER, "slow_consumer", 1000, 2000 },
		{ SL_END_GAP, "gap", 1000, 2000 },
		{ SL_END_EXPIRED, "expired", 1000, 2000 },
		{ SL_END_TOKEN_EXPIRED, "token_expired", 0, 2000 },
		{ SL_END_TOKEN_REVOKED, "token_revoked", 0, 2000 },
		{ SL_END_EPOCH, "epoch", 500, 5000 },
		{ SL_END_LIMIT, "rate_limited", 1000, 2000 },
	};
	start();
	for (size_t i = 0; i < sizeof byes / sizeof *byes; i++) {
		char name[64];
		unsigned retry_ms, sent;
		sl_control_send_bye(client.subscriber, byes[i].reason);
		world_settle(&world);
		const char *text = client_take_text(&client, &world);
		CU_ASSERT_EQUAL_FATAL(sscanf(text, "{\"type\":\"bye\",\"reason\":\"%63[^\"]\","
			"\"retry\":%u,\"sent\":%u}", name, &retry_ms, &sent), 3);
		CU_ASSERT_EQUAL(sent, 0);
		CU_ASSERT_STRING_EQUAL(name, byes[i].name);
		CU_ASSERT_TRUE(retry_ms >= byes[i].min_ms && retry_ms < byes[i].max_ms);
	}
	stop();
}

static void
test_control_retries_are_spread(void)
{
	unsigned first = sl_control_draw_retry_ms(SL_END_DRAINING), different = 0;
	for (int i = 0; i < 50; i++)
		different += sl_control_draw_retry_ms(SL_END_DRAINING) != first;
	CU_ASSERT_TRUE(different > 0);
}

static void
test_control_gap_header_has_both_cursors(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_gap gap = { "chat", { 0x9f3a1c07, 3 }, { 0x9f3a1c07, 9 } };
	sl_control_append_gap_header(&out, &gap);
	sl_buffer_append_char(&out, '|');
	gap.after = (struct sl_cursor){ 0 };
	sl_control_append_gap_header(&out, &gap);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes,
		"after=9f3a1c07-3 resumed=9f3a1c07-9|after= resumed=9f3a1c07-9");
	sl_buffer_finish(&out);
}

static void
test_control_every_reason_has_a_name(void)
{
	for (int reason = 0; reason < SL_END_REASONS; reason++)
		CU_ASSERT_TRUE(strlen(sl_control_get_reason((enum sl_end_reason)reason)) > 0);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_control_objects_are_what_the_protocol_says),
		UNIT_TEST(test_control_gap_tells_what_was_asked_for_and_where_it_goes_on),
		UNIT_TEST(test_control_bye_names_its_reason_and_a_time_to_come_back),
		UNIT_TEST(test_control_retries_are_spread),
		UNIT_TEST(test_control_gap_header_has_both_cursors),
		UNIT_TEST(test_control_every_reason_has_a_name),
		{ NULL, NULL },
	};
	return unit_main("control", tests);
}
