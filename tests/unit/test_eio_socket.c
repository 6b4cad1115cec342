#include "clients/engine_io/eio_socket.h"

#include "clients/engine_io/eio_encoders.h"
#include "clients/engine_io/eio_family.h"
#include "tests/unit/eio_world.h"
#include "util/err.h"

/* A user that notes what it is told; its state is what it was told last. */
struct state {
	char last[64];
};

static unsigned opened, timed, moved, closed;
static int open_result;
static bool replies, closes;

static int
open_toy(struct sl_eio_socket *socket, const struct sl_request *request)
{
	const struct state *state = sl_eio_socket_get_state(socket);
	CU_ASSERT_STRING_EQUAL(state->last, ""); /* it is zeroed */
	CU_ASSERT_PTR_NOT_NULL(request);
	opened++;
	return open_result;
}

static void
on_message(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary)
{
	struct state *state = sl_eio_socket_get_state(socket);
	snprintf(state->last, sizeof state->last, "%s%.*s", is_binary ? "binary " : "", (int)len, bytes);
	if (closes)
		sl_eio_socket_close(socket, SL_END_REFUSED);
	if (replies)
		CU_ASSERT_EQUAL(sl_eio_socket_send(socket, state->last, strlen(state->last), false), !closes);
}

static void
on_moved(struct sl_eio_socket *socket)
{
	CU_ASSERT_PTR_EQUAL(sl_eio_socket_get_shard(socket), &world.shard);
	CU_ASSERT_PTR_NOT_NULL(sl_eio_socket_get_subscriber(socket)->link);
	moved++;
}

static void
on_timer(struct sl_eio_socket *socket)
{
	sl_eio_socket_send(socket, "time", 4, false);
	timed++;
}

static void
on_close(struct sl_eio_socket *socket)
{
	CU_ASSERT_TRUE(sl_eio_socket_is_closing(socket));
	CU_ASSERT_FALSE(sl_eio_socket_send(socket, "late", 4, false));
	closed++;
}

static const struct sl_eio_user toy = {
	.get_encoder = sl_eio_encoders_get_raw, .state_size = sizeof(struct state), .open = open_toy,
	.on_message = on_message, .on_moved = on_moved, .on_timer = on_timer, .on_close = on_close,
};
static const struct sl_eio_family family = SL_EIO_FAMILY(&toy, "engine.io/");
static const struct sl_route toy_routes[] = {
	SL_EIO_FAMILY_ROUTE("engine.io/", family, sl_eio_query_names), { .path = NULL },
};

static struct world_client client, probe;
static char id[SL_SESSION_ID_LEN + 1];

static void
begin(void)
{
	static const struct sl_route *const lists[] = { toy_routes, NULL };
	opened = timed = moved = closed = 0;
	open_result = 0;
	replies = closes = false;
	eio_begin(NULL);
	world.http.routes = (struct sl_routes){ lists };
	http_connect(&client, &world);
	http_connect(&probe, &world);
}

static void
end(void)
{
	client_close(&client);
	client_close(&probe);
	eio_end();
}

static struct sl_eio_socket *
open_session(void)
{
	eio_open(&client, "", id);
	struct sl_eio_socket *socket = eio_find(&world.shard, id)->socket;
	CU_ASSERT_STRING_EQUAL(sl_eio_socket_get_id(socket), id);
	CU_ASSERT_PTR_EQUAL(sl_eio_socket_get_shard(socket), &world.shard);
	return socket;
}

static void
test_its_user_has_what_its_client_says(void)
{
	begin();
	struct sl_eio_socket *socket = open_session();
	const struct state *state = sl_eio_socket_get_state(socket);
	eio_post(&client, id, "4hello");
	CU_ASSERT_STRING_EQUAL(state->last, "hello");
	eio_post(&client, id, "bYWI=");
	CU_ASSERT_STRING_EQUAL(state->last, "binary ab");
	eio_post(&client, id, "6");
	CU_ASSERT_STRING_EQUAL(state->last, "binary ab");
	end();
	CU_ASSERT_EQUAL(opened, 1);
	CU_ASSERT_EQUAL(closed, 1);
}

