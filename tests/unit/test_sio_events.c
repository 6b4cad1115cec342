#include "clients/socket_io/sio_events.h"

#include "tests/unit/failing_alloc.h"
#include "tests/unit/sio_world.h"

static struct world_client one, two;

static void
begin_with(const char *const *options)
{
	sio_begin(options);
	sio_open(&one, "");
	sio_open(&two, "");
	sio_talk(&one, "40/chat,");
	sio_talk(&two, "40/chat,");
}

static void
begin(void)
{
	static const char *const options[] = { "--client-publish=chat", "--client-publish=open.*", NULL };
	begin_with(options);
}

static void
end(void)
{
	client_close(&one);
	client_close(&two);
	sio_end();
}

static void
test_sio_events_are_relayed_to_all_of_the_namespace(void)
{
	begin();
	SIO_IS(sio_talk(&one, "42/chat,[\"chat message\",\"hello\"]"), "`42/chat,[\"chat message\",\"hello\"]`");
	SIO_IS(sio_take(&two), "`42/chat,[\"chat message\",\"hello\"]`");
	SIO_IS(sio_talk(&one, "42/chat,[\"several\",1,{\"two\":[2]},null]"), "`42/chat,[\"several\",1,{\"two\":[2]},null]`");
	SIO_IS(sio_take(&two), "`42/chat,[\"several\",1,{\"two\":[2]},null]`");
	SIO_IS(sio_talk(&one, "42/chat,[\"none\"]"), "`42/chat,[\"none\"]`");
	SIO_IS(sio_talk(&one, "42/chat,[5,\"x\"]"), "`42/chat,[\"5\",\"x\"]`");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_RELAYED), 4);
	end();
}

static void
test_sio_events_are_acknowledged_with_their_id(void)
{
	begin();
	SIO_IS(sio_talk(&one, "42/chat,0[\"a\"]"), "`43/chat,0[{\"id\":\"EPOCH----1\"}]``42/chat,[\"a\"]`");
	SIO_IS(sio_talk(&one, "42/chat,012[\"a\"]"), "`43/chat,12[{\"id\":\"EPOCH----2\"}]``42/chat,[\"a\"]`");
	SIO_IS(sio_talk(&one, "42/chat,999999999[\"publish\",\"open.x\",1]"), "`43/chat,999999999[{\"id\":\"EPOCH----3\"}]`");
	SIO_IS(sio_take(&two), "`42/chat,[\"a\"]``42/chat,[\"a\"]`");
	end();
}

static void
test_sio_events_subscribe_and_unsubscribe(void)
{
	begin();
	SIO_IS(sio_talk(&one, "42/chat,1[\"subscribe\",\"a,\\\"b\\\"\"]"),
		"`43/chat,1[{\"channels\":[\"a,\\\"b\\\"\"],\"cursor\":\"EPOCH----0\"}]`");
	SIO_IS(sio_talk(&one, "42/chat,2[\"subscribe\",[\"c\",\"d\"],null]"),
		"`43/chat,2[{\"channels\":[\"c\",\"d\"],\"cursor\":\"EPOCH----0\"}]`");
	sio_publish("a,\"b\"", "n", "1");
	sio_publish("d", "n", "2");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",1]``42/chat,[\"n\",2]`");
	SIO_IS(sio_talk(&one, "42/chat,3[\"unsubscribe\",[\"d\",\"never\"]]"),
		"`43/chat,3[{\"channels\":[\"d\",\"never\"],\"cursor\":\"EPOCH----2\"}]`");
	sio_publish("d", "n", "3");
	sio_publish("c", "n", "4");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",4]`");
	SIO_IS(sio_talk(&one, "42/chat,[\"subscribe\",\"d\"]"), ""); /* without an ack */
	sio_publish("d", "n", "5");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",5]`");
	end();
}

