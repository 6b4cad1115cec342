#include "http/credentials.h"

#include "core/owners.h"
#include "http/request.h"
#include "http/route.h"
#include "http/transport.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"

#define SCHEME "Bearer"

/* Steps of a search: a place has nothing, so that the next one is asked; or it decides. */
enum step { NEXT, FOUND, REPEATED, NOT_HERE };

static enum step
take(struct sl_credentials *out, enum sl_credential kind, struct sl_span bytes)
{
	*out = (struct sl_credentials){ kind, bytes };
	return FOUND;
}

static bool
upgrades(const struct sl_request *request)
{
	return request->transport && (request->transport->capabilities & SL_UPGRADES);
}

/* A scheme that is not ours may be meant for a proxy before us. */
static enum step
ask_authorization(struct sl_credentials *out, const struct sl_request *request)
{
	struct sl_span value = sl_request_get(request, SL_FIELD_AUTHORIZATION);
	size_t len = 0;
	if (request->head->count[SL_FIELD_AUTHORIZATION] > 1)
		return REPEATED;
	if (!value.bytes)
		return NEXT;
	while (len < value.len && !sl_is_blank(value.bytes[len]))
		len++;
	if (!sl_span_is_word((struct sl_span){ value.bytes, len }, SCHEME))
		return NEXT;
	return take(out, SL_CREDENTIAL_TOKEN,
		sl_span_trim(value.bytes + len, value.bytes + value.len));
}

/* One line of a list that may span several. */
static enum step
ask_protocols_of_line(struct sl_credentials *out, struct sl_span line)
{
	const size_t prefix_len = sizeof SL_BEARER_PROTOCOL - 1;
	enum step step = NEXT;
	const char *at = line.bytes, *end = at + line.len;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		struct sl_span word = sl_span_trim(at, comma ? comma : end);
		at = comma ? comma + 1 : end;
		if (word.len < prefix_len || memcmp(word.bytes, SL_BEARER_PROTOCOL, prefix_len) != 0)
			continue;
		if (step == FOUND)
			return REPEATED;
		step = take(out, SL_CREDENTIAL_TOKEN,
			(struct sl_span){ word.bytes + prefix_len, word.len - prefix_len });
	}
	return step;
}

static enum step
ask_protocols(struct sl_credentials *out, const struct sl_request *request)
{
	struct sl_span rest = request->head->lines, line;
	enum step step = NEXT;
	if (!upgrades(request) || request->head->count[SL_FIELD_WS_PROTOCOL] == 0)
		return NEXT;
	while (step != REPEATED && sl_head_next_of(&rest, "Sec-WebSocket-Protocol", &line)) {
		enum step of_line = ask_protocols_of_line(out, line);
		if (of_line != NEXT)
			step = step == FOUND ? REPEATED : of_line;
	}
	return step;
}

static enum step
ask_query(struct sl_credentials *out, const struct sl_request *request)
{
	const struct sl_params *params = &request->params;
	if (params->ticket.bytes && request->route->kind != SL_ROUTE_DELIVER)
		return NOT_HERE;
	if (params->ticket.bytes)
		return take(out, SL_CREDENTIAL_TICKET, params->ticket);
	return params->token.bytes ? take(out, SL_CREDENTIAL_TOKEN, params->token) : NEXT;
}

/* ---- the cookie ---- */

/* Browsers send an Origin with each POST and each upgrade, and with a GET of another origin's page that may
 * read the answer. A GET without one is a page's own, or one whose answer its page cannot read; those of
 * other sites are told by Sec-Fetch-Site, where the browser knows it. */
static bool
may_count_cookie(const struct sl_request *request)
{
	const struct sl_head *head = request->head;
	struct sl_span site = sl_request_get(request, SL_FIELD_FETCH_SITE);
	if (sl_request_get(request, SL_FIELD_ORIGIN).bytes)
		return request->cors.origin;
	if (upgrades(request) || !(sl_head_is_method(head, "GET") || sl_head_is_method(head, "HEAD")))
		return false;
	return head->count[SL_FIELD_FETCH_SITE] <= 1 && (!site.bytes ||
		sl_span_is_word(site, "same-origin") || sl_span_is_word(site, "none"));
}

