/* A place for tests of what talks to NATS: a server of the test's own, and the configuration that names it.
 * Owner: static. Thread: main. Errors: abort, or a failed assertion. */
#ifndef SL_TESTS_NATS_PLACE_H
#define SL_TESTS_NATS_PLACE_H

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "tests/backend/nats_server.h"
#include "tests/unit/unit.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"

#define PLACE_WAIT_MS 30000 /* only what hangs takes as long */

static struct nats_server place_server;

/* With `more` options of it, which ends in NULL. */
static inline void
place_configure(struct sl_config *config, const char *const *more)
{
	static const char *argv[24];
	int argc = 0;
	argv[argc++] = "sluice";
	argv[argc++] = "--nats";
	argv[argc++] = place_server.url;
	while (more && *more)
		argv[argc++] = *more++;
	CU_ASSERT_EQUAL_FATAL(sl_config_parse(config, argc, (char **)(uintptr_t)argv), 0);
}

static inline void
place_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* Waits for what other threads do. */
#define place_await(condition) do { \
	uint64_t until_ms = sl_clock_monotonic_ms() + PLACE_WAIT_MS; \
	while (!(condition) && sl_clock_monotonic_ms() < until_ms) \
		place_nap(); \
	CU_ASSERT_TRUE_FATAL(condition); \
} while (0)

/* Runs the tests with a server, or says why not. Where tools are required it is a failure. The library is not
 * closed: nats_Close() of 3.4 frees what OpenSSL frees once more when the process ends. */
static inline int
place_main(const char *suite, const struct unit_test *tests)
{
	sl_crypto_keep();
	int err = nats_server_start(&place_server);
	if (err == SL_ENOENT && !getenv("SLUICE_REQUIRE_TOOLS")) {
		printf("skipped: nats-server is not installed\n");
		return 77;
	}
	if (err != 0) {
		printf("nats-server does not start: %s\n", sl_strerror(err));
		return 1;
	}
	int status = unit_main(suite, tests);
	nats_server_stop(&place_server);
	return status;
}

#endif
