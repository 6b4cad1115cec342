#include "http/api_admin.h"

#include <stdlib.h>

#include "auth/principals.h"
#include "bus/bus.h"
#include "http/exchange.h"
#include "http/http.h"
#include "http/request.h"
#include "http/revocation.h"
#include "http/serve.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"
#include "util/log.h"

#define MEMBER "subject"

int
sl_api_admin_read_subject(struct sl_buffer *out, struct sl_span body)
{
	struct sl_json_members members;
	struct sl_json_member member;
	unsigned count = 0;
	int err = 0;
	if (!body.bytes || sl_json_check(body.bytes, body.len, 1) != 0 ||
			sl_json_members_open(&members, body.bytes, body.len) != 0)
		return SL_EINVAL;
	for (; err == 0 && sl_json_members_next(&members, &member); count++) {
		struct sl_span text = sl_json_unquote(member.value);
		if (count > 0 || member.kind != SL_JSON_STRING ||
				!sl_json_string_equals(member.name.bytes, member.name.len, MEMBER))
			return SL_EINVAL;
		err = sl_json_string_decode(out, text.bytes, text.len);
	}
	if (err != 0)
		return err == SL_ENOMEM ? err : SL_EINVAL;
	return count == 1 && sl_revocation_is_subject(out) ? 0 : SL_EINVAL;
}

/* A revocation that counts here, on its way to the other nodes. */
struct announcement {
	struct sl_publish publish; /* first */
	struct sl_exchange *exchange;
	struct sl_revocation revocation;
	char subject[SL_SUBJECT_MAX];
};

static void
set_answer(struct sl_reply *reply, const struct sl_revocation *revocation, const char *more)
{
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"subject\":");
	sl_buffer_append_json_string(&reply->body, revocation->subject.bytes, revocation->subject.len);
	sl_buffer_printf(&reply->body, ",\"until\":%lld,\"kept\":%lld%s}\n",
		(long long)revocation->until_s, (long long)revocation->kept_s, more);
}

/* What the others know: all is done, will be done, or is not going to be. */
static void
set_outcome(struct sl_reply *reply, const struct sl_revocation *revocation, int err)
{
	switch (err) {
	case 0:
		set_answer(reply, revocation, "");
		break;
	case SL_EUNKNOWN:
		set_answer(reply, revocation, ",\"announced\":false");
		reply->head.status = 202;
		break;
	default:
		sl_reply_set_error(reply, 500, "not_announced", "this gateway has disconnected the subject, "
			"but could not tell the other gateways; repeat the request");
	}
	if (err != 0)
		sl_log_limited(SL_LOG_WARNING, "admin.not_announced", "error=\"%s\" outcome=\"%s\"",
			sl_strerror(err), err == SL_EUNKNOWN ? "waits for the bus" : "repeat the request");
}

static void
on_announced(struct sl_publish *publish)
{
	struct announcement *announcement = (struct announcement *)publish;
	set_outcome(&announcement->exchange->reply, &announcement->revocation, publish->err);
	sl_serve_waiting(announcement->exchange);
	free(announcement);
}

static void
announce(struct sl_exchange *exchange, const struct sl_revocation *revocation)
{
	struct announcement *announcement = calloc(1, sizeof *announcement);
	int err = SL_ENOMEM;
	if (announcement) {
		announcement->publish.on_done = on_announced;
		announcement->exchange = exchange;
		announcement->revocation = *revocation;
		memcpy(announcement->subject, revocation->subject.bytes, revocation->subject.len);
		announcement->revocation.subject.bytes = announcement->subject;
		err = sl_revocation_announce(exchange->http, exchange->shard, revocation,
			&announcement->publish);
	}
	if (err == SL_PENDING) {
		exchange->is_waiting = true;
		return;
	}
	set_outcome(&exchange->reply, revocation, err);
	free(announcement);
}

static void
revoke(struct sl_exchange *exchange, struct sl_span subject)
{
	struct sl_shard *shard = exchange->shard;
	int64_t now_s = sl_clock_wall_us() / 1000000;
	/* The last of its tokens may have been issued just now, to live for as long as any may. */
	const struct sl_revocation revocation = { subject, now_s, now_s +
		sl_auth_get_max_age_s(sl_principals_get_auth(shard->principals)) + SL_LEEWAY_S };
	int err = sl_revocation_apply(exchange->http, &revocation, now_s);
	if (err == 0) {
		sl_log_limited(SL_LOG_INFO, "admin.disconnect", "kept_s=%lld",
			(long long)(revocation.kept_s - now_s));
		announce(exchange, &revocation);
		return;
	}
	if (err == SL_EFULL) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_REVOCATIONS_REFUSED, 1);
		sl_reply_set_error(&exchange->reply, 429, "limit", "the list of revoked subjects is full; "
			"use a higher --max-revocations, or wait until some of their tokens have expired");
		return;
	}
	sl_reply_set_err(&exchange->reply, err);
}

void
sl_api_admin_disconnect(struct sl_exchange *exchange, const struct sl_request *request)
{
	struct sl_buffer subject = SL_BUFFER_INIT;
	struct sl_reply *reply = &exchange->reply;
	if (!sl_principals_get_auth(exchange->shard->principals)) {
		sl_reply_set_error(reply, 404, "no_tokens", SL_API_NO_TOKENS);
		return;
	}
	int err = sl_api_admin_read_subject(&subject, request->body);
	if (err == 0)
		revoke(exchange, (struct sl_span){ subject.bytes, subject.len });
	else if (err == SL_EINVAL)
		sl_reply_set_error(reply, 400, "bad_request",
			"the body is not valid; use {\"subject\":\"...\"} with the sub of a token, and nothing else");
	else
		sl_reply_set_err(reply, err);
	sl_buffer_finish(&subject);
}