/* The cookies of one line (RFC 6265, section 4.2.1). Returns how many have the name. */
static unsigned
count_cookies(struct sl_span line, const char *name, struct sl_span *value)
{
	const char *at = line.bytes, *end = at + line.len;
	unsigned count = 0;
	while (at < end) {
		const char *semicolon = memchr(at, ';', (size_t)(end - at));
		const char *pair_end = semicolon ? semicolon : end;
		const char *equals = memchr(at, '=', (size_t)(pair_end - at));
		if (equals && sl_span_equals(sl_span_trim(at, equals), name)) {
			*value = sl_span_trim(equals + 1, pair_end);
			count++;
		}
		at = semicolon ? semicolon + 1 : end;
	}
	return count;
}

/* Of two with one name nobody knows which the user's own server has set: a neighbour's subdomain can set
 * one too. */
static enum step
ask_cookies(struct sl_credentials *out, const struct sl_request *request, const char *name)
{
	struct sl_span rest = request->head->lines, line, value = { 0 };
	unsigned count = 0;
	if (!name || request->head->count[SL_FIELD_COOKIE] == 0 || !may_count_cookie(request))
		return NEXT;
	while (sl_head_next_of(&rest, "Cookie", &line))
		count += count_cookies(line, name, &value);
	return count == 1 ? take(out, SL_CREDENTIAL_TOKEN, value) : NEXT;
}

/* ---- all of them ---- */

enum sl_credentials_outcome
sl_credentials_find(struct sl_credentials *out, const struct sl_request *request,
	const char *cookie_name)
{
	*out = (struct sl_credentials){ .kind = SL_CREDENTIAL_NONE };
	enum step step = ask_authorization(out, request);
	if (step == NEXT)
		step = ask_protocols(out, request);
	if (step == NEXT)
		step = ask_query(out, request);
	if (step == NEXT)
		step = ask_cookies(out, request, cookie_name);
	if (step == REPEATED)
		return SL_CREDENTIALS_REPEATED;
	return step == NOT_HERE ? SL_CREDENTIALS_NOT_HERE : SL_CREDENTIALS_READ;
}

/* ---- those that come later ---- */

static int
refuse_for_now(struct sl_shard *shard, struct sl_owner *payer, struct sl_refusal *refusal)
{
	uint64_t wait_ms = sl_owner_get_wait(payer, SL_LIMIT_TOKEN_FAILURES, shard->loop.now_ms);
	sl_refusal_set_limit(refusal, SL_LIMIT_TOKEN_FAILURES, wait_ms ? wait_ms : 1);
	sl_metrics_add(&shard->metrics, sl_limit_counter(SL_LIMIT_TOKEN_FAILURES), 1);
	return SL_ELIMITED;
}

int
sl_credentials_identify_text(struct sl_shard *shard, struct sl_owner *payer, struct sl_span token,
	struct sl_principal **out, struct sl_refusal *refusal)
{
	struct sl_auth_refusal why = { 0 };
	bool has_rules = sl_principals_get_auth(shard->principals);
	const struct sl_bearer bearer = {
		.kind = token.bytes ? SL_CREDENTIAL_TOKEN : SL_CREDENTIAL_NONE,
		.bytes = token,
		.now_s = has_rules ? sl_clock_wall_us() / 1000000 : 0,
		.payer = payer,
		.now_ms = shard->loop.now_ms,
	};
	*out = sl_principals_identify(shard->principals, &bearer, &why);
	if (*out)
		return 0;
	if (sl_auth_refusal_is_limit(&why))
		return refuse_for_now(shard, payer, refusal);
	bool is_ours = strcmp(why.code, "internal") == 0;
	sl_refusal_set(refusal, why.code, why.message);
	refusal->is_final = !is_ours;
	return is_ours ? SL_ENOMEM : SL_EFORBIDDEN;
}
