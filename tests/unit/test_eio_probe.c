#include "clients/engine_io/eio_probe.h"

#include "tests/unit/eio_knock.h"

#define UNKNOWN "{\"code\":1,\"message\":\"Session ID unknown\"}"

static void
test_a_probe_that_breaks_off_leaves_polling_as_it_was(void)
{
	begin("a");
	get();
	knock(&probe);
	client_close(&probe);
	eio_settle();
	world_publish(&world, "a", "one");
	EIO_IS(take(), "4one");
	knock(&probe);
	eio_talk(&probe, "2probe");
	EIO_IS(get(), "6");
	client_close(&probe);
	eio_settle();
	EIO_IS(get(), "");
	eio_pass(144);
	EIO_IS(take(), "");
	world_publish(&world, "a", "two");
	EIO_IS(take(), "4two");
	knock(&probe); /* another one may */
	EIO_IS(eio_talk(&probe, "2probe"), "`3probe`");
	EIO_IS(eio_talk(&probe, "5"), "");
	end();
}

static void
test_anything_but_a_five_ends_the_websocket_alone(void)
{
	struct world_client more;
	static const char *const wrong[] = { "4hello", "3", "2", "1", "6", "abc", "5x", "2probe2" };
	begin(NULL);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		knock(&probe);
		EIO_IS(eio_talk(&probe, wrong[i]), "(1003)");
		EIO_IS(knock(&more), ""); /* though the first lingers yet */
		EIO_IS(eio_talk(&more, "2probe"), "`3probe`");
		client_close(&more);
		client_close(&probe);
		eio_settle();
	}
	knock(&probe);
	eio_say(&probe, SL_WS_OPCODE_BINARY, "5");
	EIO_IS(eio_take_frames(&probe), "(1003)");
	EIO_IS(eio_body(eio_post(&poller, sid, "4on")), "ok");
	EIO_IS(get(), "4on");
	end();
}

static void
test_a_probe_has_its_time(void)
{
	eio_begin((const char *const[]){ "--engineio-upgrade-timeout=2", NULL });
	open_session(NULL);
	get();
	knock(&probe);
	eio_talk(&probe, "2probe");
	take();
	eio_pass(1984);
	EIO_IS(eio_take_frames(&probe), "");
	eio_pass(48);
	EIO_IS(eio_take_frames(&probe), "(1000)");
	client_close(&probe);
	EIO_IS(get(), "");
	eio_pass(144);
	EIO_IS(take(), "");
	end();
}

static void
test_a_second_websocket_is_closed_while_one_probes_and_when_one_has(void)
{
	struct world_client more;
	begin(NULL);
	knock(&probe);
	EIO_IS(knock(&more), "(1005)");
	client_close(&more);
	eio_talk(&probe, "2probe");
	EIO_IS(eio_talk(&probe, "5"), "");
	EIO_IS(knock(&more), "(1005)");
	client_close(&more);
	EIO_IS(eio_talk(&probe, "4hello"), "`4hello`");
	client_close(&probe);
	eio_settle();
	CU_ASSERT(http_is(knock(&more), 400)); /* it is forgotten */
	EIO_IS(get(), UNKNOWN);
	client_close(&more);
	end();
}

static void
test_a_websocket_whose_session_has_ended_is_closed(void)
{
	begin(NULL);
	knock(&probe);
	eio_talk(&probe, "2probe");
	eio_post(&poller, sid, "abc");
	EIO_IS(eio_talk(&probe, "5"), "(1013)");
	end();
}

static void
test_whoever_asks_again_and_again_asks_for_too_much(void)
{
	const char *frames = "";
	eio_begin(NULL);
	open_session(NULL);
	get();
	client_connect(&probe, &world, &(struct world_request){ .query = "", .over_tcp = true }); /* an address has limits */
	knock_from(&probe);
	world_limit_rate(&world, SL_LIMIT_REQUESTS, 20);
	for (int i = 0; i < 200 && !strchr(frames, '('); i++)
		frames = eio_talk(&probe, "2probe");
	EIO_IS(frames, "(1008)");
	EIO_IS(take(), "6");
	struct sl_eio_session *session = eio_find(is_apart ? &other : &world.shard, sid);
	CU_ASSERT_PTR_NULL(session->prober); /* polling counts again */
	end();
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

TWICE(test_a_probe_that_breaks_off_leaves_polling_as_it_was)
TWICE(test_anything_but_a_five_ends_the_websocket_alone)
TWICE(test_a_probe_has_its_time)
TWICE(test_a_second_websocket_is_closed_while_one_probes_and_when_one_has)
TWICE(test_a_websocket_whose_session_has_ended_is_closed)
TWICE(test_whoever_asks_again_and_again_asks_for_too_much)

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_probe_that_breaks_off_leaves_polling_as_it_was_wherever_it_is),
		UNIT_TEST(test_anything_but_a_five_ends_the_websocket_alone_wherever_it_is),
		UNIT_TEST(test_a_probe_has_its_time_wherever_it_is),
		UNIT_TEST(test_a_second_websocket_is_closed_while_one_probes_and_when_one_has_wherever_it_is),
		UNIT_TEST(test_a_websocket_whose_session_has_ended_is_closed_wherever_it_is),
		UNIT_TEST(test_whoever_asks_again_and_again_asks_for_too_much_wherever_it_is),
		{ NULL, NULL },
	};
	return unit_main("eio_probe", tests);
}
