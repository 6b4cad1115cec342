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

enum sl_quota_verdict
sl_trust_count_in(struct sl_connection *c, const struct sl_address *client, bool *is_counted)
{
	const struct sl_front *front = c->link.shard->front;
	*is_counted = false;
	if (sl_trust_has(front, client))
		return SL_QUOTA_OK;
	enum sl_quota_verdict verdict = sl_quota_take_address(front->http->quota, client);
	*is_counted = verdict != SL_QUOTA_HARD;
	if (verdict != SL_QUOTA_OK)
		sl_metrics_add(&front->shard->metrics, verdict == SL_QUOTA_HARD ?
			SL_COUNTER_REFUSED_HARD : SL_COUNTER_REFUSED_LIMIT_ADDRESS, 1);
	return verdict;
}

void
sl_trust_count_out(struct sl_connection *c, const struct sl_address *client)
{
	sl_quota_release_address(c->link.shard->front->http->quota, client);
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
	c->is_forwarded = true;
	c->link.client = forwarded->client;
	if (forwarded->scheme != SL_SCHEME_UNSAID)
		c->is_secure = forwarded->scheme == SL_SCHEME_HTTPS;
	c->is_client_full = sl_trust_count_in(c, &forwarded->client, &is_counted) != SL_QUOTA_OK;
	c->is_client_counted = is_counted;
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
		sl_trust_count_out(c, &c->link.client);
	c->link.client = *sl_preface_get_source(c);
	c->is_secure = c->came_secure;
	c->is_forwarded = c->is_client_counted = c->is_client_full = false;
}
