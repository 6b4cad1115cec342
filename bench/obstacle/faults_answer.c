/* Faults that answer a request themselves, or let it fall into a hole. */
#include <stdio.h>
#include <string.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static const char login_page[] = "<!DOCTYPE html><html><head><title>Welcome to our Wi-Fi</title>"
	"</head><body><h1>Please accept the terms to go on</h1><form method=\"post\" action=\"/login\">"
	"<button>Accept</button></form></body></html>\n";

static enum ob_verdict
end_request(struct ob_active *active, uint64_t ending)
{
	ob_active_count(active);
	ob_connection_end(active->conn, ending);
	return active->conn->stage == OB_STAGE_JUDGING ? OB_GO : OB_TAKEN;
}

static enum ob_verdict
refuse(struct ob_active *active)
{
	return end_request(active, active->fault->values[0].number);
}

static enum ob_verdict
swallow(struct ob_active *active)
{
	return end_request(active, OB_END_HOLE);
}

static enum ob_verdict
show_login(struct ob_active *active)
{
	ob_active_count(active);
	ob_exchange_answer(active->conn, (unsigned)active->fault->values[0].number, "", login_page);
	return OB_TAKEN;
}

static enum ob_verdict
fail_every(struct ob_active *active)
{
	if (++active->fault->asked % active->fault->values[0].number != 0)
		return OB_GO;
	return end_request(active, active->fault->values[1].number);
}

static enum ob_verdict
wait_in_tar(struct ob_active *active)
{
	ob_active_count(active);
	ob_active_set_timer(active, active->fault->values[0].number);
	return OB_WAIT;
}

static void
leave_tar(struct ob_active *active)
{
	ob_connection_end(active->conn, active->fault->values[1].number);
}

static enum ob_verdict
ask_for_login(struct ob_active *active)
{
	if (ob_head_get(&active->conn->exchange.request, "Proxy-Authorization").bytes)
		return OB_GO;
	ob_active_count(active);
	ob_exchange_answer(active->conn, 407, "Proxy-Authenticate: Basic realm=\"obstacle\"\r\n", NULL);
	return OB_TAKEN;
}

static enum ob_verdict
connect_only_to(struct ob_active *active)
{
	const struct ob_exchange *exchange = &active->conn->exchange;
	struct sl_span target = ob_head_part(&exchange->request, OB_TARGET);
	char port[8];
	int len = snprintf(port, sizeof port, ":%u", (unsigned)active->fault->values[0].number);
	if (!exchange->is_connect || (target.len > (size_t)len
		&& memcmp(target.bytes + target.len - len, port, (size_t)len) == 0))
		return OB_GO;
	return end_request(active, 403);
}

static enum ob_verdict
forbid_post(struct ob_active *active)
{
	if (!sl_span_equals(ob_head_part(&active->conn->exchange.request, OB_METHOD), "POST"))
		return OB_GO;
	return end_request(active, active->fault->values[0].number);
}

static enum ob_verdict
limit_head(struct ob_active *active)
{
	if (active->conn->exchange.request.text.len <= active->fault->values[0].number)
		return OB_GO;
	return end_request(active, active->fault->values[1].number);
}

static enum ob_verdict
limit_lines(struct ob_active *active)
{
	if (active->conn->exchange.request.count <= active->fault->values[0].number)
		return OB_GO;
	return end_request(active, active->fault->values[1].number);
}

static enum ob_verdict
limit_url(struct ob_active *active)
{
	if (ob_exchange_target(&active->conn->exchange).len <= active->fault->values[0].number)
		return OB_GO;
	return end_request(active, active->fault->values[1].number);
}

static enum ob_verdict
limit_body(struct ob_active *active)
{
	const struct ob_body *body = &active->conn->exchange.up;
	if (body->framing != OB_LENGTH || body->left <= active->fault->values[0].number)
		return OB_GO;
	return end_request(active, active->fault->values[1].number);
}

/* A body without a length: what has been sent on is lost with the connection. */
static void
limit_body_bytes(struct ob_active *active, const struct ob_piece *piece)
{
	active->count += piece->len;
	if (active->conn->stage == OB_STAGE_FORWARDING
		&& active->count > active->fault->values[0].number)
		end_request(active, active->fault->values[1].number);
	else
		ob_active_pass(active, piece);
}

static enum ob_verdict
hang_on_chunked(struct ob_active *active)
{
	if (active->conn->exchange.up.framing != OB_CHUNKED)
		return OB_GO;
	return end_request(active, OB_END_HOLE);
}

