#include "check/check_routes.h"

#include "check/channel_api.h"
#include "check/report.h"
#include "check/report_api.h"
#include "http/static.h"

/* The page's own <meta> says by hashes which script and style it runs; a header that said less
 * would forbid them. What a <meta> cannot say is here. */
#define PAGE_POLICY "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const struct sl_route sl_check_routes[] = {
	{ .path = "check", .methods = "GET, HEAD, OPTIONS", .needs = SL_NEEDS_NOTHING,
		.file = "check.html", .policy = PAGE_POLICY,
		.handle = sl_static_serve, .prepare = sl_static_prepare, .is_for_any_origin = true },
	{ .path = "check/channel", .methods = "GET, POST, OPTIONS", .needs = SL_NEEDS_NOTHING,
		.handle = sl_channel_api_issue, .prepare = sl_channel_api_prepare },
	{ .path = "check/report", .methods = "POST, OPTIONS", .needs = SL_NEEDS_NOTHING,
		.takes_body = true,
		.body_max = SL_REPORT_BYTES_MAX, .handle = sl_report_api_take,
		.prepare = sl_report_api_prepare },
	/* the page's parts, where it is served from its sources */
	{ .path = "check/", .methods = "GET, HEAD, OPTIONS", .needs = SL_NEEDS_NOTHING,
		.handle = sl_static_serve, .prepare = sl_static_prepare, .is_for_any_origin = true },
	{ .path = NULL },
};
