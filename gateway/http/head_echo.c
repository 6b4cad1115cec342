#include "http/head_echo.h"

#include <string.h>
#include <strings.h>

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

static bool
is_shown(const char *name)
{
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		if (strcasecmp(name, shown[i]) == 0)
			return true;
	return false;
}

/* Not in the middle of a character; null for what is no UTF-8. */
static void
append_text(struct sl_buffer *out, const char *text)
{
	size_t len = strnlen(text, SL_HEAD_ECHO_VALUE);
	while (len == SL_HEAD_ECHO_VALUE && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	if (sl_utf8_valid(text, len))
		sl_buffer_append_json_string(out, text, len);
	else
		sl_buffer_append_str(out, "null");
}

void
sl_head_echo_begin(struct sl_head_echo *echo, struct sl_buffer *out, const char *method,
	unsigned http_minor)
{
	*echo = (struct sl_head_echo){ .out = out };
	sl_buffer_append_str(out, "{\"method\":");
	append_text(out, method);
	sl_buffer_printf(out, ",\"version\":\"HTTP/1.%u\",\"headers\":[", http_minor);
}

void
sl_head_echo_add(struct sl_head_echo *echo, const char *name, const char *value)
{
	struct sl_buffer *out = echo->out;
	if (echo->lines++ >= SL_HEAD_ECHO_LINES)
		return;
	sl_buffer_append_str(out, echo->lines > 1 ? ",[" : "[");
	append_text(out, name);
	sl_buffer_append_char(out, ',');
	if (value && is_shown(name))
		append_text(out, value);
	else
		sl_buffer_append_str(out, "null");
	sl_buffer_append_char(out, ']');
}

void
sl_head_echo_end(struct sl_head_echo *echo)
{
	unsigned more = echo->lines > SL_HEAD_ECHO_LINES ? echo->lines - SL_HEAD_ECHO_LINES : 0;
	sl_buffer_printf(echo->out, "],\"more\":%u}\n", more);
}
