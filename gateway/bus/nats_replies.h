/* Replies: an inbox of our own on one connection of NATS, for answers to what is sent with numbers.
 * Owner: whoever creates it. Thread: create and destroy one at a time; on_reply is called on a thread of libnats's.
 * Errors: SL_ENOMEM, SL_EIO from creating. */
#ifndef SL_BUS_NATS_REPLIES_H
#define SL_BUS_NATS_REPLIES_H

#include <nats/nats.h>
#include <stdint.h>

#include "util/span.h"

#define SL_NATS_REPLY_MAX 128 /* bytes of a reply subject, NUL included */

struct sl_nats_replies;

/* `status` is the value of the header Status, or NULL; all is borrowed for the call. */
typedef void (*sl_nats_on_reply)(void *arg, uint64_t number, const char *status,
	struct sl_span body);

/* Subscribes; what is sent afterwards on this connection can be answered. */
int sl_nats_replies_create(struct sl_nats_replies **out, natsConnection *connection,
	sl_nats_on_reply on_reply, void *arg);

/* When it returns, on_reply is neither running nor will be called; so not from there. NULL is allowed. */
void sl_nats_replies_destroy(struct sl_nats_replies *replies);

/* The subject on which an answer to what has this number arrives. Any thread. */
void sl_nats_replies_write_subject(const struct sl_nats_replies *replies, uint64_t number,
	char out[SL_NATS_REPLY_MAX]);

#endif
