/* Protocol: handles the JSON objects of clients: publish, subscribe, unsubscribe, ping (PROTOCOL.md, client
 * objects). It handles bare payloads too. It serves the transports whose clients may speak.
 * Owner: nobody. Thread: the shard's. Errors: none are returned; the client gets them as error objects. */
#ifndef SL_LIVE_PROTOCOL_H
#define SL_LIVE_PROTOCOL_H

#include <stddef.h>

#include "bus/message.h"

struct sl_subscriber;

/* Handles one text of the client, valid UTF-8. */
void sl_protocol_handle(struct sl_subscriber *subscriber, const char *text, size_t len);

/* Publishes to the subscriber's only channel; a text is valid UTF-8. */
void sl_protocol_publish_raw(struct sl_subscriber *subscriber, enum sl_payload_type type,
	const char *bytes, size_t len);

#endif
