/* The worker as far as it needs no log; with one it is under tests in test_nats_backend and test_nats_stay. */
#include "bus/nats_worker.h"

#include "bus/backend.h"
#include "bus/memory.h"
#include "bus/nats_notices.h"
#include "bus/nats_publisher.h"
#include "bus/nats_tail.h"
#include "tests/unit/nats_place.h"

static struct sl_config config;
static struct sl_bus *bus;
static struct sl_nats_publisher *publisher;
static struct sl_nats_notices *notices;
static struct sl_nats_tail *tail;

static struct sl_nats_worker *
open_worker(const char *url)
{
	const char *const more[] = { "--nats", url, NULL };
	const struct sl_bus_config limits = { .history_messages = 1, .channels_max = 1 };
	struct sl_backend *backend;
	struct sl_nats_worker *worker;
	place_configure(&config, url ? more : NULL);
	CU_ASSERT_EQUAL_FATAL(sl_memory_create(&backend, &config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_bus_create(&bus, &limits, backend), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_publisher_create(&publisher, &(struct sl_nats_publisher_config){ .bus = bus,
		.bus_name = "main", .pending_max = 1, .bytes_max = 1, .timeout_ms = 1000 }), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_notices_create(&notices, bus, &config), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_tail_create(&tail, &(struct sl_nats_tail_config){ .bus = bus,
		.bus_name = "main", .stream = "sluice-main" }), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_worker_create(&worker, &(struct sl_nats_parts){ .config = &config,
		.bus = bus, .publisher = publisher, .notices = notices, .tail = tail }), 0);
	return worker;
}

static void
close_worker(struct sl_nats_worker *worker)
{
	sl_nats_worker_destroy(worker);
	sl_nats_publisher_destroy(publisher);
	sl_nats_notices_destroy(notices);
	sl_nats_tail_destroy(tail);
	sl_bus_destroy(bus);
	sl_config_finish(&config);
}

static void
test_nats_worker_waits_no_longer_than_it_may(void)
{
	nats_server_pause(&place_server);
	struct sl_nats_worker *worker = open_worker(NULL);
	CU_ASSERT_FALSE(sl_nats_worker_is_ready(worker));
	CU_ASSERT_EQUAL(sl_nats_worker_get_reconnects(worker), 0);
	CU_ASSERT_EQUAL(sl_nats_worker_wait(worker, 100), SL_EIO);
	close_worker(worker);
	nats_server_resume(&place_server);
}

/* Also in the midst of connecting to a server that never answers. */
static void
test_nats_worker_ends_at_once(void)
{
	nats_server_pause(&place_server);
	for (unsigned i = 0; i < 8; i++) {
		struct sl_nats_worker *worker = open_worker(i % 2 ? "nats://127.0.0.1:1" : NULL);
		for (unsigned k = 0; k < 4 * i; k++)
			place_nap();
		uint64_t begin_ms = sl_clock_monotonic_ms();
		close_worker(worker);
		CU_ASSERT_TRUE(sl_clock_monotonic_ms() - begin_ms < SL_NATS_CONNECT_MS);
	}
	sl_nats_worker_destroy(NULL);
	nats_server_resume(&place_server);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_worker_waits_no_longer_than_it_may),
		UNIT_TEST(test_nats_worker_ends_at_once),
		{ NULL, NULL },
	};
	int status = place_main("nats_worker", tests);
	return status;
}
