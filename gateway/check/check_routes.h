/* Check routes: what the check page asks for: itself, a channel to try, a place for its report
 * (PROTOCOL.md, checking a path).
 * Owner: a constant, one of the app's lists of routes without --no-check; it ends in one without a
 * path. Thread: any. Errors: answered. */
#ifndef SL_CHECK_ROUTES_H
#define SL_CHECK_ROUTES_H

#include "http/route.h"

extern const struct sl_route sl_check_routes[];

#endif