static void
test_sio_events_subscribe_from_a_cursor_on(void)
{
	char text[128];
	begin();
	sio_publish("a", "n", "1");
	sio_publish("a", "n", "2");
	sio_publish("chat", "n", "3");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",3]`");
	snprintf(text, sizeof text, "42/chat,1[\"subscribe\",\"a\",{\"since\":\"%08x-1\"}]",
		(unsigned)sl_bus_head(world.bus).epoch);
	SIO_IS(sio_talk(&one, text), "`43/chat,1[{\"channels\":[\"a\"],\"cursor\":\"EPOCH----1\"}]``42/chat,[\"n\",2]`");
	SIO_IS(sio_talk(&two, "42/chat,1[\"subscribe\",\"a\",{\"since\":\"0\"}]"),
		"`42/chat,[\"n\",3]``43/chat,1[{\"channels\":[\"a\"],\"cursor\":\"EPOCH----0\"}]``42/chat,[\"n\",1]``42/chat,[\"n\",2]`");
	SIO_IS(sio_talk(&two, "42/chat,2[\"subscribe\",\"b\",{\"since\":\"00000001-1\"}]"), /* of another log: all there is */
		"`43/chat,2[{\"channels\":[\"b\"],\"cursor\":\"EPOCH----0\",\"lost\":true}]`");
	end();
}

static void
test_sio_events_publish_to_any_channel(void)
{
	begin();
	sio_talk(&two, "42/chat,[\"subscribe\",\"open.x\"]");
	SIO_IS(sio_talk(&one, "42/chat,1[\"publish\",\"open.x\",{\"a\":1},\"named\"]"), "`43/chat,1[{\"id\":\"EPOCH----1\"}]`");
	SIO_IS(sio_take(&two), "`42/chat,[\"named\",{\"a\":1}]`");
	sio_talk(&one, "42/chat,[\"publish\",\"open.x\",\"text\",null]");
	const char *frames = sio_take(&two);
	CU_ASSERT_EQUAL(strncmp(frames, "`42/chat,[\"message\",{\"id\":\"EPOCH----2\",\"channel\":\"open.x\"", 56), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(frames, "\"data\":\"text\"}]`"));
	sio_talk(&one, "451-/chat,[\"publish\",\"open.x\",{\"_placeholder\":true,\"num\":0},\"bytes\"]");
	SIO_IS(sio_attach(&one, "abc", 3), "");
	SIO_IS(sio_take(&two), "`451-/chat,[\"bytes\",{\"_placeholder\":true,\"num\":0}]`<abc>");
	end();
}

static void
test_sio_events_that_are_refused_say_why(void)
{
	static const struct { const char *event, *code; } cases[] = {
		{ "[\"publish\",\"news\",1]", "forbidden" }, { "[\"publish\",\"chat\"]", "bad_request" },
		{ "[\"publish\",\"chat\",1,\"n\",2]", "bad_request" }, { "[\"publish\",7,1]", "bad_channel" },
		{ "[\"publish\",\"*\",1]", "bad_channel" }, { "[\"publish\",\"chat\",1,\"\"]", "bad_event" },
		{ "[\"publish\",\"chat\",1,[]]", "bad_event" }, { "[\"subscribe\"]", "bad_channel" }, { "[\"subscribe\",[]]", "no_channels" },
		{ "[\"subscribe\",1]", "bad_channel" }, { "[\"subscribe\",[\"\"]]", "bad_channel" },
		{ "[\"subscribe\",\"a\",{\"since\":\"x\"}]", "bad_cursor" }, { "[\"subscribe\",\"a\",{\"since\":0.5}]", "bad_cursor" },
		{ "[\"subscribe\",\"a\",1]", "bad_cursor" }, { "[\"subscribe\",\"a\",{},1]", "bad_channel" },
		{ "[\"unsubscribe\",\"a\",{}]", "bad_channel" }, { "[\"\",1]", "bad_event" }, { "[\"a\\nb\"]", "bad_event" },
		{ "[\"a\",[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "too_deep" },
	};
	static const char *const options[] = { "--client-publish=chat", "--max-json-depth=32", NULL };
	begin_with(options);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		snprintf(text, sizeof text, "42/chat,7%s", cases[i].event);
		const char *frames = sio_talk(&one, text);
		snprintf(text, sizeof text, "`43/chat,7[{\"error\":{\"code\":\"%s\",\"message\":\"", cases[i].code);
		if (strncmp(frames, text, strlen(text)) != 0)
			fprintf(stderr, "%s: %s\n", cases[i].event, frames);
		CU_ASSERT_EQUAL(strncmp(frames, text, strlen(text)), 0);
		CU_ASSERT_STRING_EQUAL(frames + strlen(frames) - 5, "\"}}]`");
	}
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_REFUSED_EVENTS), sizeof cases / sizeof *cases);
	SIO_IS(sio_talk(&one, "42/chat,[\"publish\",\"news\",1]"), ""); /* nobody to tell */
	SIO_IS(sio_take(&two), "");
	end();
}

