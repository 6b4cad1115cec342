/* Faults that end connections, and those about who is told of an end. */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static void
end(struct ob_active *active)
{
	ob_active_count(active);
	ob_connection_end(active->conn, active->fault->values[1].number);
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Ends at `from_ms` and the first value, or looks again then. */
static void
end_if_due(struct ob_active *active, uint64_t from_ms)
{
	uint64_t due_ms = from_ms + active->fault->values[0].number;
	if (ob_active_now_ms(active) >= due_ms)
		end(active);
	else
		ob_active_set_timer(active, due_ms - ob_active_now_ms(active));
}

static void
look_if_idle(struct ob_active *active)
{
	const struct ob_connection *conn = active->conn;
	if (conn->stage != OB_STAGE_HOLE)
		end_if_due(active, later(conn->read_ms[OB_UP], conn->read_ms[OB_DOWN]));
}

static void
look_at_age(struct ob_active *active)
{
	end_if_due(active, active->conn->opened_ms);
}

static void
pass_up_to_limit(struct ob_active *active, const struct ob_piece *piece)
{
	/* 0 once it has ended: what still passes then is the way that the ending left. */
	uint64_t left = active->fault->values[0].number - active->count;
	if (piece->len < left || left == 0) {
		active->count += left ? piece->len : 0;
		ob_active_pass(active, piece);
		return;
	}
	active->count += left;
	ob_active_pass_bytes(active, piece->way, piece->bytes, left);
	end(active);
}

/* The frame that reaches the limit passes, nothing behind it does. */
static void
pass_frames_up_to_limit(struct ob_active *active, const struct ob_piece *piece)
{
	const char *at = piece->bytes, *payload;
	size_t left = piece->len, payload_len;
	enum ob_frame_event event;
	struct ob_frames *frames = &active->frames[piece->way];
	while ((event = ob_frames_next(frames, &at, &left, &payload, &payload_len))
		!= OB_FRAME_MORE) {
		if (frames->left || ++active->count != active->fault->values[0].number)
			continue;
		ob_active_pass_bytes(active, piece->way, piece->bytes, piece->len - left);
		end(active);
		return;
	}
	ob_active_pass(active, piece);
}

static void
count_frames(struct ob_active *active, const struct ob_piece *piece)
{
	if (ob_active_has_frames(active))
		pass_frames_up_to_limit(active, piece);
	else
		ob_active_pass(active, piece);
}

static void
cut_now(struct ob_active *active)
{
	ob_active_count(active);
	ob_connection_end(active->conn, active->fault->values[0].number);
}

/* ---- an origin that says nothing ---- */

static void
wait_for_origin(struct ob_active *active)
{
	ob_active_set_timer(active, active->fault->values[0].number);
}

static void
give_up_origin(struct ob_active *active)
{
	const struct ob_connection *conn = active->conn;
	if (conn->stage != OB_STAGE_FORWARDING && conn->stage != OB_STAGE_TUNNEL)
		return; /* between two requests */
	end_if_due(active, conn->read_ms[OB_DOWN]);
	if (conn->stage >= OB_STAGE_ENDING)
		conn->proxy->timed_out_ms = ob_active_now_ms(active);
}

/* ---- who is told ---- */

static enum ob_verdict
keep_origin(struct ob_active *active)
{
	ob_active_count(active);
	ob_active_set_timer(active, active->fault->values[0].number);
	return OB_WAIT;
}

static void
leave_origin(struct ob_active *active)
{
	if (active->conn->stage == OB_STAGE_ORPHAN)
		ob_connection_close(active->conn);
}

static enum ob_verdict
end_cleanly(struct ob_active *active)
{
	if (active->conn->exchange.down.framing == OB_LENGTH)
		return OB_GO;
	ob_active_count(active);
	ob_active_pass(active, &(struct ob_piece){ .way = OB_DOWN, .end = true });
	return OB_TAKEN;
}

const struct ob_fault_type ob_faults_cut[] = {
	{
		.name = "cut", .values = { { OB_ENDING, "rst" } }, .on_set = cut_now,
		.sentence = "Ends the connections that are open when the fault is set; it does not "
			"touch later ones.",
		.product = "a proxy that is restarted, a laptop that changes its network",
	},
	{
		.name = "cut-idle", .values = { { OB_TIME, "10s" }, { OB_ENDING, "fin" } },
		.on_begin = look_if_idle, .on_timer = look_if_idle,
		.sentence = "Ends a connection when no byte passed in either direction for the time.",
		.product = "haproxy timeout tunnel (50 s), nginx (60 s), NAT boxes (hole)",
	},
	{
		.name = "cut-age", .values = { { OB_TIME, "15s" }, { OB_ENDING, "fin" } },
		.on_begin = look_at_age, .on_timer = look_at_age,
		.sentence = "Ends a connection at this age, even if it carries data.",
		.product = "squid client_lifetime, load balancers' tunnel caps",
	},
	{
		.name = "cut-bytes", .values = { { OB_SIZE, "64K" }, { OB_ENDING, "fin" } },
		.on_up = pass_up_to_limit, .on_down = pass_up_to_limit,
		.sentence = "Ends a connection when a request and its response, or a tunnel, "
			"carried this many bytes.",
		.product = "squid reply_body_max_size",
	},
	{
		.name = "cut-frames", .values = { { OB_COUNT, "10" }, { OB_ENDING, "hole" } },
		.on_up = count_frames, .on_down = count_frames,
		.sentence = "Ends a WebSocket after its n-th frame, counted in both directions.",
		.product = "none measured; inspection that gives up",
	},
	{
		.name = "timeout", .values = { { OB_TIME, "60s" }, { OB_ENDING, "504" } },
		.on_begin = wait_for_origin, .on_timer = give_up_origin,
		.sentence = "Answers a request with the status when the origin sends nothing for "
			"the time; closes a response that has begun.",
		.product = "nginx proxy_read_timeout (504 at 60 s), haproxy (50 s), apache (502), varnish (503), "
			"tinyproxy (fin)",
	},
	{
		.name = "linger", .values = { { OB_TIME, "6s" } }, .on_client_gone = keep_origin,
		.on_timer = leave_origin,
		.sentence = "Keeps the connection to the origin open for the time after the client "
			"has left.",
		.product = "haproxy without abortonclose, apache, varnish, tinyproxy",
	},
	{
		.name = "clean-end", .on_origin_gone = end_cleanly,
		.sentence = "Ends a chunked response as if it were complete when the origin dies in "
			"the middle.",
		.product = "several reverse proxies",
	},
	{ 0 },
};
