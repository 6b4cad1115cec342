#include "demo/tap.h"

#include <stdlib.h>
#include <string.h>

#include "core/socket.h"
#include "demo/demo.h"
#include "demo/names.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/redact.h"

#define NAMES_PER_SOCKET 8

/* The connection as one name sees it. */
struct member {
	struct sl_name *name; /* a reference */
	uint32_t connection;
	enum sl_class class;  /* of its last request */
};

struct tap {
	struct sl_socket_tap base; /* first: the socket has it */
	struct sl_shard *shard;
	const struct sl_socket *socket;
	uint64_t told_in, told_out; /* of what TLS added to what the socket carried */
	struct member members[NAMES_PER_SOCKET];
	unsigned member_count;
	unsigned head_match;    /* of "\r\n\r\n", so much has been sent */
	struct member *current; /* whose request it is now; NULL: nobody's */
	bool sends_head;        /* the response's head is not over */
	bool has_left;          /* the peer closed first */
	bool tells_handshake;   /* to the first name */
	uint32_t head_tls;      /* what TLS added to the request that is read */
	uint32_t head_len;
	char head[SL_TRACE_CAPTURE]; /* the beginning of the request's head, as it came, but
	                             * for what proves who asks */
};

/* ---- noting ---- */

static struct sl_names *
get_names(const struct tap *tap)
{
	return sl_demo_of(tap->shard)->names;
}

static struct sl_trace_event
make_event(const struct member *member, enum sl_trace_what what, bool from_gateway)
{
	return (struct sl_trace_event){
		.time_us = sl_clock_wall_us(),
		.connection = member->connection,
		.transport = sl_class_name(member->class),
		.what = what,
		.from_gateway = from_gateway,
	};
}

static void
note_event(struct tap *tap, struct member *member, struct sl_trace_event *event,
	const char *captured)
{
	unsigned dropped = sl_names_note(get_names(tap), member->name, tap->shard->loop.now_ms,
		event, captured);
	sl_metrics_add(&tap->shard->metrics, SL_COUNTER_DEMO_EVENTS_DROPPED, dropped);
}

/* ---- what TLS adds ---- */

/* Since it was last asked. */
static uint32_t
take_received_tls(struct tap *tap)
{
	const struct sl_socket_secure *secure = tap->socket->secure;
	if (!secure || secure->has_input) /* it is known when the record is read whole */
		return 0;
	uint64_t added = secure->added_in - tap->told_in;
	tap->told_in = secure->added_in;
	return (uint32_t)added;
}

static uint32_t
take_sent_tls(struct tap *tap)
{
	const struct sl_socket_secure *secure = tap->socket->secure;
	uint64_t added = secure ? secure->added_out - tap->told_out : 0;
	tap->told_out += added;
	return (uint32_t)added;
}

/* From here on: the connection may have served others before. */
static void
start_telling_tls(struct tap *tap)
{
	const struct sl_socket_secure *secure = tap->socket->secure;
	if (!secure)
		return;
	tap->tells_handshake = secure->added_out == secure->handshake_out;
	tap->told_in = tap->tells_handshake ? secure->handshake_in : secure->added_in;
	tap->told_out = secure->added_out;
}

/* ---- what is noted ---- */

/* Copies what the slices hold from offset `from`, at most `max` bytes. */
static size_t
gather(char *out, size_t max, const struct iovec *slices, int count, size_t from)
{
	size_t len = 0;
	for (int i = 0; i < count && len < max; i++) {
		size_t skipped = from < slices[i].iov_len ? from : slices[i].iov_len;
		size_t piece = slices[i].iov_len - skipped;
		piece = piece < max - len ? piece : max - len;
		memcpy(out + len, (const char *)slices[i].iov_base + skipped, piece);
		len += piece;
		from -= skipped;
	}
	return len;
}

/* Bytes `from` to `to` of what one call carried; the first of them have what TLS added to it. */
static void
note_bytes(struct tap *tap, enum sl_trace_what what, bool from_gateway,
	const struct iovec *slices, int count, size_t from, size_t to)
{
	char captured[SL_TRACE_CAPTURE];
	struct sl_trace_event event = make_event(tap->current, what, from_gateway);
	if (from == to)
		return;
	if (from_gateway)
		event.tls_sent = take_sent_tls(tap);
	else
		event.tls_received = take_received_tls(tap);
	event.bytes = to - from;
	event.captured_len = (uint32_t)gather(captured,
		event.bytes < sizeof captured ? event.bytes : sizeof captured, slices, count, from);
	note_event(tap, tap->current, &event, captured);
}

/* ---- what the socket tells ---- */

static void
on_received(struct sl_socket_tap *base, const struct iovec *slices, int count, size_t len)
{
	struct tap *tap = (struct tap *)base;
	if (tap->current)
		note_bytes(tap, SL_TRACE_BYTES, false, slices, count, 0, len);
}

/* How many of the `len` bytes belong to the response's head. */
static size_t
measure_head(struct tap *tap, const struct iovec *slices, int count, size_t len)
{
	static const char end[] = "\r\n\r\n";
	size_t at = 0;
	for (int i = 0; i < count && tap->sends_head; i++) {
		const char *bytes = slices[i].iov_base;
		for (size_t j = 0; j < slices[i].iov_len && at < len && tap->sends_head; j++, at++) {
			if (bytes[j] == end[tap->head_match])
				tap->head_match++;
			else
				tap->head_match = bytes[j] == end[0];
			tap->sends_head = tap->head_match < sizeof end - 1;
		}
	}
	return at;
}

