/* Routes: the routes of http/ itself, for the app's list of routes (http/route.h).
 * Owner: a constant; its last route has no path. Thread: any. Errors: none. */
#ifndef SL_HTTP_ROUTES_H
#define SL_HTTP_ROUTES_H

#include "http/route.h"

extern const struct sl_route sl_http_routes[];

#endif
