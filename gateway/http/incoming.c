#include "http/incoming.h"

#include <stdlib.h>
#include <string.h>

#include "auth/principals.h"
#include "config/config.h"
#include "http/body.h"
#include "http/connection.h"
#include "http/front.h"
#include "http/gate.h"
#include "http/http.h"
#include "http/observer.h"
#include "http/serve.h"
#include "http/settings.h"
#include "http/transport.h"
#include "http/trust.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/clock.h"

#define SWALLOWED_MAX (1u << 20) /* of a refused body, before the connection is given up */
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* What is known of a request whose head is not complete. */
struct begun {
	size_t scanned;          /* of its bytes */
	int64_t began_us;        /* the first byte, where somebody looks on */
	bool has_deadline;
};

struct sl_incoming {
	struct begun begun;
	struct sl_buffer bytes;  /* an incomplete head; the head of a request whose body is read; what
	                          * came behind a request that is being served */
	size_t pinned;           /* counted in the shard's sum */
	struct sl_head head;
	struct sl_judgement judgement;
	struct sl_body body;     /* while it is read */
};

/* ---- what is kept ---- */

static void
set_pinned(struct sl_connection *c, size_t pinned)
{
	c->link.shard->framer.pinned_bytes += pinned - c->incoming->pinned;
	c->incoming->pinned = pinned;
	c->link.request_bytes = (uint32_t)pinned;
}

static void
let_go(struct sl_connection *c)
{
	set_pinned(c, 0);
	sl_judgement_finish(&c->incoming->judgement);
	sl_buffer_finish(&c->incoming->bytes);
	sl_body_finish(&c->incoming->body);
	free(c->incoming);
	c->incoming = NULL;
}

/* Of bytes that are no part of a request that was served; sl_serve() counts those of one that was. */
static void
count_unserved(struct sl_connection *c, uint64_t len)
{
	sl_link_count_in(&c->link, SL_CLASS_HTTP, len);
}

void
sl_incoming_drop(struct sl_connection *c)
{
	if (!c->incoming)
		return;
	count_unserved(c, c->incoming->bytes.len + c->incoming->body.wire);
	let_go(c);
}

static int64_t
get_time_us(const struct sl_connection *c)
{
	return c->link.shard->front->http->observer ? sl_clock_wall_us() : 0;
}

/* Keeps a copy. False when the connection was closed for want of memory. */
static bool
keep(struct sl_connection *c, const char *bytes, size_t len)
{
	if (!c->incoming) {
		c->incoming = calloc(1, sizeof *c->incoming);
		if (c->incoming)
			c->incoming->begun.began_us = get_time_us(c);
	}
	if (c->incoming)
		sl_buffer_append(&c->incoming->bytes, bytes, len);
	if (!c->incoming || sl_buffer_status(&c->incoming->bytes) != 0) {
		sl_link_close(&c->link);
		return false;
	}
	set_pinned(c, c->incoming->bytes.len);
	return true;
}

bool
sl_incoming_is_partial(const struct sl_connection *c)
{
	return c->phase == SL_PHASE_BODY || c->phase == SL_PHASE_SWALLOWING ||
		(c->phase == SL_PHASE_READING && c->incoming);
}

static void
set_deadline(struct sl_connection *c)
{
	struct sl_shard *shard = c->link.shard;
	sl_link_set_timer(&c->link, shard->loop.now_ms + shard->config->request_timeout_ms);
}

/* ---- judging ---- */

static void
judge(struct sl_connection *c, struct sl_judgement *judgement, const struct sl_head *head)
{
	const struct sl_front *front = c->link.shard->front;
	struct sl_principals *principals = c->link.shard->principals;
	sl_trust_begin_request(c, head);
	const struct sl_gate gate = {
		.config = &front->settings->config,
		.access = front->settings->access,
		.routes = &front->http->routes,
		.is_full = c->is_full,
		.is_client_full = c->is_client_full,
		.is_draining = c->link.shard->draining,
		.lacks_tls = c->lacks_tls,
		.is_for_admins = c->is_admin,
		.owner = c->link.owner,
		.now_ms = c->link.shard->loop.now_ms,
		.principals = principals,
		.now_s = sl_principals_get_auth(principals) ? sl_clock_wall_us() / 1000000 : 0,
	};
	const char *query = memchr(head->target.bytes, '?', head->target.len);
	char *at = NULL;
	size_t len = 0;
	if (query) {
		/* The bytes are ours to change: they were read into memory of this shard's. */
		size_t before = (size_t)(++query - head->target.bytes);
		len = head->target.len - before;
		memcpy(&at, &query, sizeof at);
	}
	sl_gate_judge(judgement, &gate, head, at, len);
}

/* ---- bodies ---- */