static void
on_sent(struct sl_socket_tap *base, const struct iovec *slices, int count, size_t len)
{
	struct tap *tap = (struct tap *)base;
	if (!tap->current) {
		take_sent_tls(tap); /* nobody's */
		return;
	}
	size_t head_len = measure_head(tap, slices, count, len);
	note_bytes(tap, SL_TRACE_HEAD, true, slices, count, 0, head_len);
	note_bytes(tap, SL_TRACE_BYTES, true, slices, count, head_len, len);
}

static void
on_left(struct sl_socket_tap *base)
{
	((struct tap *)base)->has_left = true;
}

static void
destroy(struct sl_socket_tap *base)
{
	struct tap *tap = (struct tap *)base;
	for (unsigned i = 0; i < tap->member_count; i++) {
		struct member *member = &tap->members[i];
		struct sl_trace_event event = make_event(member, SL_TRACE_CLOSE, !tap->has_left);
		note_event(tap, member, &event, "");
		sl_names_unref(get_names(tap), member->name, tap->shard->loop.now_ms);
	}
	free(tap);
}

static const struct sl_socket_tap_ops ops = {
	.on_received = on_received,
	.on_sent = on_sent,
	.on_left = on_left,
	.destroy = destroy,
};

/* ---- requests ---- */

static struct tap *
get_tap(struct sl_shard *shard, struct sl_socket *socket)
{
	struct tap *tap = (struct tap *)socket->tap;
	if (!tap && (tap = calloc(1, sizeof *tap)) != NULL) {
		tap->base.ops = &ops;
		tap->shard = shard;
		tap->socket = socket;
		start_telling_tls(tap);
		socket->tap = &tap->base;
	}
	return tap;
}

void
sl_tap_rest(struct sl_shard *shard, struct sl_socket *socket, const char *head, size_t len)
{
	/* A look before anything is decoded: in doubt, it may have a name. */
	bool may_be_named = socket->tap || memmem(head, len, "demo=", 5);
	struct tap *tap = may_be_named ? get_tap(shard, socket) : NULL;
	if (!tap)
		return;
	tap->current = NULL;
	tap->head_tls = take_received_tls(tap);
	tap->head_len = (uint32_t)(len < sizeof tap->head ? len : sizeof tap->head);
	memcpy(tap->head, head, tap->head_len);
	sl_redact_head(tap->head, tap->head_len);
}

/* The connection is new to the request's name. False without memory. */
static bool
fill_member(struct tap *tap, struct member *member, const struct sl_tapped_request *request)
{
	unsigned dropped = 0;
	uint64_t now_ms = tap->shard->loop.now_ms;
	struct sl_name *got = sl_names_get(get_names(tap), request->name, now_ms, &dropped);
	sl_metrics_add(&tap->shard->metrics, SL_COUNTER_DEMO_NAMES_DROPPED, dropped);
	if (!got)
		return false;
	if (member->name)
		sl_names_unref(get_names(tap), member->name, now_ms);
	*member = (struct member){ .name = got, .class = request->class };
	struct sl_trace_event event = make_event(member, SL_TRACE_OPEN, false);
	event.time_us = request->began_us;
	if (tap->tells_handshake) {
		event.tls_received = tap->socket->secure->handshake_in;
		event.tls_sent = tap->socket->secure->handshake_out;
		tap->tells_handshake = false;
	}
	note_event(tap, member, &event, "");
	member->connection = event.connection;
	return true;
}

/* The connection as the request's name sees it. NULL without memory, or when it had too many
 * names. */
static struct member *
get_member(struct tap *tap, const struct sl_tapped_request *request)
{
	unsigned at = 0;
	while (at < tap->member_count && !sl_name_equals(tap->members[at].name, request->name))
		at++;
	if (at == NAMES_PER_SOCKET) {
		sl_metrics_add(&tap->shard->metrics, SL_COUNTER_DEMO_NAMES_DROPPED, 1);
		return NULL;
	}
	struct member *member = &tap->members[at];
	bool is_known = at < tap->member_count && !sl_names_has_dropped(get_names(tap), member->name);
	if (!is_known && !fill_member(tap, member, request))
		return NULL;
	if (at == tap->member_count)
		tap->member_count++;
	member->class = request->class;
	return member;
}

static void
note_head(struct tap *tap, const struct sl_tapped_request *request)
{
	struct sl_trace_event event = make_event(tap->current, SL_TRACE_HEAD, false);
	event.time_us = request->began_us;
	event.bytes = request->head_len;
	event.tls_received = tap->head_tls;
	event.captured_len = tap->head_len;
	note_event(tap, tap->current, &event, tap->head);
}

void
sl_tap_begin(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_tapped_request *request)
{
	struct tap *tap = get_tap(shard, socket);
	if (!tap)
		return;
	tap->current = get_member(tap, request);
	tap->sends_head = true;
	tap->head_match = 0;
	if (!tap->current)
		return;
	note_head(tap, request);
	struct iovec body = { .iov_len = request->body.len };
	memcpy(&body.iov_base, &request->body.bytes, sizeof body.iov_base); /* which is not const */
	note_bytes(tap, SL_TRACE_BYTES, false, &body, body.iov_len > 0, 0, request->body_len);
}

void
sl_tap_pass(struct sl_socket *socket)
{
	if (socket->tap)
		take_received_tls((struct tap *)socket->tap);
}

bool
sl_tap_is_of(const struct sl_socket *socket, struct sl_span name)
{
	const struct tap *tap = (const struct tap *)socket->tap;
	return tap && tap->current && sl_name_equals(tap->current->name, name);
}
