/* Router: from a path to what answers it.
 * Owner: a constant table. Thread: any. Errors: NULL for no such path. */
#ifndef SL_HTTP_ROUTER_H
#define SL_HTTP_ROUTER_H

#include <stdbool.h>

struct sl_request;
struct sl_route;
struct sl_transport;

/* `path` is what follows the base path, without query. */
const struct sl_route *sl_router_find(const char *path);

/* True when `method` is one of the route's. */
bool sl_router_allows(const struct sl_route *route, const char *method);

/* The transport that serves a delivery route; /poll has two, told apart by `wait`. */
const struct sl_transport *sl_router_get_transport(const struct sl_route *route,
	const struct sl_request *request);

/* The same for a poll whose path is known to be one. */
const struct sl_transport *sl_router_get_poll_transport(const struct sl_request *request);

#endif
