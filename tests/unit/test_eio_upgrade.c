#include "clients/engine_io/eio_upgrade.h"

#include "auth/principals.h"
#include "bus/bus.h"
#include "core/owners.h"
#include "http/credentials.h"
#include "live/refusal.h"
#include "tests/unit/eio_knock.h"
#include "tests/unit/held_backend.h"
#include "tests/unit/tokens.h"
#include "util/clock.h"

#define UNKNOWN "{\"code\":1,\"message\":\"Session ID unknown\"}"
#define BAD "{\"code\":3,\"message\":\"Bad request\"}"

static void
test_a_get_that_is_held_goes_at_once_and_what_comes_then_is_on_the_websocket(void)
{
	begin("a");
	EIO_IS(get(), "");
	EIO_IS(knock(&probe), "");
	EIO_IS(take(), "");
	EIO_IS(eio_talk(&probe, "2probe"), "`3probe`");
	EIO_IS(take(), "6");
	world_publish(&world, "a", "between");
	EIO_IS(eio_talk(&probe, "5"), "`4between`");
	world_publish(&world, "a", "after");
	EIO_IS(eio_take_frames(&probe), "`4after`");
	EIO_IS(get(), BAD);
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_EIO_UPGRADES), 1);
	end();
}

static void
test_gets_while_it_is_probed_go_soon_and_take_what_there_is(void)
{
	begin("a");
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(get(), "6");
	EIO_IS(get(), "");
	eio_pass(80);
	EIO_IS(take(), "");
	eio_pass(48);
	EIO_IS(take(), "6"); /* the client would else ask on as fast as it can */
	world_publish(&world, "a", "one");
	eio_settle();
	EIO_IS(get(), "4one");
	EIO_IS(eio_talk(&probe, "5"), "");
	end();
}

static void
test_a_message_behind_the_five_is_read_when_the_socket_is_there(void)
{
	struct sl_buffer frames = SL_BUFFER_INIT;
	begin(NULL);
	eio_post(&poller, sid, "4queued\x1e" "bAQID");
	knock(&probe);
	ws_put(&frames, true, SL_WS_OPCODE_TEXT, "2probe");
	ws_put(&frames, true, SL_WS_OPCODE_TEXT, "5");
	ws_put(&frames, true, SL_WS_OPCODE_TEXT, "4one");
	ws_put(&frames, true, SL_WS_OPCODE_TEXT, "4two");
	client_send(&probe, frames.bytes, frames.len);
	sl_buffer_finish(&frames);
	EIO_IS(eio_take_frames(&probe), "`3probe``4queued`<\1\2\3>`4one``4two`");
	end();
}

static void
test_a_get_behind_the_five_is_refused_and_takes_nothing(void)
{
	begin("a");
	knock(&probe);
	eio_talk(&probe, "2probe");
	world_publish(&world, "a", "one");
	eio_say(&probe, SL_WS_OPCODE_TEXT, "5"); /* is in the socket when the GET comes */
	EIO_IS(get(), BAD);
	EIO_IS(eio_take_frames(&probe), "`4one`");
	end();
}

static void
test_the_clock_of_pings_runs_on(void)
{
	begin(NULL);
	eio_pass(320);
	EIO_IS(get(), "2");
	eio_post(&poller, sid, "3"); /* the next is due 300 later */
	eio_pass(192);
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(eio_talk(&probe, "5"), "");
	eio_pass(96);
	EIO_IS(eio_take_frames(&probe), "");
	eio_pass(48);
	EIO_IS(eio_take_frames(&probe), "`2`");
	end();
}

static void
test_it_waits_for_acks_of_publishes(void)
{
	struct held_backend *held = held_create();
	eio_begin_over(&held->base, (const char *const[]){ "--client-publish=a", NULL });
	open_session("a");
	EIO_IS(eio_body(eio_post(&poller, sid, "4mine")), "ok");
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(eio_talk(&probe, "5"), "");
	CU_ASSERT_PTR_NOT_NULL(eio_find(is_apart ? &other : &world.shard, sid));
	eio_pass(64);
	held_answer(held, 0);
	eio_pass(64);
	EIO_IS(eio_take_frames(&probe), "`4mine`");
	CU_ASSERT_PTR_NULL(eio_find(is_apart ? &other : &world.shard, sid));
	EIO_IS(eio_talk(&probe, "6"), "");
	end();
}

static void
test_a_client_that_leaves_while_it_moves_is_gone(void)
{
	struct held_backend *held = held_create();
	eio_begin_over(&held->base, (const char *const[]){ "--client-publish=a", NULL });
	open_session("a");
	eio_post(&poller, sid, "4mine");
	knock(&probe);
	eio_talk(&probe, "2probe");
	eio_talk(&probe, "5");
	EIO_IS(get(), BAD);
	client_close(&probe);
	eio_settle();
	EIO_IS(get(), UNKNOWN);
	held_answer(held, 0);
	eio_settle();
	end();
}

/* A client whose publish has no ack yet has said `5`. */
static struct held_backend *
begin_moving(void)
{
	struct held_backend *held = held_create();
	eio_begin_over(&held->base, (const char *const[]){ "--client-publish=a", NULL });
	open_session("a");
	eio_post(&poller, sid, "4mine");
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(eio_talk(&probe, "5"), "");
	return held;
}

