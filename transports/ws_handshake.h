/* The server's side of the WebSocket opening handshake (RFC 6455, section 4.2); which extensions it agrees
 * to is told by transports/ws_extension.h.
 * Owner: everything is borrowed from the request. Thread: any. Errors: a verdict with the
 * HTTP answer in it; appending fails like its buffer does. */
#ifndef SL_TRANSPORTS_WS_HANDSHAKE_H
#define SL_TRANSPORTS_WS_HANDSHAKE_H

#include "http/head.h"

struct sl_response;

#define SL_WS_HANDSHAKE_VERSION "13"     /* for Sec-WebSocket-Version in every 426 */
#define SL_WS_HANDSHAKE_PROTOCOL "sluice.v1" /* the only subprotocol */
#define SL_WS_HANDSHAKE_KEY_LEN 24       /* 16 bytes in base64 */
#define SL_WS_HANDSHAKE_ACCEPT_LEN 28    /* 20 bytes in base64 */

enum sl_ws_handshake_outcome {
	SL_WS_HANDSHAKE_OK,
	SL_WS_HANDSHAKE_NONE,        /* no upgrade was asked for */
	SL_WS_HANDSHAKE_SWALLOWED,   /* it was, says Sec-WebSocket-Key: a proxy took the rest */
	SL_WS_HANDSHAKE_BAD_VERSION,
	SL_WS_HANDSHAKE_BAD,
};

struct sl_ws_handshake_verdict {
	enum sl_ws_handshake_outcome outcome;
	unsigned status;     /* 101, 400, or 426 (which wants Upgrade and Sec-WebSocket-Version) */
	const char *code;    /* for the error object; NULL when OK */
	const char *message;
};

/* Judges a GET request by RFC 6455, section 4.2.1. An Upgrade in HTTP/1.0 is no Upgrade (RFC
 * 9110, section 7.8). Extension offers must keep to their grammar (section 9.1). */
struct sl_ws_handshake_verdict sl_ws_handshake_check(const struct sl_head *head);

/* Writes Sec-WebSocket-Accept's value for a key (RFC 6455, section 4.2.2), not terminated. */
void sl_ws_handshake_write_accept(char out[SL_WS_HANDSHAKE_ACCEPT_LEN], struct sl_span key);

/* Fills the response to a request that is OK: 101. `accept` is room for a value that it borrows. */
void sl_ws_handshake_fill_response(struct sl_response *out, const struct sl_head *head,
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN]);

#endif