/* Off without permission, in every namespace. */
static void
test_sio_events_need_leave_to_be_relayed(void)
{
	begin_with(NULL);
	const char *frames = sio_talk(&one, "42/chat,1[\"a\"]");
	SIO_IS(frames, "`43/chat,1[{\"error\":{\"code\":\"forbidden\",\"message\":\"a client of another library may not publish to chat; use a token, or --client-publish at the gateway\"}}]`");
	sio_talk(&one, "40");
	SIO_IS(sio_talk(&one, "421[\"a\"]"),
		"`431[{\"error\":{\"code\":\"no_channel\",\"message\":\"this namespace has no channel for the event; use a namespace with a channel\"}}]`");
	end();
}

static void
test_sio_events_data_larger_than_a_message_is_refused(void)
{
	static const char *const options[] = { "--client-publish=chat", "--max-message=1K", NULL };
	char text[1400];
	begin_with(options);
	memset(text, 'x', sizeof text);
	memcpy(text, "42/chat,1[\"a\",\"", 15);
	strcpy(text + sizeof text - 3, "\"]");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&one, text), "\"code\":\"too_large\""));
	end();
}

static void
test_sio_events_of_a_channel_in_two_namespaces_come_in_each(void)
{
	begin();
	sio_talk(&one, "40/other,{\"channels\":\"chat\"}");
	sio_publish("chat", "n", "1");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",1]``42/other,[\"n\",1]`");
	sio_talk(&one, "42/other,[\"unsubscribe\",\"chat\"]");
	sio_publish("chat", "n", "2");
	SIO_IS(sio_take(&one), "`42/chat,[\"n\",2]`");
	end();
}

static void
test_sio_events_without_memory_harm_nobody(void)
{
	static const char *const events[] = { "42/chat,1[\"a\",1,2]", "42/chat,2[\"subscribe\",[\"x\",\"y\"]]",
		"42/chat,3[\"publish\",\"open.x\",1,\"n\"]", "42/chat,4[\"unsubscribe\",\"x\"]", "42/chat,5[\"publish\",\"news\",1]" };
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		for_each_failing_allocation(failing) {
			failing_alloc_off();
			begin();
			failing_again(&failing);
			sio_say_bytes(&one, SL_WS_OPCODE_TEXT, events[i], strlen(events[i]));
			world_settle(&world);
			failing_alloc_off();
			CU_ASSERT_PTR_NULL(strstr(sio_take(&one), "`41"));
			end();
		}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_events_are_relayed_to_all_of_the_namespace),
		UNIT_TEST(test_sio_events_are_acknowledged_with_their_id),
		UNIT_TEST(test_sio_events_subscribe_and_unsubscribe),
		UNIT_TEST(test_sio_events_subscribe_from_a_cursor_on),
		UNIT_TEST(test_sio_events_publish_to_any_channel),
		UNIT_TEST(test_sio_events_that_are_refused_say_why),
		UNIT_TEST(test_sio_events_need_leave_to_be_relayed),
		UNIT_TEST(test_sio_events_data_larger_than_a_message_is_refused),
		UNIT_TEST(test_sio_events_of_a_channel_in_two_namespaces_come_in_each),
		UNIT_TEST(test_sio_events_without_memory_harm_nobody),
		{ NULL, NULL },
	};
	return unit_main("sio_events", tests);
}
