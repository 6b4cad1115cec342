/* Publisher: carries the shards' publishes to a log on NATS JetStream, and the log's answers back.
 * Owner: the backend. Thread: each call says; its own thread sends, libnats's threads deliver the answers.
 * Errors: as each call says.
 *
 * A publish waits in a bounded queue, and is sent under an id that stays the same for all retries
 * (bus/nats_pending.h has the times). It ends once: with the number from the log's ack or from the tail, or
 * with an error:
 *
 *   SL_EFULL     it is certainly not stored: the queue is full, or its time was over before it was sent
 *                to a socket or while every answer was a refusal;
 *   SL_EUNKNOWN  its time was over, or the log was replaced, and its outcome is unknown;
 *   SL_ETOOBIG, SL_EBACKEND  the log refuses it for good;
 *   SL_EDRAINING the gateway ends.
 *
 * Order: publishes of one shard, and so of one connection, are sent in their order, and a retry goes before
 * later publishes. Publishes that were on their way together when a leader died or a route broke may still be
 * stored in another order, since the lost one is stored late. A client that awaits each answer gets its order. */
#ifndef SL_BUS_NATS_PUBLISHER_H
#define SL_BUS_NATS_PUBLISHER_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

struct sl_backend_stats;
struct sl_dedupe;
struct sl_nats_publisher;

struct sl_nats_publisher_config {
	struct sl_bus *bus;           /* borrows */
	const char *bus_name;         /* copied */
	size_t pending_max, bytes_max; /* limits for waiting publishes, and the bytes of their messages */
	size_t keys_max;              /* idempotency keys remembered here (bus/dedupe.h) */
	uint64_t timeout_ms;          /* --publish-timeout */
	/* Any thread. True while the present connection is known to lead to the log that was read so far: a number
	 * that was given before then does not belong to another log. NULL: always. */
	bool (*is_same_log)(void *arg);
	void *arg;
};

/* Starts its thread. Errors: SL_ENOMEM, SL_EIO. */
int sl_nats_publisher_create(struct sl_nats_publisher **out,
	const struct sl_nats_publisher_config *config);

/* Call it when no shard publishes any more. Completes all with SL_EDRAINING. NULL is allowed. */
void sl_nats_publisher_destroy(struct sl_nats_publisher *publisher);

/* Returns the publisher's keys, for the backend's slot of that name (bus/backend.h). */
struct sl_dedupe *sl_nats_publisher_get_dedupe(struct sl_nats_publisher *publisher);

/* A shard's thread; the backend's slot `publish`, with its outcomes. Never waits, and makes no system call
 * except the write to an eventfd. */
int sl_nats_publisher_add(struct sl_nats_publisher *publisher, struct sl_message *message,
	const char *key, size_t key_len, struct sl_publish *pending, struct sl_cursor *id);

/* Worker's thread: uses this connection from now on, or none (NULL); returns when the earlier one is no longer
 * used. Sends all waiting publishes again. Errors, and then it has no connection: SL_ENOMEM, SL_EIO. */
int sl_nats_publisher_use(struct sl_nats_publisher *publisher, natsConnection *connection);

/* Tail's thread: a message with this Nats-Msg-Id was read at `id`, and went to `receivers` subscribers. */
void sl_nats_publisher_saw(struct sl_nats_publisher *publisher, const char *msg_id,
	struct sl_cursor id, uint32_t receivers);

/* Worker's or tail's thread, after sl_bus_reset(): the log is another one. Publishes that may be stored in the
 * old one end as SL_EUNKNOWN; the others go to the new one. */
void sl_nats_publisher_reset(struct sl_nats_publisher *publisher);

/* Any thread. Returns for how long nothing was stored, though a publish is on its way; 0: none is. */
uint64_t sl_nats_publisher_get_silence_ms(struct sl_nats_publisher *publisher);

/* Any thread: fills retries, pending_full and unknown. */
void sl_nats_publisher_get_stats(struct sl_nats_publisher *publisher, struct sl_backend_stats *out);

#endif
