#include "http/permission.h"

#include <stdio.h>
#include <string.h>

#include "auth/principals.h"
#include "config/config.h"
#include "http/credentials.h"
#include "http/gate.h"
#include "http/request.h"
#include "http/route.h"

/* Of a subscribe or publish. */
static const struct {
	const char *deed;
	enum sl_counter counter;
} acts[SL_ACTS] = {
	[SL_ACT_SUBSCRIBE] = { "subscribe to", SL_COUNTER_FORBIDDEN_SUBSCRIBE },
	[SL_ACT_PUBLISH] = { "publish to", SL_COUNTER_FORBIDDEN_PUBLISH },
};

static bool
deny(struct sl_denial *denial, unsigned status, const char *code, const char *message)
{
	denial->status = status;
	denial->code = code;
	snprintf(denial->message, sizeof denial->message, "%s", message);
	return false;
}

static bool
deny_missing(struct sl_denial *denial, const char *message)
{
	denial->counter = SL_COUNTER_PRINCIPALS_MISSING;
	return deny(denial, 401, "unauthorized", message);
}

/* Returns a reference, or NULL with the denial. */
static struct sl_principal *
identify(const struct sl_request *request, const struct sl_gate *gate, struct sl_denial *denial)
{
	struct sl_credentials credentials;
	struct sl_auth_refusal refusal = { 0 };
	enum sl_credentials_outcome outcome =
		sl_credentials_find(&credentials, request, gate->config->token_cookie);
	if (outcome == SL_CREDENTIALS_REPEATED) {
		deny(denial, 400, "bad_request", "a token may be there once in Authorization, and once in "
			"Sec-WebSocket-Protocol");
		return NULL;
	}
	if (outcome == SL_CREDENTIALS_NOT_HERE) {
		deny_missing(denial, "a ticket opens delivery requests alone: this needs a token");
		denial->is_bad_token = true;
		return NULL;
	}
	if (credentials.kind == SL_CREDENTIAL_NONE && request->route->needs != SL_NEEDS_PRINCIPAL) {
		deny_missing(denial, "this needs a token, as in Authorization: Bearer TOKEN");
		return NULL;
	}
	struct sl_principal *principal = sl_principals_identify(gate->principals, credentials.kind,
		credentials.bytes, gate->now_s, &refusal);
	if (!principal) {
		bool is_ours = strcmp(refusal.code, "internal") == 0;
		deny(denial, is_ours ? 500 : 401, refusal.code, refusal.message);
		denial->is_bad_token = !is_ours;
	}
	return principal;
}

/* ---- what it may ---- */

/* Whoever has no token may get one; whoever has one has the wrong one. */
static bool
deny_channel(struct sl_denial *denial, const struct sl_principal *principal, enum sl_act act,
	struct sl_span channel)
{
	const char *deed = acts[act].deed;
	if (sl_principal_is_anonymous(principal)) {
		deny_missing(denial, "");
		snprintf(denial->message, sizeof denial->message, "to %s %.*s needs a token, as in "
			"Authorization: Bearer TOKEN", deed, (int)channel.len, channel.bytes);
		return false;
	}
	denial->counter = acts[act].counter;
	deny(denial, 403, "forbidden", "");
	snprintf(denial->message, sizeof denial->message, "this token may not %s %.*s", deed,
		(int)channel.len, channel.bytes);
	return false;
}

/* Anything at all, as far as is known before the body is read: where those without a token may publish
 * nothing, a client should get one before it sends a batch. */
static bool
may_publish(const struct sl_principal *principal)
{
	return !sl_principal_is_anonymous(principal) ||
		sl_principal_get_claims(principal)->may[SL_ACT_PUBLISH].count > 0;
}

static bool
judge_channels(const struct sl_principal *principal, const struct sl_request *request,
	struct sl_denial *denial)
{
	const struct sl_join *join = &request->params.join;
	struct sl_span channel = request->params.channel;
	if (request->route->kind == SL_ROUTE_PUBLISH) /* the lines of a batch may name others */
		return channel.bytes ? sl_principal_may(principal, SL_ACT_PUBLISH, channel) ||
			deny_channel(denial, principal, SL_ACT_PUBLISH, channel) : may_publish(principal) ||
			deny_missing(denial, "to publish needs a token, as in Authorization: Bearer TOKEN");
	for (unsigned i = 0; i < join->channel_count; i++)
		if (!sl_principal_may(principal, SL_ACT_SUBSCRIBE, join->channels[i]))
			return deny_channel(denial, principal, SL_ACT_SUBSCRIBE, join->channels[i]);
	return true;
}

/* A ticket is for channels, if any are named: those of a token that may not have them are of no use. */
static bool
judge_need(const struct sl_principal *principal, const struct sl_request *request,
	struct sl_denial *denial)
{
	if (request->route->needs != SL_NEEDS_ADMIN)
		return judge_channels(principal, request, denial);
	if (sl_principal_get_claims(principal)->is_admin)
		return true;
	denial->counter = SL_COUNTER_FORBIDDEN_ADMIN;
	return deny(denial, 403, "forbidden", "this needs a token with \"admin\":true");
}

bool
sl_permission_has_tokens(const struct sl_gate *gate)
{
	return gate->principals && sl_principals_get_auth(gate->principals);
}

bool
sl_permission_judge(struct sl_request *request, const struct sl_gate *gate,
	struct sl_denial *denial)
{
	enum sl_route_needs needs = request->route->needs;
	*denial = (struct sl_denial){ .counter = SL_COUNTER_COUNT };
	if (!sl_permission_has_tokens(gate)) {
		request->principal = &sl_principal_everybody;
		return true;
	}
	if (needs == SL_NEEDS_NOTHING || (needs == SL_NEEDS_ADMIN && gate->is_for_admins))
		return true;
	request->principal = identify(request, gate, denial);
	return request->principal && judge_need(request->principal, request, denial);
}
