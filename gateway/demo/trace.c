#include "demo/trace.h"

#include <string.h>

#include "util/base64.h"
#include "util/buffer.h"

void
sl_trace_init(struct sl_trace *trace)
{
	memset(trace, 0, sizeof *trace);
	trace->first = trace->next = 1;
}

static const struct sl_trace_event *
get_event(const struct sl_trace *trace, uint64_t number)
{
	return &trace->events[number % SL_TRACE_EVENTS];
}

static void
count(struct sl_trace *trace, struct sl_trace_event *event)
{
	if (event->what == SL_TRACE_OPEN)
		event->connection = (uint32_t)++trace->connections;
	trace->requests += event->what == SL_TRACE_HEAD && !event->from_gateway;
	struct sl_trace_bytes *bytes = event->from_gateway ? &trace->sent : &trace->received;
	if (event->what == SL_TRACE_HEAD)
		bytes->heads += event->bytes;
	else if (event->what == SL_TRACE_BYTES)
		bytes->bodies += event->bytes;
	trace->received.tls += event->tls_received;
	trace->sent.tls += event->tls_sent;
}

/* Both rings wrap, so bytes may lie in two pieces. */
static void
capture(struct sl_trace *trace, const char *bytes, size_t len)
{
	size_t at = trace->captured % SL_TRACE_HELD;
	size_t before_end = SL_TRACE_HELD - at < len ? SL_TRACE_HELD - at : len;
	if (len == 0)
		return;
	memcpy(trace->bytes + at, bytes, before_end);
	memcpy(trace->bytes, bytes + before_end, len - before_end);
	trace->captured += len;
}

unsigned
sl_trace_add(struct sl_trace *trace, struct sl_trace_event *event, const char *captured)
{
	unsigned dropped = 0;
	struct sl_trace_event *added = &trace->events[trace->next % SL_TRACE_EVENTS];
	uint64_t captured_end = trace->captured + event->captured_len;
	while (trace->first < trace->next &&
			(trace->next - trace->first == SL_TRACE_EVENTS ||
			captured_end - get_event(trace, trace->first)->captured_at > SL_TRACE_HELD)) {
		trace->first++;
		dropped++;
	}
	count(trace, event);
	*added = *event;
	added->captured_at = trace->captured;
	capture(trace, captured, event->captured_len);
	trace->next++;
	return dropped;
}

static void
append_bytes(struct sl_buffer *out, const char *name, const struct sl_trace_bytes *bytes)
{
	sl_buffer_printf(out, ",\"%s\":{\"heads\":%llu,\"bodies\":%llu", name,
		(unsigned long long)bytes->heads, (unsigned long long)bytes->bodies);
	if (bytes->tls)
		sl_buffer_printf(out, ",\"tls\":%llu", (unsigned long long)bytes->tls);
	sl_buffer_append_char(out, '}');
}

void
sl_trace_append_counts(struct sl_buffer *out, const struct sl_trace *trace)
{
	sl_buffer_printf(out, "\"connections\":%llu,\"requests\":%llu",
		(unsigned long long)trace->connections, (unsigned long long)trace->requests);
	append_bytes(out, "received", &trace->received);
	append_bytes(out, "sent", &trace->sent);
}

static void
append_captured(struct sl_buffer *out, const struct sl_trace *trace,
	const struct sl_trace_event *event)
{
	char bytes[SL_TRACE_CAPTURE];
	size_t at = event->captured_at % SL_TRACE_HELD, len = event->captured_len;
	size_t before_end = SL_TRACE_HELD - at < len ? SL_TRACE_HELD - at : len;
	memcpy(bytes, trace->bytes + at, before_end);
	memcpy(bytes + before_end, trace->bytes, len - before_end);
	sl_buffer_append_str(out, ",\"base64\":\"");
	sl_base64_append(out, bytes, len);
	sl_buffer_append_char(out, '"');
}

/* Of a connection's opening it is the handshake, both ways. */
static void
append_tls(struct sl_buffer *out, const struct sl_trace_event *event)
{
	if (event->what == SL_TRACE_OPEN)
		sl_buffer_printf(out, ",\"handshake\":{\"received\":%u,\"sent\":%u}",
			event->tls_received, event->tls_sent);
	else
		sl_buffer_printf(out, ",\"tls\":%u", event->tls_received + event->tls_sent);
}

static void
append_event(struct sl_buffer *out, const struct sl_trace *trace, uint64_t number,
	bool shows_bytes)
{
	static const char *const names[] = {
		[SL_TRACE_HEAD] = "head",
		[SL_TRACE_BYTES] = "bytes",
		[SL_TRACE_OPEN] = "open",
		[SL_TRACE_CLOSE] = "close",
	};
	const struct sl_trace_event *event = get_event(trace, number);
	sl_buffer_printf(out, "{\"n\":%llu,\"time\":%lld,\"connection\":%u,\"transport\":\"%s\","
		"\"from\":\"%s\",\"what\":\"%s\",\"bytes\":%llu", (unsigned long long)number,
		(long long)event->time_us, event->connection, event->transport,
		event->from_gateway ? "gateway" : "client", names[event->what],
		(unsigned long long)event->bytes);
	if (event->tls_received || event->tls_sent)
		append_tls(out, event);
	if (shows_bytes)
		append_captured(out, trace, event);
	sl_buffer_append_char(out, '}');
}

void
sl_trace_append_events(struct sl_buffer *out, const struct sl_trace *trace, uint64_t after,
	bool shows_bytes)
{
	if (after >= trace->next)
		after = 0;
	uint64_t number = after + 1 < trace->first ? trace->first : after + 1;
	sl_buffer_printf(out, "\"next\":%llu,\"dropped\":%llu,\"events\":[",
		(unsigned long long)(trace->next - 1), (unsigned long long)(number - after - 1));
	for (const char *comma = ""; number < trace->next; number++, comma = ",") {
		sl_buffer_append_str(out, comma);
		append_event(out, trace, number, shows_bytes);
	}
	sl_buffer_append_char(out, ']');
}