static enum ob_verdict
refuse_expect(struct ob_active *active)
{
	if (!ob_head_get(&active->conn->exchange.request, "Expect").bytes)
		return OB_GO;
	return end_request(active, 417);
}

static enum ob_verdict
mark_down(struct ob_active *active)
{
	uint64_t timed_out_ms = active->conn->proxy->timed_out_ms;
	if (!timed_out_ms
		|| ob_active_now_ms(active) >= timed_out_ms + active->fault->values[0].number)
		return OB_GO;
	return end_request(active, 502);
}

const struct ob_fault_type ob_faults_answer[] = {
	{
		.name = "refuse", .values = { { OB_ENDING, "403" } }, .on_request_head = refuse,
		.sentence = "Answers requests with a status of its own, or cuts them off; the "
			"origin never sees them.",
		.product = "haproxy deny, corporate web filters",
	},
	{
		.name = "hole", .on_request_head = swallow,
		.sentence = "Swallows requests: sends no byte back and closes nothing.",
		.product = "haproxy silent-drop, privoxy +force-text-mode",
	},
	{
		.name = "captive", .values = { { OB_ENDING, "200" } }, .on_request_head = show_login,
		.sentence = "Answers every request with a login page in HTML; @until= clears the fault.",
		.product = "captive portals of hotels and trains",
	},
	{
		.name = "fail-every", .values = { { OB_COUNT, NULL }, { OB_ENDING, "502" } },
		.on_request_head = fail_every,
		.sentence = "Lets each k-th request fail before the origin sees it.",
		.product = "a load balancer with one dead server in its pool",
	},
	{
		.name = "tarpit", .values = { { OB_TIME, "5s" }, { OB_ENDING, "503" } },
		.on_request_head = wait_in_tar, .on_timer = leave_tar,
		.sentence = "Holds requests for the time without an answer, then rejects them.",
		.product = "haproxy tarpit",
	},
	{
		.name = "proxy-auth", .on_request_head = ask_for_login,
		.sentence = "Answers requests without Proxy-Authorization with 407.",
		.product = "squid with basic authentication",
	},
	{
		.name = "connect-only", .values = { { OB_PORT, "443" } }, .on_request_head = connect_only_to,
		.sentence = "Rejects CONNECT with 403, except to this port.",
		.product = "squid's and tinyproxy's defaults, privoxy +limit-connect",
	},
	{
		.name = "forbid-post", .values = { { OB_ENDING, "403" } }, .on_request_head = forbid_post,
		.sentence = "Rejects POST requests.",
		.product = "read-only kiosks and data-loss filters",
	},
	{
		.name = "max-head", .values = { { OB_SIZE, "8K" }, { OB_ENDING, "400" } },
		.on_request_head = limit_head,
		.sentence = "Rejects requests whose head has more bytes.",
		.product = "nginx large_client_header_buffers, apache LimitRequestFieldSize",
	},
	{
		.name = "max-lines", .values = { { OB_COUNT, "64" }, { OB_ENDING, "400" } },
		.on_request_head = limit_lines,
		.sentence = "Rejects requests with more header lines.",
		.product = "varnish http_max_hdr, haproxy tune.http.maxhdr",
	},
	{
		.name = "max-url", .values = { { OB_SIZE, "8K" }, { OB_ENDING, "414" } },
		.on_request_head = limit_url,
		.sentence = "Rejects requests whose path and query are longer.",
		.product = "nginx, apache LimitRequestLine",
	},
	{
		.name = "max-body", .values = { { OB_SIZE, "1K" }, { OB_ENDING, "413" } },
		.on_request_head = limit_body, .on_up = limit_body_bytes,
		.sentence = "Rejects requests whose body has more bytes.",
		.product = "nginx client_max_body_size",
	},
	{
		.name = "hang-chunked", .on_request_head = hang_on_chunked,
		.sentence = "Gives no answer to requests with a chunked body.",
		.product = "two content filters",
	},
	{
		.name = "refuse-expect", .on_request_head = refuse_expect,
		.sentence = "Answers requests with Expect with 417.",
		.product = "lighttpd, old squid",
	},
	{
		.name = "mark-down", .values = { { OB_TIME, "10s" } }, .on_request_head = mark_down,
		.sentence = "After a request that ran into `timeout`, answers every request with "
			"502 for the time.",
		.product = "nginx upstream max_fails with two servers",
	},
	{ 0 },
};
