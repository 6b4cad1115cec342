/* Faults that hold content back on its way to the client. */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static bool
has_body(const struct ob_active *active)
{
	return active->conn->exchange.down.framing != OB_NO_BODY;
}

/* The head waits for the first of the body. */
static enum ob_verdict
hold_head(struct ob_active *active)
{
	if (has_body(active))
		active->conn->exchange.holds_head = true;
	return OB_GO;
}

/* Whole blocks pass, the tail waits. */
static void
hold_tail(struct ob_active *active, const struct ob_piece *piece)
{
	size_t block = active->fault->values[0].number;
	if (piece->len)
		ob_active_count(active);
	sl_buffer_append(&active->held, piece->bytes, piece->len);
	if (piece->end) {
		ob_active_release(active, true);
	} else if (active->held.len >= block) {
		size_t whole = active->held.len - active->held.len % block;
		ob_active_pass_bytes(active, OB_DOWN, active->held.bytes, whole);
		sl_buffer_consume(&active->held, whole);
	}
}

static void
hold_to_end(struct ob_active *active, const struct ob_piece *piece)
{
	ob_active_hold(active, piece);
	if (piece->end)
		ob_active_release(active, true);
}

/* What comes waits for the timer, all of it together. */
static void
hold_for_time(struct ob_active *active, const struct ob_piece *piece)
{
	ob_active_hold(active, piece);
	if (piece->end)
		ob_active_release(active, true);
	else if (active->held.len && !sl_timer_is_set(&active->timer))
		ob_active_set_timer(active, active->fault->values[0].number);
}

static void
let_go(struct ob_active *active)
{
	ob_active_release(active, false);
}

static void
start_ticking(struct ob_active *active)
{
	ob_active_set_timer(active, active->fault->values[0].number);
}

static void
tick(struct ob_active *active)
{
	ob_active_release(active, false);
	start_ticking(active);
}

/* The piece before comes out when the next goes in. */
static void
lag(struct ob_active *active, const struct ob_piece *piece)
{
	ob_active_release(active, false);
	hold_to_end(active, piece);
}

static enum ob_verdict
look_at_type(struct ob_active *active)
{
	active->count = ob_head_has_type(&active->conn->exchange.response,
		active->fault->values[0].word);
	return active->count ? hold_head(active) : OB_GO;
}

static void
hold_type_to_end(struct ob_active *active, const struct ob_piece *piece)
{
	if (active->count)
		hold_to_end(active, piece);
	else
		ob_active_pass(active, piece);
}

const struct ob_fault_type ob_faults_hold[] = {
	{
		.name = "buffer-size", .is_of_bodies = true, .values = { { OB_SIZE, "4K" } },
		.on_response_head = hold_head, .on_down = hold_tail,
		.sentence = "Forwards a response, head included, in whole blocks only; the rest waits.",
		.product = "nginx proxy_pass over HTTP/1.0, nginx gzip",
	},
	{
		.name = "buffer-time", .is_of_bodies = true, .values = { { OB_TIME, "2s" } }, .on_response_head = hold_head,
		.on_down = hold_for_time, .on_timer = let_go,
		.sentence = "Holds the bytes of a response, head included, for the time and "
			"forwards them together.",
		.product = "haproxy's 200 ms without http-no-delay",
	},
	{
		.name = "buffer-end", .is_of_bodies = true, .on_response_head = hold_head, .on_down = hold_to_end,
		.sentence = "Forwards nothing of a response before its end, not even its head.",
		.product = "varnish do_stream=false, haproxy wait-for-body, nginx ignoring X-Accel-Buffering",
	},
	{
		.name = "buffer-body", .is_of_bodies = true, .on_down = hold_to_end,
		.sentence = "Forwards the head of a response at once and its body at the end.",
		.product = "caddy encode gzip of text/*",
	},
	{
		.name = "buffer-type", .is_of_bodies = true, .values = { { OB_WORD, "text/event-stream" } },
		.on_response_head = look_at_type, .on_down = hold_type_to_end,
		.sentence = "Holds responses of one content type until their end; other responses "
			"are live.",
		.product = "privoxy's default, content filters",
	},
	{
		.name = "lag-one", .is_of_bodies = true, .on_down = lag,
		.sentence = "Forwards each write of a body only when the next one arrives.",
		.product = "haproxy compression of text/event-stream",
	},
	{
		.name = "flush-every", .is_of_bodies = true, .values = { { OB_TIME, "5s" } }, .on_begin = start_ticking,
		.on_down = hold_to_end, .on_timer = tick,
		.sentence = "Forwards the head at once, and the body in bursts: one at the end of "
			"each time.",
		.product = "none measured; mobile accelerators",
	},
	{ 0 },
};
