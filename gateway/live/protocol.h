/* Protocol: what clients say on transports that let them, as JSON objects: publish, subscribe,
 * unsubscribe, ping (PROTOCOL.md, client objects); and as bare payloads.
 * Owner: nobody. Thread: the shard's. Errors: told to the client as error objects; none are
 * returned. */
#ifndef SL_LIVE_PROTOCOL_H
#define SL_LIVE_PROTOCOL_H

#include <stddef.h>

#include "bus/message.h"

struct sl_subscriber;

/* One text the client sent, valid UTF-8. */
void sl_protocol_handle(struct sl_subscriber *subscriber, const char *text, size_t len);

/* Publishes to the subscriber's only channel; a text is valid UTF-8. */
void sl_protocol_publish_raw(struct sl_subscriber *subscriber, enum sl_payload_type type,
	const char *bytes, size_t len);

#endif
