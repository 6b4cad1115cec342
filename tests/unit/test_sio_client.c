#include "clients/socket_io/sio_client.h"

#include <malloc.h>

#include "config/config.h"
#include "live/session.h"
#include "live/session_table.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/sio_world.h"

static struct world_client client;

static void
begin(void)
{
	static const char *const options[] = { "--client-publish=*", "--socketio-channel=chat", NULL };
	sio_begin(options);
	sio_open(&client, "");
}

static void
end(void)
{
	client_close(&client);
	sio_end();
}

/* The frame that a client of Socket.IO expects last: its transport closes, and nothing tells it that it may not come back. */
static void
expect_closed(const char *frames)
{
	size_t len = strlen(frames);
	CU_ASSERT_TRUE(len > 0 && frames[len - 1] == ')');
	CU_ASSERT_PTR_NULL(strstr(frames, "`41"));
	client_read(&client);
	CU_ASSERT_TRUE(client.ended);
}

static void
test_sio_client_that_breaks_the_protocol_is_closed(void)
{
	static const char *const first[] = { "42[\"a\"]", "41", "431[]", "44{}", "45", "47", "4", "40[]", "4x" };
	static const char *const later[] = { "40", "40{}", "42", "42[]", "42[\"connect\"]", "42[\"\\u0063onnect\"]", "42-1[\"a\"]",
		"44{\"message\":\"x\"}", "42/other,[\"a\"]", "41/other,", "451[\"a\"]", "450-[\"a\"]", "4511-[\"a\"]", "41{}" };
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		begin();
		expect_closed(sio_talk(&client, first[i]));
		CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_CLIENT_PROTOCOL_ERRORS), 1);
		end();
	}
	for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
		begin();
		sio_talk(&client, "40");
		expect_closed(sio_talk(&client, later[i]));
		end();
	}
}

static void
test_sio_client_is_closed_where_no_namespace_comes(void)
{
	begin();
	world_pass(&world, world.settings->config.socketio_connect_timeout_ms - 100);
	SIO_IS(sio_take(&client), "`2`"); /* of Engine.IO */
	world_pass(&world, 200);
	expect_closed(sio_take(&client));
	end();
}

/* The clock stops with the first namespace, and begins anew when the last one is left. */
static void
test_sio_client_may_take_its_time_with_a_namespace(void)
{
	static const char *const options[] = { "--socketio-connect-timeout=1", NULL };
	sio_begin(options);
	sio_open(&client, "");
	sio_talk(&client, "40");
	world_pass(&world, 5000);
	SIO_IS(sio_talk(&client, "41"), "");
	world_pass(&world, 900);
	sio_talk(&client, "40/x,");
	world_pass(&world, 5000);
	SIO_IS(sio_talk(&client, "41/x,"), "");
	world_pass(&world, 1100);
	expect_closed(sio_take(&client));
	end();
}

static void
test_sio_client_takes_attachments_after_their_packet(void)
{
	begin();
	sio_talk(&client, "40");
	SIO_IS(sio_talk(&client, "452-7[\"file\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]"), "");
	SIO_IS(sio_attach(&client, "one", 3), "");
	SIO_IS(sio_attach(&client, "", 0), "`437[{\"id\":\"EPOCH----1\"}]`"
		"`452-[\"file\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]`<one><>");
	SIO_IS(sio_talk(&client, "461-5[{\"_placeholder\":true,\"num\":0}]"), ""); /* an ack: nobody asked for one */
	SIO_IS(sio_attach(&client, "x", 1), "");
	SIO_IS(sio_talk(&client, "42[\"a\"]"), "`42[\"a\"]`");
	end();
}

static void
test_sio_client_with_attachments_that_are_not_due_is_closed(void)
{
	begin();
	sio_talk(&client, "40");
	expect_closed(sio_attach(&client, "x", 1));
	end();
	begin();
	sio_talk(&client, "40");
	sio_talk(&client, "451-[\"file\"]");
	expect_closed(sio_talk(&client, "42[\"a\"]"));
	end();
	begin(); /* a placeholder of what is not there */
	sio_talk(&client, "40");
	sio_talk(&client, "451-[\"file\",{\"_placeholder\":true,\"num\":1},2]");
	expect_closed(sio_attach(&client, "x", 1));
	end();
}

/* It may not hold memory for ever. */
static void
test_sio_client_has_a_while_for_its_attachments(void)
{
	begin();
	sio_talk(&client, "40");
	sio_talk(&client, "452-[\"file\"]");
	sio_attach(&client, "x", 1);
	world_pass(&world, world.settings->config.request_timeout_ms - 100);
	SIO_IS(sio_take(&client), "");
	world_pass(&world, 200);
	expect_closed(sio_take(&client));
	end();
}

static void
test_sio_client_with_a_packet_that_is_too_large_is_closed(void)
{
	static const char *const options[] = { "--max-message=2K", NULL };
	static char large[1600];
	memset(large, ' ', sizeof large);
	for (int i = 0; i < 2; i++) {
		sio_begin(options);
		sio_open(&client, "");
		sio_talk(&client, "40");
		if (i == 0) {
			sio_talk(&client, "453-[\"file\"]");
			SIO_IS(sio_attach(&client, large, sizeof large), "");
			expect_closed(sio_attach(&client, large, sizeof large));
		} else {
			char text[3200];
			memset(text, ' ', sizeof text);
			memcpy(text, "42[\"a\"", 6);
			strcpy(text + sizeof text - 2, "]");
			expect_closed(sio_talk(&client, text));
		}
		end();
	}
}

