/* The backends of sluice-slow, the program for tests. */
#include "bus/backends.h"

#include "bus/memory.h"
#include "config/config.h"
#include "config/options.h"
#include "tests/backend/slow.h"

static int
create_slow(struct sl_backend **out, const struct sl_config *options)
{
	const struct sl_slow_config config = {
		.seed = 1,
		.store_max_us = 20000,
		.ack_max_us = 20000,
		.hole_max = 5,
		.late_percent = 2,
		.immediate_percent = 10,
		.keys_max = options->idempotency_keys,
	};
	return sl_slow_create(out, &config);
}

const char sl_config_backends[] = "memory|slow";
const char sl_config_backends_note[] = "";

const struct sl_backend_kind sl_backends[] = {
	{ "memory", sl_memory_create, NULL },
	{ "slow", create_slow, NULL },
	{ NULL, NULL, NULL },
};
