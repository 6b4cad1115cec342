/* Finds the messages in a response's body, any bytes at a time, and judges none: events of
 * Server-Sent Events, lines of JSON, or one that is the whole body.
 * Owner: the caller. Thread: one. Errors: none.
 *
 * Source: WHATWG HTML, section 9.2.6. */
#ifndef SL_BENCH_OBSTACLE_EVENTS_H
#define SL_BENCH_OBSTACLE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/obstacle/head.h"

enum ob_event_form {
	OB_NO_EVENTS,
	OB_EVENTS, /* text/event-stream */
	OB_LINES,  /* application/x-ndjson */
	OB_ANSWER, /* of a poll: the whole body is one */
};

struct ob_events {
	enum ob_event_form form;
	bool is_inside;   /* one has begun and not ended */
	bool has_content; /* it has been told where its content begins */
	bool is_after_cr;
	unsigned column;  /* of an event's line, as far as it can be a data line */
	bool is_dropped;  /* set by the caller at its begin: its bytes are not wanted */
};

enum ob_event_step {
	OB_EVENT_MORE,    /* all bytes are taken, nothing to tell */
	OB_EVENT_BEGIN,   /* one begins; empty lines between two are none */
	OB_EVENT_CONTENT, /* its JSON begins: of an event, the first data field's value */
	OB_EVENT_BYTES,   /* `*part_len` bytes at `*part`, of the one that has begun last */
};

/* Makes it ready for the body of `response` to a request of this transport (ob_exchange). */
void ob_events_begin(struct ob_events *events, const struct ob_head *response,
	const char *transport);

/* Takes the next step over `*bytes`, `*len`, which it moves on. */
enum ob_event_step ob_events_next(struct ob_events *events, const char **bytes, size_t *len,
	const char **part, size_t *part_len);

#endif
