/* WS handshake: the server's side of the WebSocket opening handshake (RFC 6455, section 4.2).
 * transports/ws_extension.h decides about extensions.
 * Owner: everything is borrowed from the request. Thread: any. Errors: a verdict that contains the HTTP answer;
 * appending fails as its buffer does. */
#ifndef SL_TRANSPORTS_WS_HANDSHAKE_H
#define SL_TRANSPORTS_WS_HANDSHAKE_H

#include "http/head.h"

struct sl_buffer;

#define SL_WS_HANDSHAKE_VERSION "13"     /* for Sec-WebSocket-Version in every 426 */
#define SL_WS_HANDSHAKE_PROTOCOL "sluice.v1" /* the only subprotocol of native clients */
#define SL_WS_HANDSHAKE_KEY_LEN 24       /* 16 bytes in base64 */
#define SL_WS_HANDSHAKE_ACCEPT_LEN 28    /* 20 bytes in base64 */

enum sl_ws_handshake_outcome {
	SL_WS_HANDSHAKE_OK,
	SL_WS_HANDSHAKE_NONE,        /* the request asks for no upgrade */
	SL_WS_HANDSHAKE_SWALLOWED,   /* Sec-WebSocket-Key shows that the client asked for one: a proxy removed the rest */
	SL_WS_HANDSHAKE_BAD_VERSION,
	SL_WS_HANDSHAKE_BAD,
};

struct sl_ws_handshake_verdict {
	enum sl_ws_handshake_outcome outcome;
	unsigned status;     /* 101, 400, or 426 (which needs Upgrade and Sec-WebSocket-Version) */
	const char *code;    /* for the error object; NULL when OK */
	const char *message;
};

/* Judges a GET request by RFC 6455, section 4.2.1. An Upgrade in HTTP/1.0 is no Upgrade (RFC
 * 9110, section 7.8). Extension offers must keep to their grammar (section 9.1). */
struct sl_ws_handshake_verdict sl_ws_handshake_check(const struct sl_head *head);

/* Writes Sec-WebSocket-Accept's value for a key (RFC 6455, section 4.2.2), not terminated. */
void sl_ws_handshake_write_accept(char out[SL_WS_HANDSHAKE_ACCEPT_LEN], struct sl_span key);

/* Chooses the subprotocol: the client's first offer that is in `known` (the last entry is NULL). If `known` is
 * NULL, it is the first offer of all that has no token in it, since browsers fail if they offer subprotocols
 * and get none. Absent if there is none; borrowed from the head. */
struct sl_span sl_ws_handshake_choose(const struct sl_head *head, const char *const *known);

/* Appends the response to a request that is OK: a 101 with that subprotocol and those extensions; each may be
 * absent. You may send it later, when the request no longer exists. Errors: SL_ENOMEM. */
int sl_ws_handshake_append(struct sl_buffer *out, const struct sl_head *head, struct sl_span protocol,
	struct sl_span extension);

#endif
