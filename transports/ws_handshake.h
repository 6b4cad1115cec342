/* The server's side of the WebSocket opening handshake (RFC 6455, section 4.2). No extension
 * is ever accepted: an offer is declined by not answering it (section 9.1).
 * Owner: everything is borrowed from the request. Thread: any. Errors: a verdict with the
 * HTTP answer in it; appending fails like its buffer does. */
#ifndef SL_TRANSPORTS_WS_HANDSHAKE_H
#define SL_TRANSPORTS_WS_HANDSHAKE_H

#include "util/buffer.h"

#define SL_WS_HANDSHAKE_VERSION "13" /* for Sec-WebSocket-Version in every 426 */
#define SL_WS_HANDSHAKE_KEY_LEN 24   /* 16 bytes in base64 */

/* A GET request (the caller has seen to that) as far as it matters here. */
struct sl_ws_handshake_request {
	const char *http_version; /* as in the request line: "HTTP/1.1" */
	/* The value of a header or NULL; of a repeated one, all joined by commas or the first. */
	const char *(*get)(void *arg, const char *name);
	void *arg;
};

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
	const char *key;     /* OK only: SL_WS_HANDSHAKE_KEY_LEN characters, not terminated */
};

/* Judges a request by RFC 6455, section 4.2.1. An Upgrade in HTTP/1.0 is no Upgrade (RFC
 * 9110, section 7.8). Extension offers must keep to their grammar (section 9.1). */
struct sl_ws_handshake_verdict
sl_ws_handshake_check(const struct sl_ws_handshake_request *request);

/* Appends Sec-WebSocket-Accept's value for a key (RFC 6455, section 4.2.2). */
void sl_ws_handshake_append_accept(struct sl_buffer *out, const char *key);

struct sl_ws_handshake_response {
	const char *key;      /* from the verdict */
	const char *sluice;   /* value of the header Sluice */
	const char *protocol; /* value of Sec-WebSocket-Protocol, one that was offered; or NULL */
	const char *headers;  /* further header lines, each ended by CRLF; or NULL */
};

/* Appends a complete response head, 101, with its empty line. */
void sl_ws_handshake_append_response(struct sl_buffer *out,
	const struct sl_ws_handshake_response *response);

#endif
