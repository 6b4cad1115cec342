/* Lanes: further loopback listeners, so that a page can hold more connections than the six
 * a browser opens to one HTTP/1.1 host.
 * Owner: the app, in its list of listeners, behind those that were asked for. Thread:
 * main's, before shards run; texts any. Errors: SL_ENOMEM, SL_EIO (logged). */
#ifndef SL_DEMO_LANES_H
#define SL_DEMO_LANES_H

#include <stddef.h>

struct sl_buffer;
struct sl_listener;

#define SL_LANES 6

/* The listener that lanes and the obstacle stand beside: the first that is loopback TCP and speaks
 * TLS, since a page over https may reach no other; else the first that is loopback TCP. NULL
 * without such. */
const struct sl_listener *sl_lanes_find_first(const struct sl_listener *listeners, size_t count);

/* "https" or "http", "wss" or "ws". */
const char *sl_lanes_http(const struct sl_listener *listener);
const char *sl_lanes_ws(const struct sl_listener *listener);

/* Appends SL_LANES listeners that speak as sl_lanes_find_first() does, on the ports behind its
 * own, or where one is taken on a port that the system chooses; none without such. Returns how
 * many, or an error. */
int sl_lanes_open(struct sl_listener **listeners, size_t *count, unsigned shards);

/* The lanes' origins as a JSON array. */
void sl_lanes_append_origins(struct sl_buffer *out, const struct sl_listener *lanes, size_t count);

/* The page's Content-Security-Policy (CSP Level 3): it may reach its own origin and the
 * lanes by HTTP and WebSocket, and nothing else; `own` are the listeners that were asked
 * for. */
void sl_lanes_append_policy(struct sl_buffer *out, const struct sl_listener *own,
	size_t own_count, const struct sl_listener *lanes, size_t count);

#endif
