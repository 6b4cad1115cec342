#include "http/trust.h"

#include "http/connection.h"
#include "http/forwarded.h"
#include "http/front.h"
#include "http/http.h"
#include "http/preface.h"
#include "http/settings.h"
#include "live/shard.h"

bool
sl_trust_has(const struct sl_front *front, const struct sl_address *address)
{
	return sl_forwarded_trusts(&front->settings->config.trust_proxy, address);
}

/* ---- counting ---- */

enum sl_owner_verdict
sl_trust_count_in(struct sl_connection *c, const struct sl_address *client, struct sl_owner **owner,
	bool *is_counted)
{
	const struct sl_front *front = c->link.shard->front;
	*is_counted = false;
	*owner = sl_trust_has(front, client) ? NULL : sl_owners_get_address(front->http->owners, client);
	enum sl_owner_verdict verdict = sl_owner_enter(*owner);
	*is_counted = verdict != SL_OWNER_HARD;
	if (verdict == SL_OWNER_OK)
		return verdict;
	sl_metrics_add(&front->shard->metrics, verdict == SL_OWNER_HARD ?
		SL_COUNTER_REFUSED_HARD : SL_COUNTER_REFUSED_LIMIT_ADDRESS, 1);
	sl_metrics_add(&front->shard->metrics, SL_COUNTER_LIMITED_CONNECTIONS, 1);
	return verdict;
}

void
sl_trust_set_owner(struct sl_connection *c, struct sl_owner *owner)
{
	struct sl_owner *before = c->link.owner;
	c->link.owner = sl_owner_ref(owner);
	sl_owner_unref(before);
}

/* ---- requests ---- */

static void
count_fields(struct sl_metrics *metrics, const struct sl_forwarded *forwarded)
{
	if (forwarded->kind == SL_FORWARDED_X)
		sl_metrics_add(metrics, SL_COUNTER_PROXY_X_FORWARDED_FOR, 1);
	else if (forwarded->kind == SL_FORWARDED_RFC7239)
		sl_metrics_add(metrics, SL_COUNTER_PROXY_FORWARDED, 1);
	if (forwarded->is_bad)
		sl_metrics_add(metrics, SL_COUNTER_PROXY_BAD, 1);
}

/* A client that is far above its limit is refused like one a little above: its answer goes to a
 * proxy, whose connection others use too. */
static void
take_fields(struct sl_connection *c, const struct sl_forwarded *forwarded)
{
	bool is_counted;
	struct sl_owner *owner;
	c->is_forwarded = true;
	c->link.client = forwarded->client;
	if (forwarded->scheme != SL_SCHEME_UNSAID)
		c->is_secure = forwarded->scheme == SL_SCHEME_HTTPS;
	c->is_client_full = sl_trust_count_in(c, &forwarded->client, &owner, &is_counted) != SL_OWNER_OK;
	c->is_client_counted = is_counted;
	sl_trust_set_owner(c, owner);
	sl_owner_unref(owner);
}

void
sl_trust_begin_request(struct sl_connection *c, const struct sl_head *head)
{
	const struct sl_front *front = c->link.shard->front;
	const struct sl_address *source = sl_preface_get_source(c);
	struct sl_forwarded forwarded;
	if (!sl_trust_has(front, source))
		return;
	sl_forwarded_read(&forwarded, head, &front->settings->config.trust_proxy, source);
	count_fields(&front->shard->metrics, &forwarded);
	take_fields(c, &forwarded);
}

void
sl_trust_end_request(struct sl_connection *c)
{
	if (!c->is_forwarded)
		return;
	if (c->is_client_counted)
		sl_owner_leave(c->link.owner);
	c->link.client = *sl_preface_get_source(c);
	sl_trust_set_owner(c, sl_preface_get_owner(c));
	c->is_secure = c->came_secure;
	c->is_forwarded = c->is_client_counted = c->is_client_full = false;
}
