/* Faults of the upgrade to WebSocket (RFC 6455, section 4). */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static enum ob_verdict
strip_upgrade(struct ob_active *active)
{
	struct ob_head *request = &active->conn->exchange.request;
	if (!ob_head_remove(request, "Upgrade"))
		return OB_GO;
	ob_active_count(active);
	ob_head_set(request, "Connection", "keep-alive");
	return OB_GO;
}

static enum ob_verdict
close_and_upgrade(struct ob_active *active)
{
	struct ob_head *request = &active->conn->exchange.request;
	if (!ob_head_get(request, "Upgrade").bytes)
		return OB_GO;
	ob_active_count(active);
	ob_head_set(request, "Connection", "close, upgrade");
	return OB_GO;
}

static enum ob_verdict
change_accept(struct ob_active *active)
{
	struct ob_head *response = &active->conn->exchange.response;
	if (!ob_head_get(response, "Sec-WebSocket-Accept").bytes)
		return OB_GO;
	ob_active_count(active);
	ob_head_set(response, "Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	return OB_GO;
}

/* In a tunnel nothing passes; elsewhere all does. */
static void
drop(struct ob_active *active, const struct ob_piece *piece)
{
	if (active->conn->stage == OB_STAGE_TUNNEL)
		ob_active_count(active);
	else
		ob_active_pass(active, piece);
}

static void
pass(struct ob_active *active, const struct ob_piece *piece)
{
	ob_active_pass(active, piece);
}

static void
inject_first(struct ob_active *active, const struct ob_piece *piece)
{
	static const char bytes[] = "<!-- scanned -->\n";
	if (piece->len && active->count++ == 0) {
		ob_active_count(active);
		ob_active_pass_bytes(active, OB_DOWN, bytes, sizeof bytes - 1);
	}
	ob_active_pass(active, piece);
}

static enum ob_verdict
inject_in_body(struct ob_active *active)
{
	active->conn->exchange.is_rewritten = true;
	return OB_GO;
}

const struct ob_fault_type ob_faults_upgrade[] = {
	{
		.name = "strip-upgrade", .on_request_head = strip_upgrade,
		.sentence = "Removes Upgrade: the origin sees a plain GET, and the client gets the "
			"answer to that.",
		.product = "nginx proxy_pass only, apache ProxyPass, squid, varnish, tinyproxy",
	},
	{
		.name = "close-upgrade", .on_request_head = close_and_upgrade,
		.sentence = "Forwards upgrade requests with `Connection: close, upgrade`.",
		.product = "reverse proxies that add close to what they forward",
	},
	{
		.name = "wrong-accept", .on_response_head = change_accept,
		.sentence = "Puts a wrong Sec-WebSocket-Accept into the 101.",
		.product = "a cache that replays an old 101",
	},
	{
		.name = "half-up", .on_up = drop, .on_down = pass,
		.sentence = "Passes the 101, then nothing from client to server.",
		.product = "privoxy's default on plain HTTP",
	},
	{
		.name = "half-down", .on_up = pass, .on_down = drop,
		.sentence = "Passes the 101, then nothing from server to client.",
		.product = "none measured; the other half of privoxy's",
	},
	{
		.name = "dead-101", .on_up = drop, .on_down = drop,
		.sentence = "Passes the 101, then nothing in either direction.",
		.product = "none measured; filters that answer the upgrade and understand no more",
	},
	{
		.name = "inject-bytes", .on_response_head = inject_in_body, .on_down = inject_first,
		.sentence = "Inserts foreign bytes before the first frame, or at the start of a body.",
		.product = "none measured; content filters that mark what they have seen",
	},
	{ 0 },
};
