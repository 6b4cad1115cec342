/* What every transport must do (http/transport.h), one set of tests over all in the
 * registry. A new transport is tested by being there. */
#include <stdio.h>
#include <string.h>

#include "bus/bus.h"
#include "live/control.h"
#include "tests/unit/live_world.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "transports/registry.h"

static struct live_world world;
static const struct sl_encoder *opened; /* what the last form's messages are framed by */

/* Calls `run` with each transport, in each format and HTTP version. */
static void
for_each_form(void (*run)(const struct sl_transport *transport, bool raw, unsigned http_minor))
{
	for (size_t i = 0; sl_transports[i]; i++)
		for (unsigned form = 0; form < 4; form++) {
			unsigned before = CU_get_number_of_failures();
			run(sl_transports[i], form & 1, form >> 1);
			if (CU_get_number_of_failures() > before)
				printf("\n    with %s%s, HTTP/1.%u", sl_transports[i]->name,
					form & 1 ? ", raw" : "", form >> 1);
		}
}

/* False, with the world closed, where the transport does not serve this form: an upgrade
 * needs HTTP/1.1. */
static bool
open_form(struct world_client *client, const struct sl_transport *transport, bool raw,
	unsigned http_minor, const char *since)
{
	char query[128];
	snprintf(query, sizeof query, "channels=a%s%s", since, raw ? "&format=raw" : "");
	struct world_request request = { .query = query, .http_minor = http_minor,
		.keep_alive = http_minor == 1 };
	if (client_open(client, &world, transport, &request)) {
		opened = client->subscriber->encoder;
		world_settle(&world);
		return true;
	}
	CU_ASSERT_EQUAL(http_minor, 0);
	client_close(client);
	world_close(&world);
	return false;
}

static bool
holds(const struct sl_buffer *got, const char *bytes, size_t len)
{
	return got->len >= len && memmem(got->bytes, got->len, bytes, len) != NULL;
}

static bool
holds_text(struct world_client *client, const char *text)
{
	client_read(client);
	return holds(&client->got, text, strlen(text));
}

/* ---- the table ---- */

static void
test_transport_names_and_paths_stand_in_the_order_of_the_design(void)
{
	static const char *const wanted[][2] = { { "websocket", "ws" }, { "sse", "sse" },
		{ "stream", "stream" }, { "longpoll", "poll" }, { "poll", "poll" } };
	size_t count = sizeof wanted / sizeof *wanted;
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(sl_transports[i]);
		CU_ASSERT_STRING_EQUAL(sl_transports[i]->name, wanted[i][0]);
		CU_ASSERT_STRING_EQUAL(sl_transports[i]->path, wanted[i][1]);
		CU_ASSERT_STRING_EQUAL(sl_class_name(sl_transports[i]->class), wanted[i][0]);
	}
	CU_ASSERT_PTR_NULL(sl_transports[count]);
}

static void
check_slots(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	struct world_client client;
	world_open(&world, NULL);
	CU_ASSERT_TRUE(transport->open != NULL);
	if (!open_form(&client, transport, raw, http_minor, "&since=EPOCH-0"))
		return;
	bool one_shot = opened->capabilities & SL_ONE_SHOT;
	CU_ASSERT_STRING_EQUAL(opened->transport, transport->name);
	CU_ASSERT_EQUAL(opened->class, transport->class);
	CU_ASSERT_TRUE(opened->frame_messages != NULL);
	CU_ASSERT_TRUE(one_shot || opened->frame_control);
	CU_ASSERT_TRUE(one_shot || opened->frame_end);
	client_close(&client);
	world_close(&world);
}

static void
test_transport_fills_its_mandatory_slots(void)
{
	for_each_form(check_slots);
}

/* ---- framing ---- */

#define MESSAGES 4

/* Of every type, empty and large, with what framings give a meaning. */
static void
make_messages(struct sl_message **messages)
{
	static char long_text[70001];
	memset(long_text, 'l', sizeof long_text - 1);
	memcpy(long_text + 60000, "\nid: 1\r\ndata:", 13);
	messages[0] = make_message(5, "a", "");
	messages[1] = make_message_of(6, "a", SL_BINARY, "\0\r\n\xff", 4);
	messages[2] = make_message(7, "a", long_text);
	messages[3] = make_message_of(8, "a", SL_JSON, "{\"x\" :\n[1]}", 11);
}

static void
for_each_encoder(void (*run)(const struct sl_encoder *encoder, struct sl_message *const *messages))
{
	struct sl_message *messages[MESSAGES];
	make_messages(messages);
	for (size_t i = 0; sl_transports[i]; i++) {
		for (unsigned form = 0; form < 4; form++) {
			struct world_client client;
			world_open(&world, NULL);
			if (!open_form(&client, sl_transports[i], form & 1, form >> 1, "&since=EPOCH-0"))
				continue;
			unsigned before = CU_get_number_of_failures();
			run(opened, messages);
			if (CU_get_number_of_failures() > before)
				printf("\n    with %s, variant %u", opened->transport, opened->variant);
			client_close(&client);
			world_close(&world);
		}
	}
	drop_messages(messages, MESSAGES);
}

