#include "http/router.h"

#include <string.h>

#include "demo/api.h"
#include "http/api_info.h"
#include "http/api_probe.h"
#include "http/api_publish.h"
#include "http/exchange.h"
#include "http/static.h"
#include "transports/registry.h"

#define READ "GET, HEAD, OPTIONS"
#define DELIVER "GET, OPTIONS"
#define POLL "GET, POST, OPTIONS"
#define WRITE "POST, OPTIONS"

static const struct sl_route routes[] = {
	{ "ws", DELIVER, false, NULL, false },
	{ "sse", DELIVER, false, NULL, false },
	{ "stream", DELIVER, false, NULL, false },
	{ "poll", POLL, false, NULL, false },
	{ "publish", WRITE, true, sl_api_publish, false },
	{ "probe/echo", WRITE, true, sl_api_probe_echo, false },
	{ "probe/head", READ, false, sl_api_probe_head, false },
	{ "probe/seen", READ, false, sl_api_probe_seen, false },
	{ "transports", READ, false, sl_api_transports, false },
	{ "stats", READ, false, sl_api_stats, false },
	{ "metrics", READ, false, sl_api_metrics, false },
	{ "healthz", READ, false, sl_api_healthz, false },
	{ "readyz", READ, false, sl_api_readyz, false },
	{ "", READ, false, sl_static_serve, false },
	{ "client/", READ, false, sl_static_serve, false },
	{ "demo/api/origins", READ, false, sl_demo_api_origins, true },
	{ "demo/api/obstacle", READ, false, sl_demo_api_obstacle, true },
	{ "demo/api/trace", READ, false, sl_demo_api_trace, true },
	{ "demo/api/blocked", WRITE, true, sl_demo_api_blocked, true },
	{ "demo/", READ, false, sl_static_serve, false },
};

static bool
matches(const char *pattern, const char *path)
{
	size_t len = strlen(pattern);
	bool folder = len > 0 && pattern[len - 1] == '/';
	return folder ? strncmp(path, pattern, len) == 0 : strcmp(path, pattern) == 0;
}

const struct sl_route *
sl_router_find(const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (matches(routes[i].path, path))
			return &routes[i];
	return NULL;
}

bool
sl_router_allows(const struct sl_route *route, const char *method)
{
	size_t len = strlen(method);
	for (const char *at = route->methods; len && (at = strstr(at, method)); at += len)
		if ((at == route->methods || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

static const struct sl_transport *
find_transport(const char *path, const struct sl_request *request)
{
	const struct sl_transport *found = NULL;
	for (size_t i = 0; sl_transports[i]; i++) {
		if (strcmp(sl_transports[i]->path, path) != 0)
			continue;
		found = sl_transports[i];
		if (!(found->capabilities & SL_HOLDS) || request->params.wait_s != 0)
			break;
	}
	return found;
}

const struct sl_transport *
sl_router_get_transport(const struct sl_route *route, const struct sl_request *request)
{
	return find_transport(route->path, request);
}

const struct sl_transport *
sl_router_get_poll_transport(const struct sl_request *request)
{
	return find_transport("poll", request);
}
