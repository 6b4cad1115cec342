#include "http/routes.h"

#include "http/api_admin.h"
#include "http/api_info.h"
#include "http/api_probe.h"
#include "http/api_ticket.h"
#include "http/static.h"

#define READ "GET, HEAD, OPTIONS"
#define WRITE "POST, OPTIONS"

/* An ordinary route that is read, and one for a page's own files. */
#define ROUTE(where, answer, who) { .path = where, .methods = READ, .needs = who, .handle = answer }
#define HEALTH(where, answer) { .path = where, .methods = READ, .needs = SL_NEEDS_NOTHING, \
	.is_for_health = true, .handle = answer }
#define FILES(where) { .path = where, .methods = READ, .needs = SL_NEEDS_NOTHING, \
	.handle = sl_static_serve, .prepare = sl_static_prepare, .is_for_any_origin = true }

const struct sl_route sl_http_routes[] = {
	{ .path = "publish", .methods = WRITE, .kind = SL_ROUTE_PUBLISH,
		.needs = SL_NEEDS_PRINCIPAL, .takes_body = true },
	{ .path = "ticket", .methods = WRITE, .needs = SL_NEEDS_TOKEN, .takes_body = true,
		.prepare = sl_api_ticket_issue },
	{ .path = "admin/disconnect", .methods = WRITE, .needs = SL_NEEDS_ADMIN, .takes_body = true,
		.body_max = SL_ADMIN_BODY_MAX, .prepare = sl_api_admin_disconnect },
	{ .path = "probe/echo", .methods = WRITE, .needs = SL_NEEDS_NOTHING, .takes_body = true,
		.handle = sl_api_probe_echo },
	{ .path = "probe/head", .methods = READ, .needs = SL_NEEDS_NOTHING,
		.handle = sl_api_probe_head, .prepare = sl_api_probe_prepare_head },
	ROUTE("probe/seen", sl_api_probe_seen, SL_NEEDS_NOTHING),
	ROUTE("transports", sl_api_transports, SL_NEEDS_NOTHING),
	ROUTE("stats", sl_api_stats, SL_NEEDS_ADMIN),
	{ .path = "metrics", .methods = READ, .needs = SL_NEEDS_ADMIN, .handle = sl_api_metrics,
		.prepare = sl_api_metrics_prepare },
	HEALTH("healthz", sl_api_healthz),
	HEALTH("readyz", sl_api_readyz),
	{ .path = "", .methods = READ, .needs = SL_NEEDS_NOTHING, .file = "index.html",
		.handle = sl_static_serve,
		.prepare = sl_static_prepare, .is_for_any_origin = true },
	FILES("client/"),
	FILES("demo/"),
	{ .path = NULL },
};