static void
test_a_user_that_refuses_is_not_told_of_the_end(void)
{
	begin();
	open_result = SL_EFORBIDDEN;
	const char *answer = eio_ask(&client, "GET", "EIO=4&transport=polling", "", "");
	CU_ASSERT(http_is(answer, 403));
	CU_ASSERT_EQUAL(strncmp(eio_body(answer), "{\"code\":4,", 10), 0);
	answer = eio_upgrade(&probe, "EIO=4&transport=websocket");
	CU_ASSERT(http_is(answer, 403));
	CU_ASSERT_EQUAL(opened, 2);
	CU_ASSERT_EQUAL(closed, 0);
	end();
	CU_ASSERT_EQUAL(closed, 0);
}

static void
test_it_may_be_closed_while_its_user_is_at_work_on_it(void)
{
	begin();
	open_session();
	replies = closes = true;
	EIO_IS(eio_body(eio_post(&client, id, "4a\x1e" "4b")), "ok");
	CU_ASSERT_EQUAL(closed, 1);
	CU_ASSERT_PTR_NULL(eio_find(&world.shard, id));
	eio_upgrade(&probe, "EIO=4&transport=websocket");
	EIO_IS(eio_talk(&probe, "4a"), "(1013)");
	client_close(&probe);
	eio_settle();
	CU_ASSERT_EQUAL(closed, 2);
	end();
}

static void
test_its_users_timer_fires_once(void)
{
	begin();
	struct sl_eio_socket *socket = open_session();
	eio_body(eio_get(&client, id));
	sl_eio_socket_set_user_timer(socket, world.shard.loop.now_ms + 100);
	eio_pass(96);
	CU_ASSERT_EQUAL(timed, 0);
	eio_pass(48);
	CU_ASSERT_EQUAL(timed, 1);
	EIO_IS(eio_body(eio_take(&client)), "4time");
	sl_eio_socket_set_user_timer(socket, world.shard.loop.now_ms + 100);
	sl_eio_socket_set_user_timer(socket, 0);
	eio_pass(200);
	CU_ASSERT_EQUAL(timed, 1);
	end();
}

/* Returns the frames that come when it has moved. */
static const char *
move(void)
{
	char query[128];
	snprintf(query, sizeof query, "EIO=4&transport=websocket&sid=%s", id);
	eio_upgrade(&probe, query);
	EIO_IS(eio_talk(&probe, "2probe"), "`3probe`");
	return eio_talk(&probe, "5");
}

static void
test_it_moves_with_its_state_and_its_timer(void)
{
	for (int apart = 0; apart < 2; apart++) {
		begin();
		struct sl_eio_socket *socket = apart ? eio_open_other(&toy, NULL, id)->socket : open_session();
		struct state *state = sl_eio_socket_get_state(socket);
		strcpy(state->last, "before");
		sl_eio_socket_set_user_timer(socket, world.shard.loop.now_ms + 100);
		EIO_IS(move(), "");
		CU_ASSERT_EQUAL(moved, 1);
		CU_ASSERT_STRING_EQUAL(((struct state *)sl_eio_socket_get_state(socket))->last, "before");
		eio_pass(144);
		CU_ASSERT_EQUAL(timed, 1);
		EIO_IS(eio_take_frames(&probe), "`4time`");
		replies = true;
		EIO_IS(eio_talk(&probe, "4hello"), "`4hello`");
		CU_ASSERT_EQUAL(closed, 0);
		client_close(&probe);
		eio_settle();
		CU_ASSERT_EQUAL(closed, 1);
		end();
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_its_user_has_what_its_client_says),
		UNIT_TEST(test_a_user_that_refuses_is_not_told_of_the_end),
		UNIT_TEST(test_it_may_be_closed_while_its_user_is_at_work_on_it),
		UNIT_TEST(test_its_users_timer_fires_once),
		UNIT_TEST(test_it_moves_with_its_state_and_its_timer),
		{ NULL, NULL },
	};
	return unit_main("eio_socket", tests);
}
