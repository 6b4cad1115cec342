/* Watch: the demo looks on at requests (http/observer.h): those with `demo=NAME` are noted under
 * the name (demo/tap.h), and refused where their transport is blocked to it (demo/blocks.h).
 * Owner: a constant; each struct sl_demo has a copy, which is its fronts' observer. Thread: the
 * connection's shard's. Errors: none. */
#ifndef SL_DEMO_WATCH_H
#define SL_DEMO_WATCH_H

#include "http/observer.h"

extern const struct sl_observer sl_watch_observer;

#endif