static void
test_sio_client_is_gone_from_a_namespace_that_it_leaves(void)
{
	struct world_client other;
	begin();
	sio_open(&other, "");
	sio_talk(&client, "40");
	sio_talk(&client, "40/x,");
	sio_talk(&other, "40/x,");
	SIO_IS(sio_talk(&client, "41/x,"), "");
	SIO_IS(sio_talk(&other, "42/x,[\"a\"]"), "`42/x,[\"a\"]`");
	SIO_IS(sio_take(&client), "");
	sio_talk(&client, "40/x,");
	SIO_IS(sio_talk(&other, "42/x,[\"b\"]"), "`42/x,[\"b\"]`");
	SIO_IS(sio_take(&client), "`42/x,[\"b\"]`");
	client_close(&other);
	end();
}

static void
say_if_open(unsigned opcode, const char *text)
{
	client_read(&client);
	if (!client.ended)
		sio_say_bytes(&client, opcode, text, strlen(text));
	world_settle(&world);
}

/* Nothing of it is left, wherever memory ran out; and it is never told that it may not come back. */
static void
test_sio_client_without_memory_is_closed(void)
{
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		begin();
		sio_talk(&client, "40");
		client.got.len = 0;
		CU_ASSERT_EQUAL_FATAL(sl_buffer_reserve(&client.got, 8192), 0); /* the test's own */
		failing_again(&failing);
		say_if_open(SL_WS_OPCODE_TEXT, "40/x,");
		say_if_open(SL_WS_OPCODE_TEXT, "451-[\"f\",{\"_placeholder\":true,\"num\":0}]");
		say_if_open(SL_WS_OPCODE_BINARY, "x");
		failing_alloc_off();
		CU_ASSERT_PTR_NULL(strstr(sio_take(&client), "`41"));
		end();
	}
}

/* ---- memory of those that poll ---- */

#define MANY 500
#define EACH_BYTES_MAX 819 /* 0.8 KiB, all in all: with its session, its namespace and its channel */

static const char *
ask(const char *method, const char *id, const char *body)
{
	char request[512];
	snprintf(request, sizeof request, "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: %zu\r\n\r\n%s", method, *id ? "&sid=" : "", id, strlen(body), body);
	client_send(&client, request, strlen(request));
	world_settle(&world);
	return http_take(&client, &world);
}

static void
connect_many(void)
{
	char id[SL_SESSION_ID_LEN + 1];
	for (unsigned i = 0; i < MANY; i++) {
		const char *sid = strstr(ask("GET", "", ""), "\"sid\":\"");
		CU_ASSERT_EQUAL_FATAL(sid ? sscanf(sid, "\"sid\":\"%20[A-Za-z0-9_-]\"", id) : 0, 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(ask("POST", id, "40"), "ok"));
		CU_ASSERT_PTR_NOT_NULL(strstr(ask("GET", id, ""), "40{\"sid\""));
	}
}

static void
abandon(void)
{
	world_pass(&world, 60000); /* more than the clock of their pings; then the channel goes, too */
	sl_fanout_sweep(&world.shard);
	CU_ASSERT_FALSE(sl_session_table_has_any(&world.shard.sessions));
}

static size_t
count_heap(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void
test_sio_client_that_polls_costs_little_and_gives_it_all_back(void)
{
	static const char *const options[] = { "--socketio-channel=chat", NULL };
	sio_begin(options);
	http_connect(&client, &world);
	connect_many(); /* what there is once, and what the allocator keeps for next time */
	abandon();
	client_close(&client);
	world_settle(&world);
	http_connect(&client, &world);
	long live = failing_alloc_live();
	size_t before = count_heap();
	connect_many();
	size_t each = (count_heap() - before) / MANY;
	if (before > 0) { /* a sanitizer's allocator does not say */
		printf("%zu bytes ", each);
		CU_ASSERT_TRUE(each > sizeof(struct sl_session) && each <= EACH_BYTES_MAX);
	}
	client_close(&client);
	abandon();
	world_settle(&world);
	http_connect(&client, &world);
	CU_ASSERT_EQUAL(failing_alloc_live(), live);
	client_close(&client);
	sio_end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_client_that_breaks_the_protocol_is_closed),
		UNIT_TEST(test_sio_client_is_closed_where_no_namespace_comes),
		UNIT_TEST(test_sio_client_may_take_its_time_with_a_namespace),
		UNIT_TEST(test_sio_client_takes_attachments_after_their_packet),
		UNIT_TEST(test_sio_client_with_attachments_that_are_not_due_is_closed),
		UNIT_TEST(test_sio_client_has_a_while_for_its_attachments),
		UNIT_TEST(test_sio_client_with_a_packet_that_is_too_large_is_closed),
		UNIT_TEST(test_sio_client_is_gone_from_a_namespace_that_it_leaves),
		UNIT_TEST(test_sio_client_without_memory_is_closed),
		UNIT_TEST(test_sio_client_that_polls_costs_little_and_gives_it_all_back),
		{ NULL, NULL },
	};
	return unit_main("sio_client", tests);
}
