#include "http/charge.h"

#include <stdio.h>

#include "auth/principal.h"
#include "http/gate.h"
#include "http/route.h"
#include "live/refusal.h"

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

static bool
is_exempt(const struct sl_judgement *judgement)
{
	const struct sl_route *route = judgement->request.route;
	return judgement->verdict == SL_GATE_SERVE && (route->is_for_health || route->kind == SL_ROUTE_PUBLISH);
}

void
sl_charge_request(struct sl_judgement *judgement, const struct sl_gate *gate)
{
	struct sl_owner *owner = judgement->request.owner = find_owner(&judgement->request, gate);
	uint64_t wait_ms = is_exempt(judgement) ? 0 : sl_owner_take(owner, SL_LIMIT_REQUESTS, 1, gate->now_ms);
	if (wait_ms)
		sl_charge_refuse(judgement, SL_LIMIT_REQUESTS, wait_ms);
}
