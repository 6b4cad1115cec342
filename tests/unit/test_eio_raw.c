#include "clients/engine_io/eio_raw.h"

#include "tests/unit/eio_world.h"

static struct world_client client;
static char id[SL_SESSION_ID_LEN + 1];

#define UNKNOWN "{\"code\":1,\"message\":\"Session ID unknown\"}"

static void
begin(const char *query)
{
	eio_begin((const char *const[]){ "--max-message=100", "--client-publish=a", "--client-publish=b", NULL });
	http_connect(&client, &world);
	eio_open(&client, query, id);
}

static void
end(void)
{
	client_close(&client);
	eio_end();
}

static const char *
post(const char *payload)
{
	return eio_body(eio_post(&client, id, payload));
}

static const char *
get(void)
{
	return eio_body(eio_get(&client, id));
}

static void
test_without_a_channel_each_message_comes_back_to_its_sender_alone(void)
{
	begin("");
	EIO_IS(post("4a\x1e" "bAQID"), "ok");
	EIO_IS(get(), "4a\x1e" "bAQID");
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
}

static void
test_with_one_channel_messages_are_published_there(void)
{
	struct world_client reader;
	begin("channels=a");
	client_open_stream(&reader, &world, "channels=a");
	EIO_IS(post("4one\x1e" "bAQID"), "ok");
	EIO_IS(get(), "4one\x1e" "bAQID");
	CU_ASSERT_PTR_NOT_NULL(strstr(client_take_text(&reader, &world), "\"channel\":\"a\""));
	CU_ASSERT_EQUAL(world_head(&world), 2);
	client_close(&reader);
	end();
}

static void
test_with_several_channels_its_client_listens_only(void)
{
	begin("channel=a&channel=b");
	world_publish(&world, "a", "1");
	world_publish(&world, "b", "2");
	eio_settle();
	EIO_IS(get(), "41\x1e" "42");
	EIO_IS(post("4which"), "ok");
	EIO_IS(get(), UNKNOWN);
	CU_ASSERT_EQUAL(world_head(&world), 2);
	end();
}

static void
test_without_a_token_it_publishes_only_what_the_operator_says(void)
{
	begin("channels=c");
	EIO_IS(post("4one"), "ok");
	EIO_IS(get(), UNKNOWN);
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
}

static void
test_a_message_that_is_refused_ends_it(void)
{
	static char large[104] = "4";
	memset(large + 1, 'x', 101);
	begin("channels=a");
	EIO_IS(post(large), "ok");
	EIO_IS(get(), UNKNOWN);
	CU_ASSERT_EQUAL(world_head(&world), 0);
	end();
}

static void
test_a_handshake_for_what_may_not_be_had_is_refused(void)
{
	begin("");
	const char *answer = eio_ask(&client, "GET", "channels=%2A&EIO=4&transport=polling", "", "");
	CU_ASSERT(http_is(answer, 400));
	CU_ASSERT_PTR_NOT_NULL(strstr(eio_body(answer), "{\"code\":3,\"message\":\""));
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_without_a_channel_each_message_comes_back_to_its_sender_alone),
		UNIT_TEST(test_with_one_channel_messages_are_published_there),
		UNIT_TEST(test_with_several_channels_its_client_listens_only),
		UNIT_TEST(test_without_a_token_it_publishes_only_what_the_operator_says),
		UNIT_TEST(test_a_message_that_is_refused_ends_it),
		UNIT_TEST(test_a_handshake_for_what_may_not_be_had_is_refused),
		{ NULL, NULL },
	};
	return unit_main("eio_raw", tests);
}
