#include "transports/ws_handshake.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "util/base64.h"
#include "util/crypto.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */

/* Optional white space, RFC 9110, section 5.6.3. */
static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
skip_spaces(const char *at)
{
	return at + strspn(at, " \t");
}

/* RFC 9110, section 5.6.2. */
static size_t
token_len(const char *at)
{
	return strspn(at, "!#$%&'*+-.^_`|~0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Drops white space on both sides; returns the length of the rest. */
static size_t
trim(const char **text)
{
	*text = skip_spaces(*text);
	size_t len = strlen(*text);
	while (len > 0 && is_space((*text)[len - 1]))
		len--;
	return len;
}

static bool
list_has(const char *list, const char *token)
{
	size_t len = strlen(token);
	while (list && *list) {
		list += strspn(list, ", \t");
		size_t element = strcspn(list, ",");
		if (strncasecmp(list, token, len) == 0 &&
			len + strspn(list + len, " \t") == element)
			return true;
		list += element;
	}
	return false;
}

/* HTTP-version of RFC 9112, section 2.3; a later major version may lack the minor one. */
static bool
is_http_1_1_or_later(const char *version)
{
	if (strncmp(version, "HTTP/", 5) != 0)
		return false;
	if (version[5] == '1')
		return version[6] == '.' && version[7] >= '1' && version[7] <= '9';
	return version[5] >= '2' && version[5] <= '9';
}

/* `*at` stands behind "="; moves it past a token, or a quoted string that holds one. */
static bool
skip_parameter_value(const char **at)
{
	*at = skip_spaces(*at);
	bool quoted = **at == '"';
	*at += quoted;
	size_t len = token_len(*at);
	*at += len;
	if (len == 0 || (quoted && **at != '"'))
		return false;
	*at = skip_spaces(*at + quoted);
	return true;
}

/* Moves `*at` past token *( ";" token [ "=" value ] ), RFC 6455, section 9.1. */
static bool
skip_extension(const char **at)
{
	bool is_parameter = false;
	for (;;) {
		size_t len = token_len(*at);
		if (len == 0)
			return false;
		*at = skip_spaces(*at + len);
		if (is_parameter && **at == '=') {
			++*at;
			if (!skip_parameter_value(at))
				return false;
		}
		if (**at != ';')
			return true;
		*at = skip_spaces(*at + 1);
		is_parameter = true;
	}
}

/* None and an empty list are fine, since a list may have empty elements. */
static bool
extensions_are_well_formed(const char *list)
{
	const char *at = list ? list : "";
	for (;;) {
		at += strspn(at, ", \t");
		if (*at == '\0')
			return true;
		if (!skip_extension(&at) || (*at != ',' && *at != '\0'))
			return false;
	}
}

static struct sl_ws_handshake_verdict
refuse(enum sl_ws_handshake_outcome outcome, unsigned status, const char *code,
	const char *message)
{
	return (struct sl_ws_handshake_verdict) {
		.outcome = outcome, .status = status, .code = code, .message = message,
	};
}

static struct sl_ws_handshake_verdict
refuse_bad(const char *message)
{
	return refuse(SL_WS_HANDSHAKE_BAD, 400, "bad_handshake", message);
}

struct sl_ws_handshake_verdict
sl_ws_handshake_check(const struct sl_ws_handshake_request *request)
{
	const char *key = request->get(request->arg, "Sec-WebSocket-Key");
	if (!is_http_1_1_or_later(request->http_version) ||
		!list_has(request->get(request->arg, "Upgrade"), "websocket") ||
		!list_has(request->get(request->arg, "Connection"), "upgrade")) {
		if (key)
			return refuse(SL_WS_HANDSHAKE_SWALLOWED, 426, "upgrade_swallowed",
				"a proxy between has removed the upgrade to WebSocket");
		return refuse(SL_WS_HANDSHAKE_NONE, 426, "upgrade_required",
			"this path speaks WebSocket only");
	}
	const char *version = request->get(request->arg, "Sec-WebSocket-Version");
	if (!version || trim(&version) != 2 || strncmp(version, SL_WS_HANDSHAKE_VERSION, 2) != 0)
		return refuse(SL_WS_HANDSHAKE_BAD_VERSION, 426, "bad_version",
			"Sec-WebSocket-Version must be 13");
	if (!request->get(request->arg, "Host"))
		return refuse_bad("Host is missing");
	size_t key_len = key ? trim(&key) : 0;
	if (!key || !sl_base64_is_key16(key, key_len))
		return refuse_bad("Sec-WebSocket-Key must be 16 bytes in base64");
	if (!extensions_are_well_formed(request->get(request->arg, "Sec-WebSocket-Extensions")))
		return refuse_bad("Sec-WebSocket-Extensions is malformed");
	return (struct sl_ws_handshake_verdict) {
		.outcome = SL_WS_HANDSHAKE_OK, .status = 101, .key = key,
	};
}

void
sl_ws_handshake_append_accept(struct sl_buffer *out, const char *key)
{
	char text[SL_WS_HANDSHAKE_KEY_LEN + sizeof GUID - 1];
	uint8_t digest[SL_SHA1_LEN];
	memcpy(text, key, SL_WS_HANDSHAKE_KEY_LEN);
	memcpy(text + SL_WS_HANDSHAKE_KEY_LEN, GUID, sizeof GUID - 1);
	sl_crypto_sha1(text, sizeof text, digest);
	sl_base64_append(out, digest, sizeof digest);
}

static void
append_header(struct sl_buffer *out, const char *name, const char *value)
{
	sl_buffer_append_str(out, name);
	sl_buffer_append_str(out, ": ");
	sl_buffer_append_str(out, value);
	sl_buffer_append_str(out, "\r\n");
}

void
sl_ws_handshake_append_response(struct sl_buffer *out,
	const struct sl_ws_handshake_response *response)
{
	sl_buffer_append_str(out, "HTTP/1.1 101 Switching Protocols\r\n");
	append_header(out, "Upgrade", "websocket");
	append_header(out, "Connection", "Upgrade");
	sl_buffer_append_str(out, "Sec-WebSocket-Accept: ");
	sl_ws_handshake_append_accept(out, response->key);
	sl_buffer_append_str(out, "\r\n");
	if (response->protocol)
		append_header(out, "Sec-WebSocket-Protocol", response->protocol);
	append_header(out, "Sluice", response->sluice);
	if (response->headers)
		sl_buffer_append_str(out, response->headers);
	sl_buffer_append_str(out, "\r\n");
}
