#include "http/head_echo.h"

#include "http/head.h"
#include "util/redact.h"
#include "util/utf8.h"

/* What proxies look at, and what they add to say who they are. */
static const char *const shown[] = {
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Length",
	"Content-Type", "Expect", "Forwarded", "Host", "Keep-Alive", "Last-Event-ID", "Max-Forwards",
	"Origin", "Pragma", "Proxy-Connection", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
	"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "TE", "Trailer",
	"Transfer-Encoding", "Upgrade", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Port", "X-Forwarded-Proto", "X-Real-IP",
};

const char *
sl_head_echo_find(struct sl_span name)
{
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (sl_span_is_word(name, shown[i]))
			return shown[i];
	return NULL;
}

/* Not in the middle of a character; null for what is no UTF-8. */
static void
append_text(struct sl_buffer *out, struct sl_span text)
{
	size_t len = text.len < SL_HEAD_ECHO_VALUE ? text.len : SL_HEAD_ECHO_VALUE;
	while (len > 0 && len < text.len && ((unsigned char)text.bytes[len] & 0xc0) == 0x80)
		len--;
	if (sl_utf8_valid(text.bytes, len))
		sl_buffer_append_json_string(out, text.bytes, len);
	else
		sl_buffer_append_str(out, "null");
}

/* Whoever asks learns that a proxy let it through, and how long it is. */
static void
append_redacted(struct sl_buffer *out, struct sl_span name, struct sl_span value)
{
	char copy[SL_HEAD_ECHO_VALUE + 1]; /* one more: it shows that the value was cut */
	size_t len = value.len < sizeof copy ? value.len : sizeof copy;
	memcpy(copy, value.bytes, len);
	sl_redact_value(name, copy, len);
	append_text(out, (struct sl_span){ copy, len });
}

static void
append_line(struct sl_buffer *out, struct sl_span name, struct sl_span value)
{
	sl_buffer_append_char(out, '[');
	append_text(out, name);
	sl_buffer_append_char(out, ',');
	if (sl_head_echo_find(name) || sl_redact_is_secret(name))
		append_redacted(out, name, value);
	else
		sl_buffer_append_str(out, "null");
	sl_buffer_append_char(out, ']');
}

void
sl_head_echo_append(struct sl_buffer *out, const struct sl_head *head, const char *client,
	bool is_secure)
{
	struct sl_span rest = head->lines, name, value;
	unsigned lines = 0;
	sl_buffer_printf(out, "{\"client\":\"%s\",\"secure\":%s,\"method\":", client,
		is_secure ? "true" : "false");
	append_text(out, head->method);
	sl_buffer_printf(out, ",\"version\":\"HTTP/1.%u\",\"headers\":[",
		head->version == SL_HTTP_1_1 ? 1u : 0u);
	for (; sl_head_next(&rest, &name, &value); lines++) {
		if (lines >= SL_HEAD_ECHO_LINES)
			continue;
		if (lines > 0)
			sl_buffer_append_char(out, ',');
		append_line(out, name, value);
	}
	sl_buffer_printf(out, "],\"more\":%u}\n",
		lines > SL_HEAD_ECHO_LINES ? lines - SL_HEAD_ECHO_LINES : 0);
}
