/* Slow: a backend that is awkward on purpose, for tests of everything above it.
 * Owner: the bus it is given to. Thread: as bus/backend.h says; it has one of its own.
 * Errors: SL_ENOMEM, SL_EIO; publishes fail with SL_EBACKEND as configured.
 *
 * A publish is pending for a random time, then numbered (with holes) and delivered, and
 * acknowledged a further random time later; some are acknowledged much later, some at once
 * and some never delivered. */
#ifndef SL_TESTS_SLOW_H
#define SL_TESTS_SLOW_H

#include <stddef.h>
#include <stdint.h>

struct sl_backend;

struct sl_slow_config {
	uint64_t seed;              /* the same one gives the same draws */
	uint32_t store_max_us;      /* to numbering and delivery: 0 to this */
	uint32_t ack_max_us;        /* from delivery to the ack: 0 to this */
	uint32_t hole_max;          /* numbers left out before a message: 0 to this */
	unsigned late_percent;      /* acked twenty times as late */
	unsigned immediate_percent; /* answered in the call */
	unsigned fail_percent;      /* SL_EBACKEND instead */
	size_t keys_max;            /* idempotency keys */
};

/* Copies `config`. */
int sl_slow_create(struct sl_backend **out, const struct sl_slow_config *config);

#endif
