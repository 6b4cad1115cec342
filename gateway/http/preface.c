#include "http/preface.h"

#include <stdlib.h>

#include "config/config.h"
#include "http/connection.h"
#include "http/proxy_header.h"
#include "http/trust.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/log.h"

struct sl_preface {
	struct sl_buffer held;     /* an incomplete header */
	struct sl_address source;  /* whom the header named, where `has_source` */
	bool has_source;
	struct sl_owner *owner;    /* a reference: the source's, or NULL */
	bool is_counted;           /* among its connections */
};

/* ---- what is kept ---- */

static struct sl_preface *
require(struct sl_connection *c)
{
	if (!c->preface)
		c->preface = calloc(1, sizeof *c->preface);
	if (!c->preface)
		sl_link_close(&c->link);
	return c->preface;
}

/* The bytes that were held; their memory is the caller's from here on. */
static struct sl_buffer
take_held(struct sl_connection *c)
{
	struct sl_buffer held = c->preface->held;
	c->link.shard->framer.pinned_bytes -= held.len;
	sl_buffer_init(&c->preface->held);
	return held;
}

/* The whole header has the time that a request has, from its first byte. */
static void
hold(struct sl_connection *c, const char *bytes, size_t len)
{
	struct sl_shard *shard = c->link.shard;
	bool is_first = !c->preface;
	struct sl_preface *preface = require(c);
	if (!preface)
		return;
	size_t before = preface->held.len;
	sl_buffer_append(&preface->held, bytes, len);
	if (sl_buffer_status(&preface->held) != 0) {
		shard->framer.pinned_bytes -= before;
		sl_buffer_finish(&preface->held);
		sl_link_close(&c->link);
		return;
	}
	shard->framer.pinned_bytes += len;
	if (is_first)
		sl_link_set_timer(&c->link, shard->loop.now_ms + shard->config->request_timeout_ms);
}

size_t
sl_preface_get_held(const struct sl_connection *c)
{
	return c->preface ? c->preface->held.len : 0;
}

const struct sl_address *
sl_preface_get_source(const struct sl_connection *c)
{
	return c->preface && c->preface->has_source ? &c->preface->source : &c->link.socket.peer;
}

struct sl_owner *
sl_preface_get_owner(const struct sl_connection *c)
{
	return c->preface && c->preface->has_source ? c->preface->owner : c->peer_owner;
}

static void
count_bytes(struct sl_connection *c, size_t len)
{
	sl_link_count_in(&c->link, SL_CLASS_HTTP, len);
}

void
sl_preface_drop(struct sl_connection *c)
{
	struct sl_preface *preface = c->preface;
	if (!preface)
		return;
	count_bytes(c, preface->held.len);
	struct sl_buffer held = take_held(c);
	sl_buffer_finish(&held);
	if (preface->is_counted)
		sl_owner_leave(preface->owner);
	sl_owner_unref(preface->owner);
	c->preface = NULL;
	free(preface);
}

/* ---- headers ---- */

/* Above its address's limit the connection is refused as if it had come without a proxy. */
static void
take_source(struct sl_connection *c, const struct sl_address *source)
{
	struct sl_preface *preface = require(c);
	if (!preface)
		return;
	preface->source = c->link.client = *source;
	preface->has_source = true;
	enum sl_owner_verdict verdict = sl_trust_count_in(c, source, &preface->owner, &preface->is_counted);
	sl_trust_set_owner(c, preface->owner);
	if (!sl_trust_has(c->link.shard->front, source))
		sl_share_move(&c->link.steps, source);
	c->is_full |= verdict != SL_OWNER_OK;
	if (verdict == SL_OWNER_HARD)
		sl_link_abort(&c->link);
}

static void
take_header(struct sl_connection *c, const struct sl_proxy_header *header)
{
	sl_metrics_add(&c->link.shard->metrics, header->version == 1 ? SL_COUNTER_PROXY_V1 :
		SL_COUNTER_PROXY_V2, 1);
	c->is_secure |= header->is_secure;
	c->came_secure = c->is_secure;
	if (header->has_client)
		take_source(c, &header->client);
	else
		sl_preface_drop(c);
}

static void
refuse(struct sl_connection *c)
{
	char peer[SL_ADDRESS_TEXT_MAX];
	sl_address_format(&c->link.socket.peer, peer);
	sl_metrics_add(&c->link.shard->metrics, SL_COUNTER_PROXY_BAD, 1);
	sl_log_limited(SL_LOG_WARNING, "proxy.bad_header", "peer=%s", peer);
	sl_link_close(&c->link);
}

void
sl_preface_take(struct sl_connection *c, char *bytes, size_t len)
{
	struct sl_buffer all = SL_BUFFER_INIT;
	struct sl_proxy_header header;
	if (c->preface) {
		hold(c, bytes, len);
		if (c->link.state != SL_LINK_OPEN)
			return;
		all = take_held(c);
		bytes = all.bytes;
		len = all.len;
	}
	switch (sl_proxy_header_read(&header, bytes, len)) {
	case SL_PROXY_MORE:
		hold(c, bytes, len);
		break;
	case SL_PROXY_BAD:
		count_bytes(c, len);
		refuse(c);
		break;
	case SL_PROXY_DONE:
		count_bytes(c, header.len);
		take_header(c, &header);
		if (c->link.state == SL_LINK_OPEN)
			sl_connection_begin(c, bytes + header.len, len - header.len);
		break;
	case SL_PROXY_NONE:
		sl_preface_drop(c);
		sl_connection_begin(c, bytes, len);
	}
	sl_buffer_finish(&all);
}
