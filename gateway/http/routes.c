#include "http/routes.h"

#include "http/api_info.h"
#include "http/api_probe.h"
#include "http/static.h"

#define READ "GET, HEAD, OPTIONS"
#define WRITE "POST, OPTIONS"

/* An ordinary route that is read, and one for a page's own files. */
#define ROUTE(where, answer) { .path = where, .methods = READ, .handle = answer }
#define FILES(where) { .path = where, .methods = READ, .handle = sl_static_serve, \
	.prepare = sl_static_prepare, .is_for_any_origin = true }

const struct sl_route sl_http_routes[] = {
	{ .path = "publish", .methods = WRITE, .kind = SL_ROUTE_PUBLISH, .takes_body = true },
	{ .path = "probe/echo", .methods = WRITE, .takes_body = true, .handle = sl_api_probe_echo },
	{ .path = "probe/head", .methods = READ, .handle = sl_api_probe_head,
		.prepare = sl_api_probe_prepare_head },
	ROUTE("probe/seen", sl_api_probe_seen),
	ROUTE("transports", sl_api_transports),
	ROUTE("stats", sl_api_stats),
	{ .path = "metrics", .methods = READ, .handle = sl_api_metrics,
		.prepare = sl_api_metrics_prepare },
	ROUTE("healthz", sl_api_healthz),
	ROUTE("readyz", sl_api_readyz),
	{ .path = "", .methods = READ, .file = "index.html", .handle = sl_static_serve,
		.prepare = sl_static_prepare, .is_for_any_origin = true },
	FILES("client/"),
	FILES("demo/"),
	{ .path = NULL },
};
