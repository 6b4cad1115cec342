/* WS extension: reads the field Sec-WebSocket-Extensions of a handshake (RFC 6455, section 9.1), and makes the
 * agreement: permessage-deflate (RFC 7692, sections 5 and 7.1), always without context takeover on both sides.
 * Owner: everything is borrowed from the request. Thread: any. Errors: a malformed field. */
#ifndef SL_TRANSPORTS_WS_EXTENSION_H
#define SL_TRANSPORTS_WS_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct sl_head;

struct sl_ws_agreement {
	uint8_t window_bits; /* the window for the server's messages; 0: no agreement */
	bool names_window;   /* the client asked for that size */
};

/* Reads all lines of the field. `*out` is the agreement for the first acceptable offer: one of
 * permessage-deflate whose parameters are all known, correct, and present once. Other offers are declined
 * (section 7.1). False if a line breaks the grammar: then the handshake is invalid (RFC 6455, section 9.1). */
bool sl_ws_extension_read(const struct sl_head *head, struct sl_ws_agreement *out);

#define SL_WS_EXTENSION_MAX 128

/* Writes the field's value for the answer; borrows `room`. */
struct sl_span sl_ws_extension_write(const struct sl_ws_agreement *agreement,
	char room[SL_WS_EXTENSION_MAX]);

#endif
