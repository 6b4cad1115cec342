#include "bus/nats_stay.h"

#include "bus/nats_stream.h"
#include "tests/unit/nats_gateway.h"

static natsConnection *connection;
static jsCtx *js;

static void
test_nats_stay_bounds_what_the_log_can_have_reached(void)
{
	struct sl_config config;
	struct sl_nats_stay stay;
	place_configure(&config, NULL);
	sl_nats_stay_init(&stay, &(struct sl_nats_parts){ .config = &config });
	CU_ASSERT_STRING_EQUAL(stay.stream, "sluice-main");
	atomic_store(&stay.known_last, 10);
	atomic_store(&stay.known_ms, 5000);
	CU_ASSERT_EQUAL(sl_nats_stay_get_bound(&stay, 5000), 1000010);
	CU_ASSERT_EQUAL(sl_nats_stay_get_bound(&stay, 5999), 1000010);
	CU_ASSERT_EQUAL(sl_nats_stay_get_bound(&stay, 7000), 3000010);
	CU_ASSERT_FALSE(sl_nats_stay_is_fit(&stay, 5000)); /* it is nowhere */
	sl_nats_stay_end(&stay);
	sl_config_finish(&config);
}

/* Deleted: away, and nobody makes it again. Made again: another epoch, and all goes on. */
static void
test_nats_stay_begins_again_with_another_log(void)
{
	struct nats_gateway gateway;
	struct sl_nats_stream_state state;
	struct sl_cursor id;
	char error[512];
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&gateway, NULL), 0);
	CU_ASSERT_EQUAL(nats_gateway_publish(&gateway, "text", &id), 0);
	uint32_t epoch = id.epoch;
	CU_ASSERT_EQUAL(js_DeleteStream(js, "sluice-main", NULL, NULL), NATS_OK);
	place_await(!sl_bus_ready(gateway.bus));
	CU_ASSERT_EQUAL(sl_bus_head(gateway.bus).epoch, epoch);
	CU_ASSERT_EQUAL(sl_nats_stream_open(js, &gateway.config, &state, error, sizeof error), 0);
	place_await(sl_bus_ready(gateway.bus));
	CU_ASSERT_NOT_EQUAL(sl_bus_head(gateway.bus).epoch, epoch);
	CU_ASSERT_EQUAL(nats_gateway_publish(&gateway, "text", &id), 0);
	CU_ASSERT_EQUAL(id.epoch, sl_bus_head(gateway.bus).epoch);
	CU_ASSERT_EQUAL(id.seq, 1);
	nats_gateway_close(&gateway);
}

static void
test_nats_stay_takes_another_generation_for_another_log(void)
{
	struct nats_gateway gateway;
	struct sl_cursor id;
	char error[512];
	CU_ASSERT_EQUAL_FATAL(nats_gateway_open(&gateway, NULL), 0);
	CU_ASSERT_EQUAL(nats_gateway_publish(&gateway, "text", &id), 0);
	CU_ASSERT_EQUAL(sl_nats_stream_raise_generation(js, "sluice-main", 9, error, sizeof error), 0);
	place_await(sl_bus_head(gateway.bus).epoch != id.epoch);
	place_await(sl_bus_head(gateway.bus).seq == id.seq); /* it is read once more */
	nats_gateway_close(&gateway);
}

static void
test_nats_stay_connects(void)
{
	CU_ASSERT_EQUAL_FATAL(natsConnection_ConnectTo(&connection, place_server.url), NATS_OK);
	CU_ASSERT_EQUAL_FATAL(natsConnection_JetStream(&js, connection, NULL), NATS_OK);
}

static void
test_nats_stay_disconnects(void)
{
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_stay_connects),
		UNIT_TEST(test_nats_stay_bounds_what_the_log_can_have_reached),
		UNIT_TEST(test_nats_stay_begins_again_with_another_log),
		UNIT_TEST(test_nats_stay_takes_another_generation_for_another_log),
		UNIT_TEST(test_nats_stay_disconnects),
		{ NULL, NULL },
	};
	int status = place_main("nats_stay", tests);
	return status;
}
