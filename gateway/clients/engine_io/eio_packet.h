/* Packets of Engine.IO 4 as text, and the payloads that polling carries several in (Engine.IO protocol, fourth
 * revision: "Packet encoding"). A WebSocket carries one packet in each text frame, and a binary message bare in
 * a binary frame, so only polling needs base64.
 * Owner: the caller's. Thread: any. Errors: as each call says; appending fails as its buffer does. No I/O. */
#ifndef SL_CLIENTS_EIO_PACKET_H
#define SL_CLIENTS_EIO_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_EIO_SEPARATOR '\x1e' /* between two packets of a payload */

/* In the order of their digits. */
enum sl_eio_packet_type {
	SL_EIO_OPEN, SL_EIO_CLOSE, SL_EIO_PING, SL_EIO_PONG, SL_EIO_MESSAGE, SL_EIO_UPGRADE, SL_EIO_NOOP,
	SL_EIO_PACKET_TYPES
};

struct sl_eio_packet {
	enum sl_eio_packet_type type;
	bool is_binary;      /* messages only */
	struct sl_span data; /* what follows the digit, or what base64 stood for; never absent */
};

/* Reads one packet. `data` borrows `text`, or `*decoded` where the packet is binary, which is cleared first. Base64
 * may lack its padding, and nothing else. Errors: SL_EINVAL: no packet, as an empty text is none; SL_ENOMEM. */
int sl_eio_packet_read(struct sl_eio_packet *out, struct sl_span text, struct sl_buffer *decoded);

/* Takes the first packet's text off `*rest`; false when nothing is left. A payload with a separator at its end has
 * an empty text behind it; so has a payload without bytes. */
bool sl_eio_packet_next(struct sl_span *rest, struct sl_span *text);

/* Appends a packet other than a message. */
void sl_eio_packet_append(struct sl_buffer *out, enum sl_eio_packet_type type, struct sl_span data);

/* Appends a message as polling carries it. Text with a separator in it would be several packets, made up by
 * whoever wrote it: it goes as binary. */
void sl_eio_packet_append_message(struct sl_buffer *out, struct sl_span data, bool is_binary);

/* What a handshake tells. */
struct sl_eio_handshake {
	struct sl_span id;
	bool can_upgrade;
	unsigned ping_interval_ms, ping_timeout_ms;
	unsigned long long max_payload;
};

/* Appends the `open` packet. */
void sl_eio_packet_append_open(struct sl_buffer *out, const struct sl_eio_handshake *handshake);

#endif
