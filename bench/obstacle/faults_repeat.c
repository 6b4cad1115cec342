/* Faults of delivery: what the origin got twice, and what the client never got. */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

/* The response of all deliveries but the last is dropped. */
static enum ob_verdict
deliver_again(struct ob_active *active)
{
	if (active->count + 1 >= active->fault->values[0].number
		|| !ob_exchange_repeat(active->conn))
		return OB_GO;
	active->count++;
	ob_active_count(active);
	return OB_TAKEN;
}

static void
start_holding(struct ob_active *active)
{
	ob_active_set_timer(active, active->fault->values[0].number);
}

static void
send_again(struct ob_active *active)
{
	struct ob_connection *conn = active->conn;
	if (conn->stage != OB_STAGE_FORWARDING || conn->exchange.response.is_complete)
		return;
	if (!ob_exchange_repeat(conn))
		return;
	ob_active_count(active);
	start_holding(active);
}

static enum ob_verdict
drop_response(struct ob_active *active)
{
	ob_active_count(active);
	ob_connection_end(active->conn, active->fault->values[0].number);
	return active->conn->is_dead[OB_UP] && !active->conn->is_dead[OB_DOWN] ? OB_GO : OB_TAKEN;
}

const struct ob_fault_type ob_faults_repeat[] = {
	{
		.name = "retry", .values = { { OB_COUNT, "2" } }, .repeats = true,
		.on_response_head = deliver_again,
		.sentence = "Sends the same request, GET or POST, to the origin this many times; "
			"the client gets the last response.",
		.product = "haproxy retry-on all-retryable-errors, caddy (up to 14), nginx upstream keepalive (9)",
	},
	{
		.name = "resend-held", .values = { { OB_TIME, "30s" } }, .repeats = true,
		.on_begin = start_holding, .on_timer = send_again,
		.sentence = "Drops a request that has no answer within the time, and sends it again.",
		.product = "a reverse proxy that re-sent held polls every 30 s",
	},
	{
		.name = "drop-response", .values = { { OB_ENDING, "fin" } },
		.on_response_head = drop_response,
		.sentence = "Delivers the request and drops its response.",
		.product = "none measured; a proxy that dies between the two",
	},
	{ 0 },
};
