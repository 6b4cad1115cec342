#include "demo/lanes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/listener.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

/* The ports behind the first listener's, if they are free: a gateway that is started again has
 * the same then, which the pages that are open know. */
static int
open_lane(struct sl_listener *lane, const struct sl_listener *first, int number,
	unsigned shards)
{
	int err = SL_EIO, port = first->address.port + number;
	struct sl_listen_address address = first->address;
	for (int i = port <= UINT16_MAX ? 0 : 1; i < 2 && err != 0; i++) {
		sl_listen_address_set_port(&address, i == 0 ? (uint16_t)port : 0);
		err = sl_listener_open(lane, &address, shards);
	}
	if (err != 0)
		sl_log(SL_LOG_ERROR, "lanes.failed", "error=\"%s\"", strerror(errno));
	else
		lane->is_secure = first->is_secure;
	return err;
}

const struct sl_listener *
sl_lanes_find_first(const struct sl_listener *listeners, size_t count)
{
	const struct sl_listener *first = NULL;
	for (size_t i = 0; i < count; i++) {
		if (listeners[i].is_admin || !sl_listen_address_is_loopback_tcp(&listeners[i].address))
			continue;
		if (listeners[i].is_secure)
			return &listeners[i];
		first = first ? first : &listeners[i];
	}
	return first;
}

const char *
sl_lanes_http(const struct sl_listener *listener)
{
	return listener->is_secure ? "https" : "http";
}

const char *
sl_lanes_ws(const struct sl_listener *listener)
{
	return listener->is_secure ? "wss" : "ws";
}

int
sl_lanes_open(struct sl_listener **listeners, size_t *count, unsigned shards)
{
	const struct sl_listener *found = sl_lanes_find_first(*listeners, *count);
	if (!found)
		return 0;
	const struct sl_listener first = *found; /* which may move */
	struct sl_listener *more = realloc(*listeners, (*count + SL_LANES) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	*listeners = more;
	for (int i = 0; i < SL_LANES; i++) {
		int err = open_lane(&more[*count], &first, i + 1, shards);
		if (err != 0)
			return err;
		++*count;
	}
	return SL_LANES;
}

/* A policy has no form for IPv6 literals, so ::1 goes by its name. */
static const char *
get_host(const struct sl_listener *listener)
{
	return listener->address.kind == SL_ADDRESS_IPV6 ? "localhost" : listener->address.host;
}

void
sl_lanes_append_origins(struct sl_buffer *out, const struct sl_listener *lanes, size_t count)
{
	sl_buffer_append_char(out, '[');
	for (size_t i = 0; i < count; i++)
		sl_buffer_printf(out, "%s\"%s://%s:%u\"", i ? "," : "", sl_lanes_http(&lanes[i]),
			get_host(&lanes[i]), lanes[i].address.port);
	sl_buffer_append_char(out, ']');
}

/* Both addresses of localhost have one port, and the same names. */
static bool
is_first_of_port(const struct sl_listener *own, size_t at)
{
	if (!sl_listen_address_is_loopback_tcp(&own[at].address))
		return false;
	for (size_t i = 0; i < at; i++)
		if (sl_listen_address_is_loopback_tcp(&own[i].address)
			&& own[i].address.port == own[at].address.port)
			return false;
	return true;
}

void
sl_lanes_append_policy(struct sl_buffer *out, const struct sl_listener *own, size_t own_count,
	const struct sl_listener *lanes, size_t count)
{
	sl_buffer_append_str(out, "default-src 'self'; style-src 'self'; frame-ancestors 'none'; "
		"base-uri 'none'; form-action 'self'; connect-src 'self'");
	/* To some browsers 'self' is HTTP alone. */
	for (size_t i = 0; i < own_count; i++)
		if (is_first_of_port(own, i))
			sl_buffer_printf(out, " %s://localhost:%u %s://127.0.0.1:%u", sl_lanes_ws(&own[i]),
				own[i].address.port, sl_lanes_ws(&own[i]), own[i].address.port);
	for (size_t i = 0; i < count; i++)
		sl_buffer_printf(out, " %s://%s:%u %s://%s:%u", sl_lanes_http(&lanes[i]),
			get_host(&lanes[i]), lanes[i].address.port, sl_lanes_ws(&lanes[i]),
			get_host(&lanes[i]), lanes[i].address.port);
}
