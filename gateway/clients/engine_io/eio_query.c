#include "clients/engine_io/eio_query.h"

#include <string.h>

static void
take(struct sl_eio_query *out, struct sl_span parameter)
{
	const char *equals = memchr(parameter.bytes, '=', parameter.len);
	if (!equals)
		return;
	struct sl_span name = { parameter.bytes, (size_t)(equals - parameter.bytes) };
	struct sl_span value = { equals + 1, parameter.len - name.len - 1 };
	if (sl_span_equals(name, "EIO"))
		out->revision = value;
	else if (sl_span_equals(name, "transport"))
		out->transport = value;
	else if (sl_span_equals(name, "sid") && value.len) /* an empty one is none, as in the reference */
		out->id = value;
}

void
sl_eio_query_read(struct sl_eio_query *out, struct sl_span target)
{
	*out = (struct sl_eio_query){ .revision = { 0 } };
	const char *mark = target.len ? memchr(target.bytes, '?', target.len) : NULL;
	if (!mark)
		return;
	const char *at = mark + 1, *end = target.bytes + target.len;
	while (at < end) {
		const char *next = memchr(at, '&', (size_t)(end - at));
		size_t len = next ? (size_t)(next - at) : (size_t)(end - at);
		take(out, (struct sl_span){ at, len });
		at += len + 1;
	}
}
