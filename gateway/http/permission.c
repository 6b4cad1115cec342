#include "http/permission.h"

#include <stdio.h>
#include <string.h>

#include "auth/principals.h"
#include "config/config.h"
#include "core/owners.h"
#include "http/credentials.h"
#include "http/gate.h"
#include "http/request.h"
#include "http/route.h"
#include "live/permit.h"
#include "live/refusal.h"

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
		deny(denial, 400, "bad_request", "there is more than one token; use one in Authorization and "
			"one in Sec-WebSocket-Protocol at most");
		return NULL;
	}
	if (outcome == SL_CREDENTIALS_NOT_HERE) {
		deny_missing(denial, "a ticket opens delivery requests only; use a token for this request");
		denial->is_bad_token = true;
		return NULL;
	}
	if (credentials.kind == SL_CREDENTIAL_NONE && request->route->needs != SL_NEEDS_PRINCIPAL) {
		deny_missing(denial, "this request needs a token; use Authorization: Bearer TOKEN");
		return NULL;
	}
	const struct sl_bearer bearer = { credentials.kind, credentials.bytes, gate->now_s, gate->owner,
		gate->now_ms };
	struct sl_principal *principal = sl_principals_identify(gate->principals, &bearer, &refusal);
	if (!principal && sl_auth_refusal_is_limit(&refusal)) {
		uint64_t wait_ms = sl_owner_get_wait(gate->owner, SL_LIMIT_TOKEN_FAILURES, gate->now_ms);
		denial->wait_ms = wait_ms ? wait_ms : 1;
	} else if (!principal) {
		bool is_ours = strcmp(refusal.code, "internal") == 0;
		deny(denial, is_ours ? 500 : 401, refusal.code, refusal.message);
		denial->is_bad_token = !is_ours;
	}
	return principal;
}

/* ---- what it may ---- */

static bool
judge_channel(const struct sl_principal *principal, enum sl_act act, struct sl_span channel,
	struct sl_denial *denial)
{
	struct sl_refusal refusal;
	if (sl_permit_allows(principal, act, channel))
		return true;
	denial->counter = sl_permit_refuse(principal, act, channel, &refusal);
	bool has_token = !sl_principal_is_anonymous(principal);
	return deny(denial, has_token ? 403 : 401, refusal.code, refusal.message);
}

/* The lines of a batch may name other channels; but who may publish nothing at all without a token should get
 * one before the body is sent. */
static bool
judge_publish(const struct sl_principal *principal, struct sl_span channel,
	struct sl_denial *denial)
{
	bool may_some = !sl_principal_is_anonymous(principal) ||
		sl_principal_get_claims(principal)->may[SL_ACT_PUBLISH].count > 0;
	if (channel.bytes)
		return judge_channel(principal, SL_ACT_PUBLISH, channel, denial);
	return may_some ||
		deny_missing(denial, "a publish needs a token; use Authorization: Bearer TOKEN");
}

static bool
judge_channels(const struct sl_principal *principal, const struct sl_request *request,
	struct sl_denial *denial)
{
	const struct sl_join *join = &request->params.join;
	bool is_allowed = true;
	if (request->route->has_no_channels)
		return true;
	if (request->route->kind == SL_ROUTE_PUBLISH)
		return judge_publish(principal, request->params.channel, denial);
	for (unsigned i = 0; is_allowed && i < join->channel_count; i++)
		is_allowed = judge_channel(principal, SL_ACT_SUBSCRIBE, join->channels[i], denial);
	return is_allowed;
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
	return deny(denial, 403, "forbidden", "this request needs the right of an admin; use a token with \"admin\":true");
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
