/* Faults of heads: versions, lines that are dropped or changed. */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static enum ob_verdict
drop_header(struct ob_active *active)
{
	if (ob_head_remove(&active->conn->exchange.request, active->fault->values[0].word))
		ob_active_count(active);
	return OB_GO;
}

static enum ob_verdict
drop_response_header(struct ob_active *active)
{
	if (ob_head_remove(&active->conn->exchange.response, active->fault->values[0].word))
		ob_active_count(active);
	return OB_GO;
}

static enum ob_verdict
change_host(struct ob_active *active)
{
	ob_active_count(active);
	ob_head_set(&active->conn->exchange.request, "Host", active->fault->values[0].word);
	return OB_GO;
}

static enum ob_verdict
lower_names(struct ob_active *active)
{
	ob_active_count(active);
	ob_head_lower_names(&active->conn->exchange.request);
	return OB_GO;
}

static enum ob_verdict
lower_response_names(struct ob_active *active)
{
	ob_head_lower_names(&active->conn->exchange.response);
	return OB_GO;
}

static enum ob_verdict
ask_in_http10(struct ob_active *active)
{
	struct ob_head *request = &active->conn->exchange.request;
	ob_active_count(active);
	ob_head_set_part(request, OB_REQUEST_VERSION, "HTTP/1.0", 8);
	ob_head_remove(request, "Upgrade");
	ob_head_set(request, "Connection", "close");
	return OB_GO;
}

/* The client, who asked in 1.1, gets chunks. */
static enum ob_verdict
answer_in_http11(struct ob_active *active)
{
	struct ob_exchange *exchange = &active->conn->exchange;
	ob_head_set_part(&exchange->response, OB_VERSION, "HTTP/1.1", 8);
	if (exchange->down_out == OB_UNTIL_CLOSE && !exchange->is_http10)
		exchange->down_out = OB_CHUNKED;
	return OB_GO;
}

static enum ob_verdict
answer_in_http10(struct ob_active *active)
{
	struct ob_head *response = &active->conn->exchange.response;
	if (ob_head_status(response) == 101)
		return OB_GO;
	ob_active_count(active);
	ob_head_set_part(response, OB_VERSION, "HTTP/1.0", 8);
	ob_head_set(response, "Connection", "close");
	return OB_GO;
}

const struct ob_fault_type ob_faults_header[] = {
	{
		.name = "http10-client", .on_response_head = answer_in_http10,
		.sentence = "Answers in HTTP/1.0: responses are not chunked, and end with the connection.",
		.product = "none measured; old firewalls",
	},
	{
		.name = "http10-origin", .on_request_head = ask_in_http10,
		.on_response_head = answer_in_http11,
		.sentence = "Asks the origin in HTTP/1.0, without Upgrade, with one connection per "
			"request.",
		.product = "nginx's plain proxy_pass",
	},
	{
		.name = "drop-header", .values = { { OB_WORD, NULL } }, .on_request_head = drop_header,
		.sentence = "Removes the header line of this name from requests.",
		.product = "squid accelerator (Authorization), privacy filters (Cookie, Last-Event-ID)",
	},
	{
		.name = "drop-response-header", .values = { { OB_WORD, NULL } },
		.on_response_head = drop_response_header,
		.sentence = "Removes the header line of this name from responses.",
		.product = "nginx proxy_hide_header, header filters",
	},
	{
		.name = "rewrite-host", .values = { { OB_WORD, "localhost" } },
		.on_request_head = change_host,
		.sentence = "Replaces the Host that the client sent with another one.",
		.product = "nginx proxy_pass, apache without ProxyPreserveHost",
	},
	{
		.name = "lower-case", .on_request_head = lower_names, .on_response_head = lower_response_names,
		.sentence = "Writes the names of header lines in lower case, in both directions.",
		.product = "haproxy, anything that speaks HTTP/2 inside",
	},
	{ 0 },
};
