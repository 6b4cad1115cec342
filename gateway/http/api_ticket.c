#include "http/api_ticket.h"

#include "auth/principals.h"
#include "auth/ticket.h"
#include "http/api_admin.h"
#include "http/exchange.h"
#include "http/request.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"

static void
set_ticket(struct sl_reply *reply, const struct sl_buffer *ticket, int64_t expires_s, int64_t now_s)
{
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"ticket\":\"");
	sl_buffer_append(&reply->body, ticket->bytes, ticket->len);
	sl_buffer_printf(&reply->body, "\",\"expires\":%lld,\"ttl\":%lld}\n", (long long)expires_s,
		(long long)(expires_s - now_s));
}

void
sl_api_ticket_issue(struct sl_exchange *exchange, const struct sl_request *request)
{
	struct sl_shard *shard = exchange->shard;
	struct sl_reply *reply = &exchange->reply;
	struct sl_buffer ticket = SL_BUFFER_INIT;
	const struct sl_auth *auth = sl_principals_get_auth(shard->principals);
	int64_t expires_s, now_s = sl_clock_wall_us() / 1000000;
	if (!auth) {
		sl_reply_set_error(reply, 404, "no_tokens", SL_API_NO_TOKENS);
		return;
	}
	int err = sl_ticket_append(&ticket, auth, sl_principal_get_claims(request->principal), now_s,
		&expires_s);
	if (err == 0)
		err = sl_buffer_status(&ticket);
	if (err == 0) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_TICKETS_ISSUED, 1);
		set_ticket(reply, &ticket, expires_s, now_s);
	} else if (err == SL_ETOOBIG) {
		sl_reply_set_error(reply, 413, "too_large",
			"the token has more patterns than a ticket can carry; use a token with fewer");
	} else {
		sl_reply_set_err(reply, err);
	}
	sl_buffer_finish(&ticket);
}