static size_t
frame(const struct sl_encoder *encoder, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	sl_buffer_init(out);
	size_t framed = encoder->frame_messages(encoder, NULL, messages, count, out, ends);
	CU_ASSERT_EQUAL_FATAL(sl_buffer_status(out), 0);
	CU_ASSERT_TRUE_FATAL(framed > 0 && framed <= count);
	return framed;
}

static bool
is_one_shot(const struct sl_encoder *encoder)
{
	return encoder->capabilities & SL_ONE_SHOT;
}

static void
check_deterministic(const struct sl_encoder *encoder, struct sl_message *const *messages)
{
	struct sl_buffer one, other;
	uint32_t one_ends[MESSAGES], other_ends[MESSAGES];
	size_t framed = frame(encoder, messages, MESSAGES, &one, one_ends);
	CU_ASSERT_EQUAL(frame(encoder, messages, MESSAGES, &other, other_ends), framed);
	CU_ASSERT_EQUAL_FATAL(one.len, other.len);
	/* A date in a head may have moved on between the two: nothing else. */
	if (!is_one_shot(encoder))
		CU_ASSERT_EQUAL(memcmp(one.bytes, other.bytes, one.len), 0);
	CU_ASSERT_EQUAL(memcmp(one_ends, other_ends, framed * sizeof *one_ends), 0);
	sl_buffer_finish(&one);
	sl_buffer_finish(&other);
}

static void
test_transport_frames_the_same_messages_the_same_way(void)
{
	for_each_encoder(check_deterministic);
}

static void
check_ends(const struct sl_encoder *encoder, struct sl_message *const *messages)
{
	struct sl_buffer out;
	uint32_t ends[MESSAGES], before = 0;
	size_t framed = frame(encoder, messages, MESSAGES, &out, ends);
	for (size_t i = 0; i < framed; i++) {
		/* An answer is one object, however many messages are in it. */
		CU_ASSERT_TRUE(is_one_shot(encoder) ? ends[i] == out.len : ends[i] > before);
		before = ends[i];
	}
	CU_ASSERT_EQUAL(ends[framed - 1], out.len);
	if (!is_one_shot(encoder))
		CU_ASSERT_EQUAL(framed, MESSAGES);
	sl_buffer_finish(&out);
}

static void
test_transport_notes_where_each_message_ends(void)
{
	for_each_encoder(check_ends);
}

/* What follows an end is what the remaining messages are framed as by themselves. */
static void
check_cuts(const struct sl_encoder *encoder, struct sl_message *const *messages)
{
	struct sl_buffer whole, rest;
	uint32_t ends[MESSAGES], rest_ends[MESSAGES];
	if (is_one_shot(encoder))
		return;
	frame(encoder, messages, MESSAGES, &whole, ends);
	for (size_t cut = 1; cut < MESSAGES; cut++) {
		frame(encoder, messages + cut, MESSAGES - cut, &rest, rest_ends);
		CU_ASSERT_EQUAL_FATAL(whole.len - ends[cut - 1], rest.len);
		CU_ASSERT_EQUAL(memcmp(whole.bytes + ends[cut - 1], rest.bytes, rest.len), 0);
		sl_buffer_finish(&rest);
	}
	sl_buffer_finish(&whole);
}

static void
test_transport_run_cut_at_any_end_is_a_valid_rest_of_the_stream(void)
{
	for_each_encoder(check_cuts);
}

/* ---- a connection ---- */

static void
check_same_object(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	struct world_client client;
	world_open(&world, NULL);
	world_publish(&world, "a", "first");
	world_publish(&world, "a", "second");
	if (!open_form(&client, transport, raw, http_minor, "&since=EPOCH-1"))
		return;
	const char *text = raw ? "second" : "\",\"channel\":\"a\",\"time\":";
	CU_ASSERT_TRUE(holds_text(&client, text));
	CU_ASSERT_TRUE(holds_text(&client, raw ? "second" : ",\"data\":\"second\"}"));
	CU_ASSERT_FALSE(holds_text(&client, "first"));
	CU_ASSERT_EQUAL(world_class_counter(&world, transport->class, SL_CLASS_MESSAGES_OUT), 1);
	CU_ASSERT_EQUAL(world_class_counter(&world, transport->class,
		SL_CLASS_PAYLOAD_BYTES_OUT), 6);
	CU_ASSERT_EQUAL(world_class_counter(&world, transport->class, SL_CLASS_WIRE_BYTES_OUT),
		client.got.len);
	client_close(&client);
	world_close(&world);
}

static void
test_transport_carries_the_same_object_from_the_cursor_on(void)
{
	for_each_form(check_same_object);
}

