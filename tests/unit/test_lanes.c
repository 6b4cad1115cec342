#include "demo/lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/listener.h"
#include "tests/unit/expect_text.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* ---- a machine of which ports are taken ---- */

static uint16_t taken;  /* this one is; 0: none */
static bool all_taken;
static uint16_t chosen; /* by the system, counting up */

int __wrap_sl_listener_open(struct sl_listener *listener,
	const struct sl_listen_address *address, unsigned shards);

int
__wrap_sl_listener_open(struct sl_listener *listener, const struct sl_listen_address *address,
	unsigned shards)
{
	errno = EADDRINUSE;
	if (all_taken || (taken && address->port == taken))
		return SL_EIO;
	*listener = (struct sl_listener){ .address = *address, .count = shards };
	if (address->port == 0)
		sl_listen_address_set_port(&listener->address, chosen++);
	return 0;
}

static struct sl_listener *listeners;
static size_t count;

/* Returns what sl_lanes_open() does beside these addresses; one behind "tls " speaks TLS. */
static int
open_beside(const char *const *addresses)
{
	free(listeners);
	listeners = NULL;
	for (count = 0; addresses[count]; count++) {
		listeners = realloc(listeners, (count + 1) * sizeof *listeners);
		if (!listeners)
			abort();
		const char *address = addresses[count];
		bool is_secure = strncmp(address, "tls ", 4) == 0;
		listeners[count] = (struct sl_listener){ .is_secure = is_secure };
		if (sl_listen_address_parse(address + (is_secure ? 4 : 0), &listeners[count].address) != 0)
			abort();
	}
	chosen = 40000;
	return sl_lanes_open(&listeners, &count, 2);
}

#define OPEN_BESIDE(...) open_beside((const char *const[]){ __VA_ARGS__, NULL })

static void
expect_ports(const uint16_t *ports)
{
	for (size_t i = 0; i < SL_LANES; i++)
		CU_ASSERT_EQUAL(listeners[count - SL_LANES + i].address.port, ports[i]);
}

static void
test_lanes_are_on_the_ports_behind_the_first_loopback_listener(void)
{
	CU_ASSERT_EQUAL(OPEN_BESIDE("unix:/tmp/s", "127.0.0.1:8080", "[::1]:9090"), SL_LANES);
	CU_ASSERT_EQUAL_FATAL(count, 3 + SL_LANES);
	expect_ports((const uint16_t[]){ 8081, 8082, 8083, 8084, 8085, 8086 });
	CU_ASSERT_STRING_EQUAL(listeners[3].address.host, "127.0.0.1");
	CU_ASSERT_EQUAL(listeners[3].count, 2);
}

static void
test_lanes_are_beside_the_listener_that_speaks_tls_and_speak_it_too(void)
{
	CU_ASSERT_EQUAL(OPEN_BESIDE("127.0.0.1:8080", "tls 192.0.2.1:443", "tls [::1]:8443"), SL_LANES);
	expect_ports((const uint16_t[]){ 8444, 8445, 8446, 8447, 8448, 8449 });
	for (size_t i = 3; i < count; i++)
		CU_ASSERT_TRUE(listeners[i].is_secure);
	OPEN_BESIDE("127.0.0.1:8080");
	CU_ASSERT_FALSE(listeners[1].is_secure);
}

static void
test_lane_whose_port_is_taken_or_none_gets_another(void)
{
	taken = 8083;
	CU_ASSERT_EQUAL(OPEN_BESIDE("[::1]:8080"), SL_LANES);
	expect_ports((const uint16_t[]){ 8081, 8082, 40000, 8084, 8085, 8086 });
	taken = 0;
	CU_ASSERT_EQUAL(OPEN_BESIDE("127.0.0.1:65533"), SL_LANES);
	expect_ports((const uint16_t[]){ 65534, 65535, 40000, 40001, 40002, 40003 });
}

