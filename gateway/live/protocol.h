/* Protocol: what clients say on transports that let them: publish, subscribe, unsubscribe,
 * ping (PROTOCOL.md, client objects).
 * Owner: nobody; publishes not yet answered hang on their connection. Thread: the
 * shard's. Errors: told to the client as error objects; none are returned. */
#ifndef SL_LIVE_PROTOCOL_H
#define SL_LIVE_PROTOCOL_H

#include <stddef.h>

#include "bus/message.h"

struct sl_connection;

/* json format: one text the client sent, valid UTF-8. */
void sl_protocol_handle(struct sl_connection *connection, const char *text, size_t len);

/* raw format: publishes to the connection's only channel; `text` is valid UTF-8. */
void sl_protocol_publish_text(struct sl_connection *connection, const char *text, size_t len);
void sl_protocol_publish_binary(struct sl_connection *connection, const char *bytes, size_t len);

/* The connection closes: answers to its publishes will have nobody to go to. */
void sl_protocol_forget(struct sl_connection *connection);

#endif
