#include "transports/ws_handshake.h"

#include <stdbool.h>
#include <string.h>

#include "http/response.h"
#include "util/base64.h"
#include "util/crypto.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */

/* True when `test` holds for a line of a list field. */
static bool
any_line(const struct sl_head *head, enum sl_field field, const char *name,
	bool (*test)(struct sl_span line))
{
	struct sl_span rest = head->lines, value;
	if (head->count[field] <= 1)
		return head->count[field] && test(head->first[field]);
	while (sl_head_next_of(&rest, name, &value))
		if (test(value))
			return true;
	return false;
}

/* ---- Sec-WebSocket-Extensions ---- */

/* Drops what `chars` has from the front. */
static void
skip(struct sl_span *rest, const char *chars)
{
	while (rest->len && strchr(chars, *rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
}

/* Drops `c` from the front; false when it is not there. */
static bool
take_char(struct sl_span *rest, char c)
{
	if (!rest->len || *rest->bytes != c)
		return false;
	rest->bytes++;
	rest->len--;
	return true;
}

/* RFC 9110, section 5.6.2; false when there is none. */
static bool
take_token(struct sl_span *rest)
{
	size_t before = rest->len;
	while (rest->len && sl_head_is_token_char((unsigned char)*rest->bytes)) {
		rest->bytes++;
		rest->len--;
	}
	return rest->len < before;
}

/* Behind "=": a token, or a quoted string that holds one. */
static bool
take_parameter_value(struct sl_span *rest)
{
	skip(rest, " \t");
	bool is_quoted = take_char(rest, '"');
	return take_token(rest) && (!is_quoted || take_char(rest, '"'));
}

/* token *( ";" token [ "=" value ] ), RFC 6455, section 9.1. */
static bool
take_extension(struct sl_span *rest)
{
	if (!take_token(rest))
		return false;
	skip(rest, " \t");
	while (take_char(rest, ';')) {
		skip(rest, " \t");
		if (!take_token(rest))
			return false;
		skip(rest, " \t");
		if (take_char(rest, '=') && !take_parameter_value(rest))
			return false;
		skip(rest, " \t");
	}
	return true;
}

/* An empty list is fine, since a list may have empty elements. */
static bool
is_malformed(struct sl_span line)
{
	for (;;) {
		skip(&line, ", \t");
		if (line.len == 0)
			return false;
		if (!take_extension(&line) || (line.len && *line.bytes != ','))
			return true;
	}
}

/* ---- Sec-WebSocket-Protocol ---- */

static bool
offers_sluice(struct sl_span line)
{
	while (line.len) {
		skip(&line, ", \t");
		struct sl_span element = line;
		take_token(&line);
		element.len -= line.len;
		bool is_whole = line.len == 0 || strchr(", \t", *line.bytes);
		if (is_whole && sl_span_equals(element, SL_WS_HANDSHAKE_PROTOCOL))
			return true;
		while (line.len && *line.bytes != ',') {
			line.bytes++;
			line.len--;
		}
	}
	return false;
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
				"a proxy between has removed the upgrade to WebSocket");
		return refuse(SL_WS_HANDSHAKE_NONE, 426, "upgrade_required",
			"this path speaks WebSocket only");
	}
	if (!sl_span_equals(head->first[SL_FIELD_WS_VERSION], SL_WS_HANDSHAKE_VERSION))
		return refuse(SL_WS_HANDSHAKE_BAD_VERSION, 426, "bad_version",
			"Sec-WebSocket-Version must be 13");
	if (!key.bytes || !sl_base64_is_key16(key.bytes, key.len))
		return refuse(SL_WS_HANDSHAKE_BAD, 400, "bad_handshake",
			"Sec-WebSocket-Key must be 16 bytes in base64");
	if (any_line(head, SL_FIELD_WS_EXTENSIONS, "Sec-WebSocket-Extensions", is_malformed))
		return refuse(SL_WS_HANDSHAKE_BAD, 400, "bad_handshake",
			"Sec-WebSocket-Extensions is malformed");
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

void
sl_ws_handshake_fill_response(struct sl_response *out, const struct sl_head *head,
	char accept[SL_WS_HANDSHAKE_ACCEPT_LEN])
{
	out->status = 101;
	sl_ws_handshake_write_accept(accept, head->first[SL_FIELD_WS_KEY]);
	sl_response_add_text(out, "Upgrade", "websocket");
	sl_response_add_text(out, "Connection", "Upgrade");
	sl_response_add(out, "Sec-WebSocket-Accept",
		(struct sl_span){ accept, SL_WS_HANDSHAKE_ACCEPT_LEN });
	if (any_line(head, SL_FIELD_WS_PROTOCOL, "Sec-WebSocket-Protocol", offers_sluice))
		sl_response_add_text(out, "Sec-WebSocket-Protocol", SL_WS_HANDSHAKE_PROTOCOL);
}
