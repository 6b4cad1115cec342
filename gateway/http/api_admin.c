#include "http/api_admin.h"

#include "auth/principals.h"
#include "http/exchange.h"
#include "http/http.h"
#include "http/request.h"
#include "http/revocation.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"
#include "util/log.h"
#include "util/utf8.h"

#define MEMBER "subject"

static bool
is_subject(const struct sl_buffer *text)
{
	bool fits = text->len > 0 && text->len <= SL_SUBJECT_MAX &&
		sl_utf8_valid(text->bytes, text->len);
	for (size_t i = 0; fits && i < text->len; i++)
		fits = (unsigned char)text->bytes[i] >= 0x20 && text->bytes[i] != 0x7f;
	return fits;
}

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
	return count == 1 && is_subject(out) ? 0 : SL_EINVAL;
}

static void
set_answer(struct sl_reply *reply, const struct sl_revocation *revocation)
{
	sl_reply_set_json(reply);
	sl_buffer_append_str(&reply->body, "{\"subject\":");
	sl_buffer_append_json_string(&reply->body, revocation->subject.bytes, revocation->subject.len);
	sl_buffer_printf(&reply->body, ",\"until\":%lld,\"kept\":%lld}\n",
		(long long)revocation->until_s, (long long)revocation->kept_s);
}

static void
revoke(struct sl_exchange *exchange, struct sl_span subject)
{
	struct sl_shard *shard = exchange->shard;
	int64_t now_s = sl_clock_wall_us() / 1000000;
	/* The last of its tokens may have been issued just now, to live for as long as any may. */
	const struct sl_revocation revocation = { subject, now_s, now_s +
		sl_auth_get_max_age_s(sl_principals_get_auth(shard->principals)) + SL_LEEWAY_S };
	int err = sl_revocation_announce(exchange->http, &revocation, now_s);
	if (err == 0) {
		sl_log_limited(SL_LOG_INFO, "admin.disconnect", "kept_s=%lld",
			(long long)(revocation.kept_s - now_s));
		set_answer(&exchange->reply, &revocation);
		return;
	}
	if (err == SL_EFULL) {
		sl_metrics_add(&shard->metrics, SL_COUNTER_REVOCATIONS_REFUSED, 1);
		sl_reply_set_error(&exchange->reply, 429, "limit", "as many subjects are revoked as may be: "
			"raise --max-revocations, or wait until the tokens of some have expired");
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
			"the body must be {\"subject\":\"...\"} with the subject of a token, and nothing else");
	else
		sl_reply_set_err(reply, err);
	sl_buffer_finish(&subject);
}
