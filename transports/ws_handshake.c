#include "transports/ws_handshake.h"

#include <stdbool.h>
#include <string.h>

#include "http/credentials.h"
#include "http/response.h"
#include "transports/ws_extension.h"
#include "util/base64.h"
#include "util/crypto.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */

/* ---- Sec-WebSocket-Protocol ---- */

/* Drops what `chars` has from the front. */
static void
skip(struct sl_span *rest, const char *chars)
{
	while (rest->len && strchr(chars, *rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
}

static void
skip_token(struct sl_span *rest)
{
	while (rest->len && sl_head_is_token_char((unsigned char)*rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
}

/* The next element of a list, moving `line` behind it; one that is no token alone is passed over. */
static bool
take_protocol(struct sl_span *line, struct sl_span *out)
{
	while (line->len) {
		skip(line, ", \t");
		struct sl_span element = *line;
		skip_token(line);
		element.len -= line->len;
		bool is_whole = line->len == 0 || strchr(", \t", *line->bytes);
		while (line->len && *line->bytes != ',') {
			line->bytes++;
			line->len--;
		}
		*out = element;
		if (is_whole && element.len)
			return true;
	}
	return false;
}

static bool
is_wanted(struct sl_span protocol, const char *const *known)
{
	const size_t bearer_len = sizeof SL_BEARER_PROTOCOL - 1;
	if (!known)
		return protocol.len < bearer_len || memcmp(protocol.bytes, SL_BEARER_PROTOCOL, bearer_len) != 0;
	for (size_t i = 0; known[i]; i++)
		if (sl_span_equals(protocol, known[i]))
			return true;
	return false;
}

struct sl_span
sl_ws_handshake_choose(const struct sl_head *head, const char *const *known)
{
	struct sl_span rest = head->lines, line, protocol;
	if (head->count[SL_FIELD_WS_PROTOCOL] == 0)
		return (struct sl_span){ 0 };
	while (sl_head_next_of(&rest, "Sec-WebSocket-Protocol", &line))
		while (take_protocol(&line, &protocol))
			if (is_wanted(protocol, known))
				return protocol;
	return (struct sl_span){ 0 };
}

/* ---- the handshake ---- */

static struct sl_ws_handshake_verdict
refuse(enum sl_ws_handshake_outcome outcome, unsigned status, const char *code,
	const char *message)
{
	return (struct sl_ws_handshake_verdict){ outcome, status, code, message };
}

struct sl_ws_handshake_verdict
sl_ws_handshake_check(const struct sl_head *head)
{
	struct sl_span key = head->first[SL_FIELD_WS_KEY];
	if (head->version < SL_HTTP_1_1 || !head->wants_upgrade || !head->upgrades_websocket) {
		if (key.bytes)
			return refuse(SL_WS_HANDSHAKE_SWALLOWED, 426, "upgrade_swallowed",
				"a proxy on the path has removed the upgrade to WebSocket; use another transport");
		return refuse(SL_WS_HANDSHAKE_NONE, 426, "upgrade_required",
			"this path speaks WebSocket only; use an upgrade to WebSocket");
	}
	if (!sl_span_equals(head->first[SL_FIELD_WS_VERSION], SL_WS_HANDSHAKE_VERSION))
		return refuse(SL_WS_HANDSHAKE_BAD_VERSION, 426, "bad_version",
			"Sec-WebSocket-Version is unknown; use 13");
	if (!key.bytes || !sl_base64_is_key16(key.bytes, key.len))
		return refuse(SL_WS_HANDSHAKE_BAD, 400, "bad_handshake",
			"Sec-WebSocket-Key is not valid; use 16 bytes in base64");
	struct sl_ws_agreement agreement;
	if (!sl_ws_extension_read(head, &agreement))
		return refuse(SL_WS_HANDSHAKE_BAD, 400, "bad_handshake",
			"Sec-WebSocket-Extensions is malformed; use the form of RFC 6455, section 9.1");
	return (struct sl_ws_handshake_verdict){ SL_WS_HANDSHAKE_OK, 101, NULL, NULL };
}

void
sl_ws_handshake_write_accept(char out[SL_WS_HANDSHAKE_ACCEPT_LEN], struct sl_span key)
{
	char text[SL_WS_HANDSHAKE_KEY_LEN + sizeof GUID - 1];
	uint8_t digest[SL_SHA1_LEN];
	memcpy(text, key.bytes, SL_WS_HANDSHAKE_KEY_LEN);
	memcpy(text + SL_WS_HANDSHAKE_KEY_LEN, GUID, sizeof GUID - 1);
	sl_crypto_sha1(text, sizeof text, digest);
	sl_base64_encode(out, digest, sizeof digest);
}

static void
fill_response(struct sl_response *out, const struct sl_head *head, struct sl_span protocol,
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN])
{
	out->status = 101;
	sl_ws_handshake_write_accept(accept, head->first[SL_FIELD_WS_KEY]);
	sl_response_add_text(out, "Upgrade", "websocket");
	sl_response_add_text(out, "Connection", "Upgrade");
	sl_response_add(out, "Sec-WebSocket-Accept",
		(struct sl_span){ accept, SL_WS_HANDSHAKE_ACCEPT_LEN });
	if (protocol.len)
		sl_response_add(out, "Sec-WebSocket-Protocol", protocol);
}

int
sl_ws_handshake_append(struct sl_buffer *out, const struct sl_head *head, struct sl_span protocol,
	struct sl_span extension)
{
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN];
	struct sl_response response = { .status = 0 };
	fill_response(&response, head, protocol, accept);
	if (extension.len)
		sl_response_add(&response, "Sec-WebSocket-Extensions", extension);
	sl_response_append_head(&response, out);
	return sl_buffer_status(out);
}
