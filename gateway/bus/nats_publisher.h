/* Publisher: hands what shards publish to the log on NATS JetStream, retries it, and answers it once.
 * Owner: the backend. Thread: one of its own sends; see each call. Errors: as each call says.
 *
 * No shard's thread calls the library: adding only queues. What is queued is bounded, in messages and bytes. */
#ifndef SL_BUS_NATS_PUBLISHER_H
#define SL_BUS_NATS_PUBLISHER_H

#include <nats/nats.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_message;
struct sl_nats_publisher;

struct sl_nats_publisher_config {
	struct sl_bus *bus;   /* borrows */
	const char *bus_name; /* copied */
	size_t pending_max, bytes_max, keys_max;
	uint64_t timeout_ms;
};

/* Counters since the start unless it says "now". */
struct sl_nats_publisher_stats {
	uint64_t pending_now, bytes_now;
	uint64_t retries, full, unknown;
};

/* Starts its thread. Errors: SL_ENOMEM, SL_EIO. */
int sl_nats_publisher_create(struct sl_nats_publisher **out,
	const struct sl_nats_publisher_config *config);

/* Completes all that is pending with SL_EDRAINING. NULL is allowed. No connection may be in use. */
void sl_nats_publisher_destroy(struct sl_nats_publisher *publisher);

/* A shard's thread: publish of struct sl_backend_ops. */
int sl_nats_publisher_add(struct sl_nats_publisher *publisher, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending);

/* Worker's thread: from now on this connection, or NULL for none; returns when the old one is no longer
 * used. */
void sl_nats_publisher_use(struct sl_nats_publisher *publisher, natsConnection *connection);

/* Tail's thread: a message with one of our own ids was seen at `id`. `receivers`: what its delivery
 * counted. */
void sl_nats_publisher_saw(struct sl_nats_publisher *publisher, const char *msg_id,
	struct sl_cursor id, uint32_t receivers);

/* The log is another one: what is pending ends as SL_EUNKNOWN unless it was never sent; then it is sent to the
 * new one. */
void sl_nats_publisher_reset(struct sl_nats_publisher *publisher, uint32_t epoch);

/* Any thread. 0: nothing waits; else for how long no ack came though something is on its way. */
uint64_t sl_nats_publisher_get_silence_ms(struct sl_nats_publisher *publisher);

/* Any thread. */
void sl_nats_publisher_get_stats(struct sl_nats_publisher *publisher,
	struct sl_nats_publisher_stats *out);

#endif
