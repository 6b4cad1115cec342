/* Routes: what http/ itself answers, for the app's list of routes (http/route.h).
 * Owner: a constant, which ends in one without a path. Thread: any. Errors: none. */
#ifndef SL_HTTP_ROUTES_H
#define SL_HTTP_ROUTES_H

#include "http/route.h"

extern const struct sl_route sl_http_routes[];

#endif
