#include "live/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "util/err.h"
#include "util/quote.h"

#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 3600000u

void
sl_refusal_format(struct sl_refusal *refusal, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	refusal->code = code;
	refusal->is_final = false;
	refusal->retry_ms = 0;
	vsnprintf(refusal->message, sizeof refusal->message, format, args);
	va_end(args);
}

void
sl_refusal_set(struct sl_refusal *refusal, const char *code, const char *message)
{
	sl_refusal_format(refusal, code, "%s", message);
}

void
sl_refusal_set_channel(struct sl_refusal *refusal, const char *where, struct sl_span name)
{
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, name);
	sl_refusal_format(refusal, "bad_channel", "%s: %s %s; use " SL_CHANNEL_NAME_FORM, where, quoted,
		sl_channel_name_explain(name.bytes, name.len));
}

void
sl_refusal_set_value(struct sl_refusal *refusal, const char *code, const char *where, struct sl_span value,
	const char *right)
{
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, value);
	sl_refusal_format(refusal, code, "%s: %s is not valid; use %s", where, quoted, right);
}

void
sl_refusal_set_err(struct sl_refusal *refusal, int err)
{
	/* The syntax of a request that comes this far is that of its payload. */
	const char *message = err == SL_ESYNTAX ?
		"the payload is not valid JSON; use one JSON value (RFC 8259)" : sl_strerror(err);
	sl_refusal_set(refusal, sl_err_code(err), message);
}

static const struct { const char *what, *option; } limits[SL_LIMIT_COUNT] = {
	[SL_LIMIT_REQUESTS] = { "requests", "request-rate" },
	[SL_LIMIT_PUBLISHES] = { "publishes", "publish-rate" },
	[SL_LIMIT_PUBLISHED_BYTES] = { "published bytes", "publish-bytes" },
	[SL_LIMIT_DELIVERIES] = { "deliveries of published messages", "delivery-rate" },
	[SL_LIMIT_SUBSCRIBES] = { "channels subscribed to", "subscribe-rate" },
	[SL_LIMIT_HISTORY_BYTES] = { "bytes of history", "history-rate" },
	[SL_LIMIT_TOKEN_FAILURES] = { "refused tokens", "token-failure-rate" },
};

/* A limit that pays again for one thing in a moment does not for all that are waiting: the client is to ask
 * again when it has earned something. */
static uint32_t
clamp_ms(uint64_t wait_ms)
{
	if (wait_ms < RETRY_MIN_MS)
		return RETRY_MIN_MS;
	return wait_ms < RETRY_MAX_MS ? (uint32_t)wait_ms : RETRY_MAX_MS;
}

void
sl_refusal_set_limit(struct sl_refusal *refusal, enum sl_limit limit, uint64_t wait_ms)
{
	refusal->code = sl_err_code(SL_ELIMITED);
	refusal->is_final = false;
	refusal->retry_ms = clamp_ms(wait_ms);
	snprintf(refusal->message, sizeof refusal->message,
		"more %s than --%s allows one client; try again in %llu s", limits[limit].what,
		limits[limit].option, (unsigned long long)sl_refusal_get_retry_s(refusal));
}

uint64_t
sl_refusal_get_retry_s(const struct sl_refusal *refusal)
{
	return (refusal->retry_ms + 999u) / 1000u;
}
