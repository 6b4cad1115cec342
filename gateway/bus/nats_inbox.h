/* Inbox: receives numbered answers on one connection of NATS.
 * Owner: the code that creates it. Thread: create and destroy one at a time; on_reply is called on a thread of
 * libnats. Errors: SL_ENOMEM, SL_EIO from creating. */
#ifndef SL_BUS_NATS_INBOX_H
#define SL_BUS_NATS_INBOX_H

#include <nats/nats.h>
#include <stdint.h>

#include "util/span.h"

#define SL_NATS_REPLY_MAX 128 /* bytes of a reply subject, NUL included */

struct sl_nats_inbox;

/* `status` is the value of the header Status, or NULL; all is borrowed for the call. */
typedef void (*sl_nats_on_reply)(void *arg, uint64_t number, const char *status,
	struct sl_span body);

/* The message is borrowed. */
typedef void (*sl_nats_on_other)(void *arg, natsMsg *message);

/* Subscribes; messages sent afterwards on this connection can be answered. */
int sl_nats_inbox_create(struct sl_nats_inbox **out, natsConnection *connection,
	sl_nats_on_reply on_reply, void *arg);

/* The same for all messages at one subject, such as those of a consumer: JetStream delivers only to a
 * subscription to the very subject. */
int sl_nats_inbox_create_at(struct sl_nats_inbox **out, natsConnection *connection,
	const char *subject, sl_nats_on_other on_other, void *arg);

/* Returns the prefix of answers' subjects; it ends in a dot. It is unique. */
const char *sl_nats_inbox_get_prefix(const struct sl_nats_inbox *inbox);

/* When it returns, neither callback runs or will be called; so do not call it from them. NULL is allowed. */
void sl_nats_inbox_destroy(struct sl_nats_inbox *inbox);

/* Writes the subject for the answer to a number. Any thread. */
void sl_nats_inbox_write_subject(const struct sl_nats_inbox *inbox, uint64_t number,
	char out[SL_NATS_REPLY_MAX]);

#endif