static void
check_live(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	struct world_client client;
	world_open(&world, NULL);
	if (!open_form(&client, transport, raw, http_minor, "&since=EPOCH-0"))
		return;
	CU_ASSERT_EQUAL(is_one_shot(opened), (transport->capabilities & SL_ANSWERS_ONCE) != 0);
	if (is_one_shot(opened) && !(transport->capabilities & SL_HOLDS)) { /* it has been answered */
		client_close(&client);
		world_close(&world);
		return;
	}
	world_publish(&world, "a", "live one");
	world_settle(&world);
	CU_ASSERT_TRUE(holds_text(&client, "live one"));
	CU_ASSERT_EQUAL(world_class_counter(&world, transport->class, SL_CLASS_MESSAGES_OUT), 1);
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	world_close(&world);
}

static void
test_transport_delivers_what_is_published_while_it_waits(void)
{
	for_each_form(check_live);
}

static void
check_controls(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	struct world_client client;
	world_open(&world, NULL);
	if (!open_form(&client, transport, raw, http_minor, "&heartbeat=4"))
		return;
	if (is_one_shot(opened)) {
		client_close(&client);
		world_close(&world);
		return;
	}
	char open[128];
	snprintf(open, sizeof open, "\",\"transport\":\"%s\",\"heartbeat\":4,\"sent\":0,", transport->name);
	bool as_objects = !raw || holds_text(&client, open); /* sse has named events in raw too */
	CU_ASSERT_TRUE(!as_objects || holds_text(&client, open));
	CU_ASSERT_TRUE(!as_objects || holds_text(&client, "{\"type\":\"open\",\"cursor\":\""));
	sl_buffer_clear(&client.got);
	world_pass(&world, 4040);
	CU_ASSERT_TRUE(client_read(&client) > 0); /* something is heard in every format */
	CU_ASSERT_TRUE(!as_objects || holds_text(&client, "{\"type\":\"heartbeat\",\"cursor\":\""));
	sl_buffer_clear(&client.got);
	sl_control_send_mark(client.subscriber);
	world_settle(&world);
	CU_ASSERT_TRUE(client_read(&client) > 0);
	CU_ASSERT_TRUE(!as_objects || holds_text(&client, "{\"type\":\"mark\"}"));
	client_close(&client);
	world_close(&world);
}

static void
test_transport_sends_control_objects(void)
{
	for_each_form(check_controls);
}

static void
check_gap(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	static const char *const options[] = { "--history-messages=2", NULL };
	struct world_client client;
	world_open(&world, options);
	for (int i = 0; i < 5; i++)
		world_publish(&world, "a", "x");
	if (!open_form(&client, transport, raw, http_minor, "&since=EPOCH-1"))
		return;
	bool told = holds_text(&client, "{\"type\":\"gap\",\"channel\":\"a\",\"after\":\"");
	told = told || holds_text(&client, "Sluice-Gap: after=");
	client_read(&client);
	/* Where a format has no words for it, the connection ends with one: 4001. */
	told = told || (raw && holds(&client.got, "\x88\x02\x0f\xa1", 4));
	CU_ASSERT_TRUE(told);
	client_close(&client);
	world_close(&world);
}

static void
test_transport_never_hides_a_gap(void)
{
	for_each_form(check_gap);
}

static void
check_end(const struct sl_transport *transport, bool raw, unsigned http_minor)
{
	struct world_client client;
	world_open(&world, NULL);
	if (!open_form(&client, transport, raw, http_minor, "&since=EPOCH-0"))
		return;
	CU_ASSERT_TRUE(client_is_served(&client, &world));
	sl_subscriber_end(client.subscriber, SL_END_DRAINING);
	world_settle(&world);
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
	CU_ASSERT_TRUE(is_one_shot(opened) || raw || holds_text(&client,
		"{\"type\":\"bye\",\"reason\":\"draining\",\"retry\":"));
	client_close(&client);
	world_settle(&world);
	CU_ASSERT_FALSE(client_is_served(&client, &world));
	CU_ASSERT_EQUAL(world_class_counter(&world, transport->class, SL_CLASS_OPENED),
		world_class_counter(&world, transport->class, SL_CLASS_CLOSED));
	world_close(&world);
}

static void
test_transport_ends_with_its_last_words_and_a_clean_close(void)
{
	for_each_form(check_end);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_transport_names_and_paths_stand_in_the_order_of_the_design),
		UNIT_TEST(test_transport_fills_its_mandatory_slots),
		UNIT_TEST(test_transport_frames_the_same_messages_the_same_way),
		UNIT_TEST(test_transport_notes_where_each_message_ends),
		UNIT_TEST(test_transport_run_cut_at_any_end_is_a_valid_rest_of_the_stream),
		UNIT_TEST(test_transport_carries_the_same_object_from_the_cursor_on),
		UNIT_TEST(test_transport_delivers_what_is_published_while_it_waits),
		UNIT_TEST(test_transport_sends_control_objects),
		UNIT_TEST(test_transport_never_hides_a_gap),
		UNIT_TEST(test_transport_ends_with_its_last_words_and_a_clean_close),
		{ NULL, NULL },
	};
	return unit_main("transport_contract", tests);
}
