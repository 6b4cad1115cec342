/* WS stream: a WebSocket connection as a stream of messages, for transports that speak inside of it. It reads
 * at the pace that a turn allows (live/share.h), within the gateway's limits, and sends frames to one client
 * alone. transports/ws_handshake.h opens the connection, and encoders make messages for many clients.
 * Owner: the transport keeps the reader behind its connection. Thread: the shard's. Errors: on_error; a link
 * without memory for a frame is closed. */
#ifndef SL_TRANSPORTS_WS_STREAM_H
#define SL_TRANSPORTS_WS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "transports/ws_frame.h"
#include "transports/ws_message.h"

struct sl_connection;
struct sl_link;

/* A transport's reactions to its client. */
struct sl_ws_stream_rules {
	/* Mandatory. Handles a message, a ping (which it answers), a pong or the close. It may end the connection;
	 * then no further bytes are read. It may begin a visit (http/visit.h); then further bytes are read after
	 * the visit. */
	void (*on_event)(struct sl_connection *connection, const struct sl_ws_event *event);
	/* Mandatory. The client has broken the protocol or a limit: closes the connection with this code (RFC 6455,
	 * section 7.4.1). */
	void (*on_error)(struct sl_connection *connection, unsigned close_code);
	size_t max_message_bytes;
	bool may_compress; /* permessage-deflate is agreed on, and the framer has a deflater */
};

/* Does the work of a transport's receive(): returns the number of handled bytes. */
size_t sl_ws_stream_receive(struct sl_connection *connection, struct sl_ws_reader *reader,
	const struct sl_ws_stream_rules *rules, char *bytes, size_t len);

/* Queues a frame within the limit of the outbox: a client that causes frames and does not read them is slow.
 * False if that ended the link. */
bool sl_ws_stream_send(struct sl_link *link, enum sl_ws_opcode opcode, const char *bytes, size_t len);

#endif