static void
test_one_that_arrives_where_all_were_told_to_leave_is_told_too(void)
{
	struct held_backend *held = begin_moving();
	sl_shard_drain(&world.shard);
	eio_settle();
	held_answer(held, 0);
	eio_pass(64);
	const char *frames = eio_take_frames(&probe);
	CU_ASSERT_PTR_NOT_NULL(strstr(frames, is_apart ? "(1012)" : "(1013)"));
	end();
}

static void
test_nothing_moves_to_a_websocket_that_was_ended(void)
{
	struct held_backend *held = begin_moving();
	struct sl_eio_session *session = eio_find(is_apart ? &other : &world.shard, sid);
	for (struct sl_link *link = world.shard.links; link; link = link->next)
		if (sl_connection_of_link(link)->visit)
			sl_subscriber_end(&sl_connection_of_link(link)->subscriber, SL_END_TOKEN_REVOKED);
	sl_eio_socket_send(session->socket, "queued", 6, false);
	held_answer(held, 0);
	eio_pass(64);
	EIO_IS(eio_take_frames(&probe), "(4004)");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_EIO_UPGRADES), 0);
	CU_ASSERT_FALSE(sl_session_has_moved(is_apart ? &other : &world.shard,
		(struct sl_span){ sid, SL_SESSION_ID_LEN }));
	end();
}

/* A token that came later than the handshake. */
static void
become(const char *subject)
{
	struct sl_eio_session *session = eio_find(is_apart ? &other : &world.shard, sid);
	struct sl_shard *shard = session->session.subscriber.shard;
	const char *token = tokens_mint(subject, sl_clock_wall_us() / 1000000, "{\"subscribe\":[\"*\"]}");
	struct sl_refusal refusal;
	struct sl_principal *principal;
	CU_ASSERT_EQUAL_FATAL(sl_credentials_identify_text(shard, NULL, (struct sl_span){ token, strlen(token) },
		&principal, &refusal), 0);
	CU_ASSERT_EQUAL(sl_eio_socket_set_principal(session->socket, principal), 0);
	sl_principal_unref(principal);
}

static void
test_on_the_websocket_it_is_a_stream_of_its_subject(void)
{
	struct world_client more;
	tokens_open((const char *const[]){ "--anonymous-subscribe=*", NULL });
	eio_begin(NULL);
	sl_principals_set_auth(world.shard.principals, tokens_auth);
	sl_principals_set_auth(other.principals, tokens_auth);
	sl_owners_set_limits(world.http.owners, &(struct sl_limits){ .max_connections = 100, .max_per_subject = 1 });
	open_session(NULL);
	become("ann");
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(eio_talk(&probe, "5"), "");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_EIO_UPGRADES), 1);
	client_close(&poller);
	open_session(NULL);
	become("ann");
	CU_ASSERT_TRUE(http_is(knock(&more), 403)); /* and stays on polling */
	client_close(&more);
	client_close(&probe);
	EIO_IS(get(), "");
	EIO_IS(knock(&probe), "");
	EIO_IS(eio_talk(&probe, "2probe"), "`3probe`");
	EIO_IS(eio_talk(&probe, "5"), "");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_EIO_UPGRADES), 2);
	end();
	tokens_close();
}

static void
run(void (*test)(void))
{
	for (int apart = 0; apart < 2; apart++) {
		is_apart = apart;
		test();
	}
}

#define TWICE(test) static void test##_wherever_it_is(void) { run(test); }

TWICE(test_a_get_that_is_held_goes_at_once_and_what_comes_then_is_on_the_websocket)
TWICE(test_gets_while_it_is_probed_go_soon_and_take_what_there_is)
TWICE(test_a_message_behind_the_five_is_read_when_the_socket_is_there)
TWICE(test_a_get_behind_the_five_is_refused_and_takes_nothing)
TWICE(test_the_clock_of_pings_runs_on)
TWICE(test_it_waits_for_acks_of_publishes)
TWICE(test_a_client_that_leaves_while_it_moves_is_gone)
TWICE(test_one_that_arrives_where_all_were_told_to_leave_is_told_too)
TWICE(test_nothing_moves_to_a_websocket_that_was_ended)
TWICE(test_on_the_websocket_it_is_a_stream_of_its_subject)

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_get_that_is_held_goes_at_once_and_what_comes_then_is_on_the_websocket_wherever_it_is),
		UNIT_TEST(test_gets_while_it_is_probed_go_soon_and_take_what_there_is_wherever_it_is),
		UNIT_TEST(test_a_message_behind_the_five_is_read_when_the_socket_is_there_wherever_it_is),
		UNIT_TEST(test_a_get_behind_the_five_is_refused_and_takes_nothing_wherever_it_is),
		UNIT_TEST(test_the_clock_of_pings_runs_on_wherever_it_is),
		UNIT_TEST(test_it_waits_for_acks_of_publishes_wherever_it_is),
		UNIT_TEST(test_a_client_that_leaves_while_it_moves_is_gone_wherever_it_is),
		UNIT_TEST(test_one_that_arrives_where_all_were_told_to_leave_is_told_too_wherever_it_is),
		UNIT_TEST(test_nothing_moves_to_a_websocket_that_was_ended_wherever_it_is),
		UNIT_TEST(test_on_the_websocket_it_is_a_stream_of_its_subject_wherever_it_is),
		{ NULL, NULL },
	};
	return unit_main("eio_upgrade", tests);
}
