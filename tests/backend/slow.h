/* Slow: a backend that is awkward on purpose, for tests of everything above it.
 * Owner: the bus it is given to. Thread: as bus/backend.h says; it has one of its own.
 * Errors: SL_ENOMEM, SL_EIO; publishes fail with SL_EBACKEND as configured.
 *
 * A publish is pending for a random time, then numbered (with holes) and delivered, and
 * acknowledged a further random time later; some are acknowledged much later, some at once
 * and some never delivered.
 *
 * It does what happens to a log elsewhere when it is told to, by a text that is published to SL_SLOW_CONTROL. That is
 * no message: it is done before anything else, and then answered with the head; SL_EINVAL where it is none of
 *   lose N     the next N numbers never come
 *   purge N    what is at or below N is gone
 *   reset      the log is another one: publishes on their way end as SL_EUNKNOWN, keys are forgotten
 *   away, back publishes wait in between
 *   unknown N  the next N publishes end as SL_EUNKNOWN; the first is not stored, the next is, and so on
 *   ahead N    the log may have N numbers more than this node has seen */
#ifndef SL_TESTS_SLOW_H
#define SL_TESTS_SLOW_H

#include <stddef.h>
#include <stdint.h>

#define SL_SLOW_CONTROL "slow.control"

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
