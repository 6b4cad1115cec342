/* The control address: faults are read and changed while the obstacle runs.
 * Owner: main. Thread: the proxy's. Errors: SL_EIO with errno.
 *
 * GET /faults, PUT or POST /faults (a JSON list of texts, which replaces all), GET /list,
 * GET /counts. One request a connection, over TLS where clients of the proxy speak it. Host must be a loopback name (a page elsewhere may
 * have its name point here), Origin one that is allowed. */
#ifndef SL_BENCH_OBSTACLE_CONTROL_H
#define SL_BENCH_OBSTACLE_CONTROL_H

#include "bench/obstacle/proxy.h"

#define OB_CONTROL_CONNECTIONS 16 /* more are closed at accept */
#define OB_CONTROL_BODY_MAX (64 << 10)
#define OB_CONTROL_MS 5000        /* a connection may take so long */

struct ob_control_connection;

struct ob_control {
	struct ob_proxy *proxy;
	struct sl_watch listener;
	const char *const *origins; /* borrowed, ended by NULL */
	struct ob_control_connection *first;
	unsigned open;
};

int ob_control_open(struct ob_control *control, struct ob_proxy *proxy,
	const struct ob_addresses *addresses, const char *const *origins);
void ob_control_close(struct ob_control *control);

#endif
