#include "http/charge.h"

#include <stdio.h>

#include "auth/principal.h"
#include "http/gate.h"
#include "http/route.h"
#include "http/transport.h"
#include "live/refusal.h"

#define CHANNELS_A_POLL 8 /* of a poll cost as much as one of a stream */
#define POLL_DEBT_MS 100

void
sl_charge_refuse(struct sl_judgement *judgement, enum sl_limit limit, uint64_t wait_ms)
{
	struct sl_gate_refusal *out = &judgement->refusal;
	struct sl_refusal refusal;
	sl_refusal_set_limit(&refusal, limit, wait_ms);
	judgement->verdict = SL_GATE_REFUSE;
	out->status = 429;
	out->code = refusal.code;
	snprintf(out->message, sizeof out->message, "%s", refusal.message);
	out->allow = NULL;
	out->challenge[0] = '\0';
	out->concern = SL_CONCERN_ROOM;
	out->counter = sl_limit_counter(limit);
	out->retry_ms = refusal.retry_ms;
}

static struct sl_owner *
find_owner(const struct sl_request *request, const struct sl_gate *gate)
{
	struct sl_owner *owner = request->principal ? sl_principal_get_owner(request->principal) : NULL;
	return owner ? owner : gate->owner;
}

/* What is answered by files and texts goes through libmicrohttpd, and costs more than all else. */
static uint64_t
find_cost(const struct sl_judgement *judgement)
{
	bool is_relayed = judgement->verdict == SL_GATE_SERVE && judgement->request.route->kind == SL_ROUTE_ORDINARY;
	return is_relayed ? SL_CHARGE_RELAYED : 1;
}

static bool
is_exempt(const struct sl_judgement *judgement)
{
	const struct sl_route *route = judgement->request.route;
	return judgement->verdict == SL_GATE_SERVE && (route->is_for_health || route->kind == SL_ROUTE_PUBLISH);
}

static unsigned
count_subscribes(const struct sl_request *request)
{
	unsigned count = request->route->has_no_channels ? 0 : request->params.join.channel_count;
	bool is_again = request->transport->capabilities & SL_ANSWERS_ONCE;
	return is_again ? (count + CHANNELS_A_POLL - 1) / CHANNELS_A_POLL : count;
}

/* Streams that catch up keep their owner's bucket empty, each waiting for its turn. Polls have no turn, so they
 * get theirs as long as little is owed. */
static uint64_t
get_history_wait(const struct sl_request *request, struct sl_owner *owner, uint64_t now_ms)
{
	bool reads = request->params.join.since_kind != SL_SINCE_NOW;
	if (!reads || !(request->transport->capabilities & SL_ANSWERS_ONCE))
		return 0;
	uint64_t wait_ms = sl_owner_get_wait(owner, SL_LIMIT_HISTORY_BYTES, now_ms);
	return wait_ms > POLL_DEBT_MS ? wait_ms : 0;
}

/* HEAD joins nothing, and neither does who names no channel: a poll of a session, which a refusal would end. */
static void
charge_delivery(struct sl_judgement *judgement, struct sl_owner *owner, uint64_t now_ms)
{
	const struct sl_request *request = &judgement->request;
	if (judgement->verdict != SL_GATE_SERVE || request->route->kind != SL_ROUTE_DELIVER ||
			sl_head_is_method(request->head, "HEAD"))
		return;
	uint64_t history_ms = get_history_wait(request, owner, now_ms);
	unsigned count = count_subscribes(request);
	uint64_t wait_ms = history_ms || count == 0 ? 0 : sl_owner_take(owner, SL_LIMIT_SUBSCRIBES, count, now_ms);
	if (history_ms)
		sl_charge_refuse(judgement, SL_LIMIT_HISTORY_BYTES, history_ms);
	else if (wait_ms)
		sl_charge_refuse(judgement, SL_LIMIT_SUBSCRIBES, wait_ms);
}

void
sl_charge_request(struct sl_judgement *judgement, const struct sl_gate *gate)
{
	struct sl_owner *owner = judgement->request.owner = find_owner(&judgement->request, gate);
	judgement->judged_ms = gate->now_ms;
	uint64_t wait_ms = is_exempt(judgement) ? 0 : sl_owner_take(owner, SL_LIMIT_REQUESTS,
		find_cost(judgement), gate->now_ms);
	if (wait_ms)
		sl_charge_refuse(judgement, SL_LIMIT_REQUESTS, wait_ms);
	else
		charge_delivery(judgement, owner, gate->now_ms);
}

void
sl_charge_refused_publish(struct sl_judgement *judgement)
{
	if (is_exempt(judgement))
		sl_owner_spend(judgement->request.owner, SL_LIMIT_REQUESTS, 1, judgement->judged_ms);
}
