/* The demo's own requests, /demo/api/... (PROTOCOL.md, under --demo only).
 * Owner: a constant, one of the app's lists of routes under --demo. Thread: the shard's. Errors:
 * answered. */
#ifndef SL_DEMO_API_H
#define SL_DEMO_API_H

#include "http/route.h"

extern const struct sl_route sl_demo_routes[]; /* ends in one without a path */

#endif
