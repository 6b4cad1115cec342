#include "clients/socket_io/sio_refusal.h"

#include "clients/socket_io/sio_client.h"
#include "core/owners.h"
#include "live/refusal.h"
#include "live/verbs.h"
#include "tests/unit/sio_world.h"
#include "util/err.h"

static struct world_client client;

/* Its owner may join so many channels a second. */
static void
begin(unsigned rate)
{
	sio_begin(NULL);
	sio_limit(rate);
	sio_open(&client, "");
	sio_own(&client);
}

static void
end(void)
{
	client_close(&client);
	sio_end();
}

static void
test_sio_refusal_is_passing_where_a_later_try_may_do_better(void)
{
	static const int passing[] = { SL_ELIMITED, SL_ENOMEM, SL_EIO, SL_EFULL, SL_EBACKEND, SL_EDRAINING };
	static const int final[] = { SL_EFORBIDDEN, SL_EINVAL, SL_EUTF8, SL_ENOENT };
	struct sl_refusal refusal;
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
		sl_refusal_set_err(&refusal, passing[i]);
		CU_ASSERT_TRUE(sl_sio_refusal_is_passing(&refusal, passing[i]));
	}
	for (size_t i = 0; i < sizeof final / sizeof *final; i++) {
		sl_refusal_set_err(&refusal, final[i]);
		CU_ASSERT_FALSE(sl_sio_refusal_is_passing(&refusal, final[i]));
	}
	CU_ASSERT_FALSE(sl_sio_refusal_is_passing(&sl_verbs_too_many_channels, SL_EFULL));
}

static void
test_sio_refusal_for_a_passing_reason_closes_the_transport(void)
{
	begin(1);
	sio_spend(&client);
	SIO_IS(sio_talk(&client, "40/x,"), "(1013)");
	CU_ASSERT_EQUAL(world_counter(&world, SL_COUNTER_SIO_CONNECT_ERRORS), 1);
	end();
}

static void
test_sio_refusal_for_a_passing_reason_spares_other_namespaces(void)
{
	begin(1);
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/x,"), "sid"));
	sio_spend(&client);
	const char *frames = sio_talk(&client, "40/y,");
	CU_ASSERT_PTR_NOT_NULL(strstr(frames, "`44/y,{\"message\":\"more channels subscribed to than --subscribe-rate allows"));
	CU_ASSERT_PTR_NOT_NULL(strstr(frames, "\"data\":{\"code\":\"rate_limited\",\"retry\":"));
	sio_publish("x", "n", "1");
	SIO_IS(sio_take(&client), "`42/x,[\"n\",1]`");
	end();
}

static void
test_sio_refusal_says_when_to_retry_where_no_limit_does(void)
{
	struct sl_refusal refusal;
	begin(0);
	sio_talk(&client, "40/x,");
	struct sl_eio_socket *socket = sio_socket(&client);
	sl_refusal_set_err(&refusal, SL_EFULL);
	sl_sio_refusal_send(socket, (struct sl_span){ "/y", 2 }, &refusal, SL_EFULL);
	SIO_IS(sio_take(&client), "`44/y,{\"message\":\"a limit is reached; try again later\","
		"\"data\":{\"code\":\"limit\",\"retry\":5000}}`");
	sl_refusal_set(&refusal, "forbidden", "no");
	sl_sio_refusal_send(socket, (struct sl_span){ "/y", 2 }, &refusal, SL_EFORBIDDEN);
	SIO_IS(sio_take(&client), "`44/y,{\"message\":\"no\",\"data\":{\"code\":\"forbidden\"}}`");
	end();
}

static void
test_sio_refusal_for_good_is_told_though_no_namespace_is_connected(void)
{
	begin(1);
	SIO_IS(sio_talk(&client, "40/a*,"), "`44/a*,{\"message\":\"Invalid namespace\"}`");
	CU_ASSERT_PTR_NOT_NULL(strstr(sio_talk(&client, "40/x,"), "sid"));
	end();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_refusal_is_passing_where_a_later_try_may_do_better),
		UNIT_TEST(test_sio_refusal_for_a_passing_reason_closes_the_transport),
		UNIT_TEST(test_sio_refusal_for_a_passing_reason_spares_other_namespaces),
		UNIT_TEST(test_sio_refusal_says_when_to_retry_where_no_limit_does),
		UNIT_TEST(test_sio_refusal_for_good_is_told_though_no_namespace_is_connected),
		{ NULL, NULL },
	};
	return unit_main("sio_refusal", tests);
}
