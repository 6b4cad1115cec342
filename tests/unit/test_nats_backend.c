#include "bus/nats_backend.h"

#include <signal.h>

#include "tests/unit/nats_gateway.h"

static void
test_nats_backend_gateways_share_a_log(void)
{
	struct nats_gateway one, other;
	struct sl_cursor id;
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&one, NULL), 0);
	CU_ASSERT_TRUE(sl_bus_ready(one.bus));
	CU_ASSERT_EQUAL(nats_gateway_publish(&one, "first", &id), 0);
	CU_ASSERT_EQUAL(id.seq, 1);
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&other, NULL), 0);
	CU_ASSERT_EQUAL(sl_bus_head(other.bus).seq, 1);
	CU_ASSERT_EQUAL(sl_bus_head(other.bus).epoch, sl_bus_head(one.bus).epoch);
	CU_ASSERT_EQUAL(nats_gateway_publish(&other, "second", &id), 0);
	CU_ASSERT_EQUAL(id.seq, 2);
	place_await(sl_bus_head(one.bus).seq == 2);
	nats_gateway_close(&one);
	CU_ASSERT_EQUAL(nats_gateway_publish(&other, "third", &id), 0);
	nats_gateway_close(&other);
}

static void
test_nats_backend_buses_are_apart(void)
{
	const char *const options[] = { "--nats-bus", "another", NULL };
	struct nats_gateway one, other;
	struct sl_cursor id;
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&one, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&other, options), 0);
	CU_ASSERT_NOT_EQUAL(sl_bus_head(other.bus).epoch, sl_bus_head(one.bus).epoch);
	CU_ASSERT_EQUAL(sl_bus_head(other.bus).seq, 0);
	CU_ASSERT_EQUAL(nats_gateway_publish(&one, "text", &id), 0);
	CU_ASSERT_EQUAL(sl_bus_head(other.bus).seq, 0);
	nats_gateway_close(&one);
	nats_gateway_close(&other);
}

/* A cursor above the head may be right for some time, since others publish too. */
static void
test_nats_backend_believes_cursors_that_the_log_may_have_reached(void)
{
	struct nats_gateway gateway;
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&gateway, NULL), 0);
	uint64_t head = sl_bus_head(gateway.bus).seq;
	CU_ASSERT_FALSE(sl_bus_is_above_log(gateway.bus, head + 1000));
	CU_ASSERT_TRUE(sl_bus_is_above_log(gateway.bus, UINT64_MAX));
	nats_gateway_close(&gateway);
}

static void
test_nats_backend_is_away_while_its_server_is_stopped(void)
{
	struct nats_gateway gateway;
	struct sl_bus_stats stats;
	struct sl_cursor id;
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&gateway, NULL), 0);
	nats_server_pause(&place_server);
	place_await(!sl_bus_ready(gateway.bus));
	place_await((sl_bus_get_stats(gateway.bus, &stats), stats.backend.away_ms > 0));
	CU_ASSERT_FALSE(stats.backend.connected);
	nats_server_resume(&place_server);
	place_await(sl_bus_ready(gateway.bus));
	CU_ASSERT_EQUAL(nats_gateway_publish(&gateway, "again", &id), 0);
	nats_gateway_close(&gateway);
}

static void
test_nats_backend_leaves_a_silent_server_for_another(void)
{
	struct nats_server other;
	struct nats_gateway gateway;
	struct sl_bus_stats stats;
	CU_ASSERT_EQUAL_FATAL(nats_server_start(&other), 0);
	const char *const options[] = { "--nats", other.url, NULL };
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&gateway, options), 0);
	nats_server_pause(&place_server);
	place_await((sl_bus_get_stats(gateway.bus, &stats), stats.backend.reconnects > 0));
	nats_gateway_close(&gateway); /* also while it connects to the silent one */
	nats_server_resume(&place_server);
	nats_server_stop(&other);
}

static void
test_nats_backend_that_finds_no_server_ends_in_time(void)
{
	const char *const options[] = { "--nats-connect-timeout", "1", NULL };
	struct nats_gateway gateway;
	nats_server_pause(&place_server);
	CU_ASSERT_EQUAL(nats_gateway_open(&gateway, options), SL_EIO);
	nats_gateway_close(&gateway);
	nats_server_resume(&place_server);
}

static void
test_nats_backend_start_is_ended_by_a_signal(void)
{
	struct nats_gateway gateway;
	sigset_t signals;
	int number;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	nats_server_pause(&place_server);
	raise(SIGTERM);
	CU_ASSERT_EQUAL(nats_gateway_open(&gateway, NULL), SL_EDRAINING);
	nats_gateway_close(&gateway);
	nats_server_resume(&place_server);
	CU_ASSERT_EQUAL(sigwait(&signals, &number), 0); /* it is there for whoever waits for it */
	CU_ASSERT_EQUAL(number, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

static void
test_nats_backend_refuses_options_that_contradict_each_other(void)
{
	struct nats_gateway gateway;
	const char *const options[] = { "--nats-user", "jo", NULL };
	char error[512];
	CU_ASSERT_EQUAL(nats_gateway_open(&gateway, options), SL_EINVAL);
	CU_ASSERT_EQUAL(sl_nats_backend_check(&gateway.config, error, sizeof error), SL_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "--nats-password"));
	nats_gateway_close(&gateway);
}

static void
test_nats_backend_refuses_a_stream_that_cannot_be_a_log(void)
{
	struct nats_gateway gateway;
	const char *const smaller[] = { "--nats-bus", "limits", NULL };
	const char *const larger[] = { "--nats-bus", "limits", "--history-age", "600", NULL };
	CU_ASSERT_EQUAL(nats_gateway_open(&gateway, smaller), 0);
	nats_gateway_close(&gateway);
	CU_ASSERT_EQUAL(nats_gateway_open(&gateway, larger), SL_EIO);
	nats_gateway_close(&gateway);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_backend_gateways_share_a_log),
		UNIT_TEST(test_nats_backend_buses_are_apart),
		UNIT_TEST(test_nats_backend_believes_cursors_that_the_log_may_have_reached),
		UNIT_TEST(test_nats_backend_is_away_while_its_server_is_stopped),
		UNIT_TEST(test_nats_backend_leaves_a_silent_server_for_another),
		UNIT_TEST(test_nats_backend_that_finds_no_server_ends_in_time),
		UNIT_TEST(test_nats_backend_start_is_ended_by_a_signal),
		UNIT_TEST(test_nats_backend_refuses_options_that_contradict_each_other),
		UNIT_TEST(test_nats_backend_refuses_a_stream_that_cannot_be_a_log),
		{ NULL, NULL },
	};
	int status = place_main("nats_backend", tests);
	return status;
}