/* What there is of the request is let go of at once, not when its client has seen the answer. */
static void
serve_unread(struct sl_connection *c)
{
	sl_serve_unread(c, &c->incoming->judgement);
	sl_incoming_drop(c);
}

static void
begin_body(struct sl_connection *c)
{
	struct sl_incoming *incoming = c->incoming;
	struct sl_judgement *judgement = &incoming->judgement;
	const struct sl_head *head = &incoming->head;
	bool is_refused = judgement->verdict != SL_GATE_SERVE;
	sl_body_begin(&incoming->body, head, is_refused ? 0 : judgement->request.body_max);
	if (!incoming->begun.has_deadline)
		set_deadline(c);
	if (is_refused && (head->expects_continue || head->content_length > SWALLOWED_MAX)) {
		serve_unread(c);
		return;
	}
	c->phase = is_refused ? SL_PHASE_SWALLOWING : SL_PHASE_BODY;
	if (head->expects_continue)
		sl_link_send(&c->link, CONTINUE, sizeof CONTINUE - 1);
}

/* The head is here, its body not: both are read on beside a copy of the head. */
static void
keep_head(struct sl_connection *c, const struct sl_head *head, const struct begun *begun)
{
	struct sl_head_refusal refusal;
	if (!keep(c, head->bytes.bytes, head->bytes.len))
		return;
	struct sl_incoming *incoming = c->incoming;
	incoming->begun = *begun;
	sl_head_parse(&incoming->head, incoming->bytes.bytes, incoming->bytes.len, &refusal);
	judge(c, &incoming->judgement, &incoming->head);
	begin_body(c);
}

static void
end_body(struct sl_connection *c)
{
	struct sl_incoming *incoming = c->incoming;
	struct sl_judgement *judgement = &incoming->judgement;
	struct sl_body *body = &incoming->body;
	c->incoming = NULL; /* it is over, should the connection close */
	if (c->phase == SL_PHASE_BODY && sl_body_is_too_long(body))
		sl_gate_refuse_size(judgement);
	judgement->request.body = (struct sl_span){ body->bytes.bytes ? body->bytes.bytes : "",
		body->bytes.len };
	c->phase = SL_PHASE_READING;
	sl_serve(c, judgement, &(struct sl_served_bytes){
		incoming->head.bytes.len, body->wire, incoming->begun.began_us });
	c->incoming = incoming;
	let_go(c);
}

/* Its path's clients read the usual answer to bytes that are no request as little as any other of ours. */
static bool
refuses_chunks(const struct sl_incoming *incoming)
{
	const struct sl_transport *transport = incoming->judgement.request.transport;
	return incoming->judgement.verdict == SL_GATE_SERVE && transport &&
		(transport->capabilities & SL_REFUSES);
}

/* Returns how much was used. */
static size_t
take_body(struct sl_connection *c, const char *bytes, size_t len)
{
	struct sl_incoming *incoming = c->incoming;
	struct sl_body *body = &incoming->body;
	size_t used;
	enum sl_body_state state = sl_body_feed(body, bytes, len, &used);
	set_pinned(c, incoming->bytes.len + body->bytes.len);
	if (state == SL_BODY_BAD && refuses_chunks(incoming)) {
		sl_gate_refuse_chunks(&incoming->judgement);
		serve_unread(c);
	} else if (state == SL_BODY_BAD) {
		static const struct sl_head_refusal bad_chunk = { 400, "bad_request",
			"the chunks of the body are malformed; use those of RFC 9112, section 7.1" };
		sl_serve_malformed(c, &bad_chunk);
	} else if (sl_buffer_status(&body->bytes) != 0) {
		sl_link_close(&c->link);
	} else if (state == SL_BODY_DONE) {
		end_body(c);
	} else if (body->received > SWALLOWED_MAX && sl_body_is_too_long(body)) {
		if (c->phase == SL_PHASE_BODY)
			sl_gate_refuse_size(&incoming->judgement);
		serve_unread(c);
	}
	return used;
}

/* ---- heads ---- */

/* All of it is in one place: nothing is allocated. */
static size_t
serve_here(struct sl_connection *c, const struct sl_head *head, int64_t began_us)
{
	struct sl_judgement judgement;
	size_t body_len = head->has_length ? (size_t)head->content_length : 0;
	judge(c, &judgement, head);
	judgement.request.body = (struct sl_span){ head->bytes.bytes + head->bytes.len, body_len };
	sl_serve(c, &judgement, &(struct sl_served_bytes){ head->bytes.len, body_len, began_us });
	sl_judgement_finish(&judgement);
	return head->bytes.len + body_len;
}

