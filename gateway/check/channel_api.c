#include "check/channel_api.h"

#include "check/channels.h"
#include "config/config.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/request.h"
#include "live/shard.h"
#include "util/err.h"

/* A browser sends no Origin with a GET that a page makes for an image or a script. It sends
 * Sec-Fetch-Site instead (W3C, Fetch Metadata). The gate has judged any Origin before. */
static bool
is_of_another_site(const struct sl_request *request)
{
	struct sl_span rest = request->head->lines, site;
	if (request->cors.origin)
		return false;
	while (sl_head_next_of(&rest, "Sec-Fetch-Site", &site))
		if (!sl_span_equals(site, "same-origin") && !sl_span_equals(site, "none"))
			return true;
	return false;
}

void
sl_channel_api_prepare(struct sl_exchange *exchange, const struct sl_request *request)
{
	if (!is_of_another_site(request))
		return;
	sl_metrics_add(&exchange->shard->metrics, SL_COUNTER_ORIGIN_REFUSED, 1);
	sl_reply_set_error(&exchange->reply, 403, "bad_origin",
		"a page of another site asks for a channel; use the gateway's own pages");
}

static void
refuse(struct sl_exchange *exchange, const struct sl_issue *issue)
{
	sl_reply_set_error(&exchange->reply, 429, "too_many_checks", issue->is_of_address ?
		"this address has all the channels it may have; try again when one has expired" :
		"the gateway has lent all the channels it may lend; try again when one has expired");
	sl_reply_set_retry_after(&exchange->reply, (issue->wait_ms + 999) / 1000);
}

void
sl_channel_api_issue(struct sl_exchange *exchange)
{
	struct sl_shard *shard = exchange->shard;
	struct sl_reply *reply = &exchange->reply;
	struct sl_issue issue;
	/* A client that has left needs no channel, and its address is not known any more. */
	int err = exchange->connection ? sl_check_channels_issue(sl_check_channels_of(shard), shard,
		&exchange->connection->link.client, &issue) : SL_ECLOSED;
	if (err == SL_EFULL) {
		refuse(exchange, &issue);
	} else if (err != 0) {
		sl_reply_set_err(reply, err);
	} else {
		sl_reply_set_json(reply);
		reply->head.status = 201;
		sl_buffer_printf(&reply->body, "{\"channel\":\"%s\",\"expires_in\":%u,\"messages\":%u,"
			"\"bytes\":%u,\"connections\":%u,\"reports\":%s}\n", issue.name, SL_CHECK_LIFE_MS / 1000,
			SL_CHECK_MESSAGES, SL_CHECK_BYTES, SL_CHECK_CONNECTIONS,
			shard->config->check_reports ? "true" : "false");
	}
}
