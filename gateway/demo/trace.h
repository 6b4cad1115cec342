/* Trace: what went over the connections of one name: the last events with the beginning of
 * their bytes, and counts of all there ever were.
 * Owner: whoever has the struct, a name (demo/names.h). Thread: one at a time.
 * Errors: none.
 *
 * A ring of events and one of captured bytes: what is new pushes out what is oldest. */
#ifndef SL_DEMO_TRACE_H
#define SL_DEMO_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct sl_buffer;

#define SL_TRACE_EVENTS 256
#define SL_TRACE_HELD 65536 /* captured, of all events held */
#define SL_TRACE_CAPTURE 2048 /* of one event */

enum sl_trace_what {
	SL_TRACE_HEAD,  /* the head of an HTTP request or response (RFC 9112, section 2.1) */
	SL_TRACE_BYTES, /* everything else: bodies, chunks, frames */
	SL_TRACE_OPEN,  /* a connection's first request of this name */
	SL_TRACE_CLOSE, /* that connection's end */
};

struct sl_trace_event {
	int64_t time_us;       /* since the epoch */
	uint64_t bytes;        /* that the socket carried, or TLS on it */
	uint32_t tls_received; /* what TLS added to them on the wire; of an open, its handshake */
	uint32_t tls_sent;
	uint64_t captured_at;  /* set by sl_trace_add */
	uint32_t captured_len; /* at most SL_TRACE_CAPTURE, the first of `bytes` */
	uint32_t connection;   /* 1.. in order of opening; 0 of a name that was dropped */
	const char *transport; /* static */
	enum sl_trace_what what;
	bool from_gateway;
};

struct sl_trace_bytes {
	uint64_t heads, bodies;
	uint64_t tls; /* besides: records' heads and tags, handshakes */
};

struct sl_trace {
	uint64_t connections, requests;
	struct sl_trace_bytes received, sent;
	uint64_t first, next; /* events that are held: numbers first..next-1, counting from 1 */
	uint64_t captured;    /* bytes ever captured */
	struct sl_trace_event events[SL_TRACE_EVENTS]; /* number modulo SL_TRACE_EVENTS */
	char bytes[SL_TRACE_HELD];                    /* the same with bytes */
};

void sl_trace_init(struct sl_trace *trace);

/* Adds an event, with `event->captured_len` bytes of it, and counts its bytes and what it begins: a
 * request, or a connection, which it numbers. Returns how many older events it pushed out. */
unsigned sl_trace_add(struct sl_trace *trace, struct sl_trace_event *event, const char *captured);

/* Appends the members "connections" to "sent" of the JSON object that tells of a name. */
void sl_trace_append_counts(struct sl_buffer *out, const struct sl_trace *trace);

/* Appends the members "next", "dropped" and "events": those with numbers above `after`
 * (which starts anew when it is from an earlier life of the name), with their bytes if
 * `shows_bytes`. */
void sl_trace_append_events(struct sl_buffer *out, const struct sl_trace *trace, uint64_t after,
	bool shows_bytes);

#endif