/* Returns how much was used; 0 when the head is incomplete, or none. */
static size_t
take_head(struct sl_connection *c, char *bytes, size_t len, struct begun *begun)
{
	const size_t max = c->link.shard->config->max_header_bytes;
	const struct sl_observer *observer = c->link.shard->front->http->observer;
	struct sl_head_refusal refusal = sl_head_bad_line;
	struct sl_head head;
	ptrdiff_t head_len = sl_head_scan(bytes, len, &begun->scanned);
	if (head_len == 0 && len <= max)
		return 0;
	if (observer)
		observer->on_head(c, bytes, head_len > 0 ? (size_t)head_len : 0);
	if (head_len == 0 || head_len > (ptrdiff_t)max)
		refusal = sl_head_too_large;
	else if (head_len > 0 && sl_head_parse(&head, bytes, (size_t)head_len, &refusal))
		refusal.status = 0;
	sl_share_take_served(&c->link.steps);
	if (refusal.status) {
		sl_serve_malformed(c, &refusal);
		return 0;
	}
	if (head.is_chunked || (head.has_length && head.content_length > len - (size_t)head_len)) {
		keep_head(c, &head, begun);
		return (size_t)head_len;
	}
	return serve_here(c, &head, begun->began_us);
}

/* ---- both ---- */

static bool
may_read(const struct sl_connection *c)
{
	return c->link.state == SL_LINK_OPEN && (c->phase != SL_PHASE_READING ||
		(!sl_link_has_output(&c->link) && sl_share_may_serve(&c->link.steps)));
}

/* What came behind a request that is served now, or is none. */
static void
keep_rest(struct sl_connection *c, char *bytes, size_t len)
{
	if (c->link.state != SL_LINK_OPEN)
		count_unserved(c, len);
	else if (len == 0)
		return;
	else if (c->phase == SL_PHASE_SERVING && sl_connection_reads_on(c))
		sl_connection_receive(c, bytes, len);
	else
		keep(c, bytes, len);
}

/* Serves what `bytes` hold; returns how much of them is done with. */
static size_t
take_requests(struct sl_connection *c, char *bytes, size_t len, struct begun *begun)
{
	size_t at = 0;
	while (at < len && c->phase <= SL_PHASE_SWALLOWING && may_read(c)) {
		size_t used = c->phase == SL_PHASE_READING ?
			take_head(c, bytes + at, len - at, begun) :
			take_body(c, bytes + at, len - at);
		if (used == 0)
			break;
		begun->scanned = 0;
		begun->has_deadline = false; /* that was the last one's */
		at += used;
	}
	return at;
}

/* A request has its time from its first byte, or from when the answer before it was sent. */
static void
note_partial(struct sl_connection *c, bool is_new, const struct begun *begun)
{
	if (c->link.state != SL_LINK_OPEN || c->phase != SL_PHASE_READING || !c->incoming)
		return;
	if (!is_new)
		c->incoming->begun = *begun;
	if (!c->incoming->begun.has_deadline && !sl_link_has_output(&c->link)) {
		c->incoming->begun.has_deadline = true;
		set_deadline(c);
	}
}

/* No event and no answer would have it go on with what is kept. */
static void
wait_for_steps(struct sl_connection *c)
{
	if (c->link.state == SL_LINK_OPEN && c->phase == SL_PHASE_READING && c->incoming &&
			!sl_link_has_output(&c->link) && !sl_share_may_serve(&c->link.steps))
		sl_share_wait(&c->link.steps);
}

void
sl_incoming_take(struct sl_connection *c, char *bytes, size_t len)
{
	struct sl_buffer held = SL_BUFFER_INIT;
	struct begun begun = { 0 };
	if (c->phase == SL_PHASE_READING && c->incoming) {
		if (!keep(c, bytes, len))
			return;
		held = c->incoming->bytes;
		begun = c->incoming->begun;
		sl_buffer_init(&c->incoming->bytes);
		let_go(c);
		bytes = held.bytes;
		len = held.len;
	} else if (c->phase == SL_PHASE_READING) {
		begun.began_us = get_time_us(c);
	}
	size_t used = take_requests(c, bytes, len, &begun);
	keep_rest(c, bytes + used, len - used);
	note_partial(c, used > 0, &begun);
	wait_for_steps(c);
	sl_buffer_finish(&held);
}

void
sl_incoming_go_on(struct sl_connection *c)
{
	if (c->phase == SL_PHASE_READING && c->incoming)
		sl_incoming_take(c, c->link.shard->read_buffer, 0);
}

void
sl_incoming_release(struct sl_connection *c)
{
	if (!c->incoming)
		return;
	struct sl_buffer held = c->incoming->bytes;
	sl_buffer_init(&c->incoming->bytes);
	let_go(c);
	if (held.len)
		sl_connection_receive(c, held.bytes, held.len);
	sl_buffer_finish(&held);
}