static void
test_no_lanes_without_a_loopback_listener(void)
{
	CU_ASSERT_EQUAL(OPEN_BESIDE("unix:/tmp/s", "192.0.2.1:8080"), 0);
	CU_ASSERT_EQUAL(count, 2);
}

static void
test_lanes_that_cannot_be_opened_are_an_error(void)
{
	all_taken = true;
	CU_ASSERT_EQUAL(OPEN_BESIDE("127.0.0.1:8080"), SL_EIO);
	CU_ASSERT_EQUAL(count, 1);
	all_taken = false;
}

static void
test_lanes_without_memory_are_an_error(void)
{
	free(listeners);
	listeners = NULL;
	for_each_failing_allocation(failing) {
		failing_alloc_off();
		count = 1;
		listeners = calloc(1, sizeof *listeners);
		CU_ASSERT_EQUAL(sl_listen_address_parse("127.0.0.1:1", &listeners->address), 0);
		failing_alloc_set(failing.n, failing.is_lasting);
		int lanes = sl_lanes_open(&listeners, &count, 1);
		failing_alloc_off();
		CU_ASSERT_EQUAL(lanes, failing_alloc_has_failed() ? SL_ENOMEM : SL_LANES);
		free(listeners);
		listeners = NULL;
	}
}

static void
test_origins_are_those_a_browser_says(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	OPEN_BESIDE("[::1]:8080");
	sl_lanes_append_origins(&out, listeners + 1, 2);
	expect_text(&out, "[\"http://localhost:8081\",\"http://localhost:8082\"]");
	OPEN_BESIDE("127.0.0.1:8080");
	sl_lanes_append_origins(&out, listeners + 1, 1);
	expect_text(&out, "[\"http://127.0.0.1:8081\"]");
	OPEN_BESIDE("tls 127.0.0.1:8443");
	sl_lanes_append_origins(&out, listeners + 1, 1);
	expect_text(&out, "[\"https://127.0.0.1:8444\"]");
	sl_lanes_append_origins(&out, NULL, 0);
	expect_text(&out, "[]");
}

#define POLICY "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; " \
	"form-action 'self'; connect-src 'self'"

static void
test_policy_names_the_own_ports_once_and_the_lanes(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	OPEN_BESIDE("127.0.0.1:80", "[::1]:80", "192.0.2.1:81", "unix:/tmp/s");
	sl_lanes_append_policy(&out, listeners, 4, listeners + 4, 1);
	expect_text(&out, POLICY " ws://localhost:80 ws://127.0.0.1:80"
		" http://127.0.0.1:81 ws://127.0.0.1:81");
	sl_lanes_append_policy(&out, listeners + 2, 2, NULL, 0);
	expect_text(&out, POLICY);
	OPEN_BESIDE("127.0.0.1:80", "tls 127.0.0.1:8443");
	sl_lanes_append_policy(&out, listeners, 2, listeners + 2, 1);
	expect_text(&out, POLICY " ws://localhost:80 ws://127.0.0.1:80"
		" wss://localhost:8443 wss://127.0.0.1:8443"
		" https://127.0.0.1:8444 wss://127.0.0.1:8444");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_lanes_are_on_the_ports_behind_the_first_loopback_listener),
		UNIT_TEST(test_lanes_are_beside_the_listener_that_speaks_tls_and_speak_it_too),
		UNIT_TEST(test_lane_whose_port_is_taken_or_none_gets_another),
		UNIT_TEST(test_no_lanes_without_a_loopback_listener),
		UNIT_TEST(test_lanes_that_cannot_be_opened_are_an_error),
		UNIT_TEST(test_lanes_without_memory_are_an_error),
		UNIT_TEST(test_origins_are_those_a_browser_says),
		UNIT_TEST(test_policy_names_the_own_ports_once_and_the_lanes),
		{ NULL, NULL },
	};
	int status = unit_main("lanes", tests);
	free(listeners);
	return status;
}
