#include "demo/tap.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "core/socket.h"
#include "demo/demo.h"
#include "demo/names.h"
#include "shard.h"
#include "util/clock.h"
#include "util/err.h"

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
	struct member members[NAMES_PER_SOCKET];
	unsigned member_count;
	struct member *current; /* whose request it is now; NULL: nobody's */
	char *head;             /* owns; the beginning of the next request's head, or NULL */
	size_t head_len;
	int64_t head_us;
	bool head_is_next;      /* its request has not begun */
	uint64_t noted;         /* bytes noted before they are read */
	unsigned head_match;    /* of "\r\n\r\n", so much has been sent */
	bool sends_head;        /* the response's head is not over */
	bool has_left;          /* the peer closed first */
};

static const char head_end[] = "\r\n\r\n";
#define HEAD_END_LEN (sizeof head_end - 1)

size_t
sl_tap_find_head_end(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, head_end, HEAD_END_LEN);
	return end ? (size_t)(end - bytes) + HEAD_END_LEN : 0;
}

/* ---- noting ---- */

static struct sl_names *
get_names(const struct tap *tap)
{
	return tap->shard->app->demo->names;
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
note_event(struct tap *tap, struct member *member, const struct sl_trace_event *event,
	const char *captured)
{
	unsigned dropped = sl_names_note(get_names(tap), member->name, tap->shard->loop.now_ms,
		event, captured);
	sl_metrics_add(&tap->shard->metrics, SL_COUNTER_DEMO_EVENTS_DROPPED, dropped);
}

/* Copies what the slices hold from offset `from`, at most `max` bytes. */
static size_t
gather(char *out, size_t max, const struct iovec *slices, int count, size_t from)
{
	size_t len = 0;
	for (int i = 0; i < count && len < max; i++) {
		if (from >= slices[i].iov_len) {
			from -= slices[i].iov_len;
			continue;
		}
		size_t piece = slices[i].iov_len - from;
		piece = piece < max - len ? piece : max - len;
		memcpy(out + len, (const char *)slices[i].iov_base + from, piece);
		len += piece;
		from = 0;
	}
	return len;
}

/* Bytes `from` to `to` of what one call carried. */
static void
note_bytes(struct tap *tap, enum sl_trace_what what, bool from_gateway,
	const struct iovec *slices, int count, size_t from, size_t to)
{
	char captured[SL_TRACE_CAPTURE];
	struct sl_trace_event event = make_event(tap->current, what, from_gateway);
	if (from == to)
		return;
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
	size_t known = tap->noted < len ? tap->noted : len;
	tap->noted -= known;
	if (tap->current)
		note_bytes(tap, SL_TRACE_BYTES, false, slices, count, known, len);
}

/* How many of the `len` bytes belong to the response's head. */
static size_t
measure_head(struct tap *tap, const struct iovec *slices, int count, size_t len)
{
	size_t at = 0;
	for (int i = 0; i < count && tap->sends_head; i++) {
		const char *bytes = slices[i].iov_base;
		for (size_t j = 0; j < slices[i].iov_len && at < len && tap->sends_head; j++, at++) {
			if (bytes[j] == head_end[tap->head_match])
				tap->head_match++;
			else
				tap->head_match = bytes[j] == head_end[0];
			tap->sends_head = tap->head_match < HEAD_END_LEN;
		}
	}
	return at;
}

static void
on_sent(struct sl_socket_tap *base, const struct iovec *slices, int count, size_t len)
{
	struct tap *tap = (struct tap *)base;
	if (!tap->current)
		return;
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
	free(tap->head);
	free(tap);
}

static const struct sl_socket_tap_ops ops = {
	.on_received = on_received,
	.on_sent = on_sent,
	.on_left = on_left,
	.destroy = destroy,
};

static struct tap *
get_tap(struct sl_shard *shard, struct sl_socket *socket)
{
	if (!socket->tap) {
		struct tap *tap = calloc(1, sizeof *tap);
		if (!tap)
			return NULL;
		tap->base.ops = &ops;
		tap->shard = shard;
		socket->tap = &tap->base;
	}
	return (struct tap *)socket->tap;
}

/* ---- requests ---- */

static void
forget_head(struct tap *tap)
{
	free(tap->head);
	tap->head = NULL;
	tap->head_len = 0;
}

/* A look at the request line, before anything is decoded: in doubt, yes. */
static bool
may_be_named(const char *bytes, size_t len)
{
	const char *line_end = memchr(bytes, '\n', len);
	return memmem(bytes, line_end ? (size_t)(line_end - bytes) : len, "demo=", 5) != NULL;
}

void
sl_tap_see_head(struct sl_shard *shard, struct sl_socket *socket, const char *bytes, size_t len)
{
	if (socket->tap)
		forget_head((struct tap *)socket->tap);
	if (!may_be_named(bytes, len))
		return;
	struct tap *tap = get_tap(shard, socket);
	size_t head_len = sl_tap_find_head_end(bytes, len);
	if (head_len == 0)
		head_len = len;
	if (head_len > SL_TRACE_CAPTURE)
		head_len = SL_TRACE_CAPTURE;
	if (!tap || !(tap->head = malloc(head_len)))
		return;
	memcpy(tap->head, bytes, head_len);
	tap->head_len = head_len;
	tap->head_us = sl_clock_wall_us();
	tap->head_is_next = true;
}

static struct member *
fill_member(struct tap *tap, struct member *member, struct sl_span name, enum sl_class class_)
{
	unsigned dropped_names = 0, dropped_events = 0;
	struct sl_metrics *metrics = &tap->shard->metrics;
	uint64_t now_ms = tap->shard->loop.now_ms;
	struct sl_name *got = sl_names_get(get_names(tap), name, now_ms, &dropped_names);
	sl_metrics_add(metrics, SL_COUNTER_DEMO_NAMES_DROPPED, dropped_names);
	if (!got)
		return NULL;
	if (member->name)
		sl_names_unref(get_names(tap), member->name, now_ms);
	*member = (struct member){ .name = got, .class = class_ };
	struct sl_trace_event event = make_event(member, SL_TRACE_OPEN, false);
	if (tap->head)
		event.time_us = tap->head_us;
	member->connection = sl_names_add_connection(get_names(tap), member->name, now_ms, &event,
		&dropped_events);
	sl_metrics_add(metrics, SL_COUNTER_DEMO_EVENTS_DROPPED, dropped_events);
	return member;
}

/* The connection as `name` sees it, from its first request on. NULL without memory, or when
 * it had too many names. */
static struct member *
get_member(struct tap *tap, struct sl_span name, enum sl_class class_)
{
	for (unsigned i = 0; i < tap->member_count; i++) {
		struct member *member = &tap->members[i];
		if (!sl_name_equals(member->name, name))
			continue;
		if (sl_names_has_dropped(get_names(tap), member->name))
			return fill_member(tap, member, name, class_);
		return member;
	}
	if (tap->member_count == NAMES_PER_SOCKET) {
		sl_metrics_add(&tap->shard->metrics, SL_COUNTER_DEMO_NAMES_DROPPED, 1);
		return NULL;
	}
	struct member *added = fill_member(tap, &tap->members[tap->member_count], name, class_);
	if (added)
		tap->member_count++;
	return added;
}

static void
note_head(struct tap *tap, size_t len)
{
	struct sl_trace_event event = make_event(tap->current, SL_TRACE_HEAD, false);
	if (tap->head)
		event.time_us = tap->head_us;
	event.bytes = len;
	event.captured_len = (uint32_t)(tap->head_len < len ? tap->head_len : len);
	note_event(tap, tap->current, &event, tap->head ? tap->head : "");
	forget_head(tap);
}

void
sl_tap_begin(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_tapped_request *request)
{
	struct tap *tap = get_tap(shard, socket);
	if (!tap)
		return;
	struct member *member = get_member(tap, request->name, request->class);
	tap->current = member;
	tap->sends_head = true;
	tap->head_match = 0;
	if (request->is_unread)
		tap->noted = request->head_len + request->body_len;
	if (!member) {
		forget_head(tap);
		return;
	}
	member->class = request->class;
	sl_names_count_request(get_names(tap), member->name, shard->loop.now_ms);
	note_head(tap, request->head_len);
	struct iovec body = { .iov_len = request->body.len };
	memcpy(&body.iov_base, &request->body.bytes, sizeof body.iov_base);
	note_bytes(tap, SL_TRACE_BYTES, false, &body, 1, 0, request->body_len);
}

void
sl_tap_rest(struct sl_socket *socket)
{
	struct tap *tap = (struct tap *)socket->tap;
	if (!tap)
		return;
	tap->current = NULL;
	if (!tap->head_is_next)
		forget_head(tap);
	tap->head_is_next = false;
}

bool
sl_tap_is_of(const struct sl_socket *socket, struct sl_span name)
{
	const struct tap *tap = (const struct tap *)socket->tap;
	return tap && tap->current && sl_name_equals(tap->current->name, name);
}
