/* Waste: collects finished messages of libnats, and destroys many at once.
 * Owner: embed it. Thread: one at a time. Errors: none.
 *
 * natsMsg_Destroy() gives a message to a thread that frees it, and wakes that thread. This costs as much as all
 * other work for a message. For many messages at once the thread is woken only for the first. */
#ifndef SL_BUS_NATS_WASTE_H
#define SL_BUS_NATS_WASTE_H

#include <nats/nats.h>
#include <stddef.h>

#define SL_NATS_WASTE_MAX 64
#define SL_NATS_WASTE_BYTES_MAX ((size_t)256 << 10) /* of payloads */

/* All zero to begin with. */
struct sl_nats_waste {
	natsMsg *messages[SL_NATS_WASTE_MAX]; /* owns */
	unsigned count;
	size_t bytes;
};

/* Takes the message. */
void sl_nats_waste_add(struct sl_nats_waste *waste, natsMsg *message);

/* Destroys all messages; it can be used again. */
void sl_nats_waste_empty(struct sl_nats_waste *waste);

#endif
