#include "http/route.h"

#include "http/request.h"
#include "http/transport.h"

static bool
matches(const char *pattern, struct sl_span path)
{
	size_t len = strlen(pattern);
	bool is_folder = len > 0 && pattern[len - 1] == '/';
	return (is_folder ? path.len >= len : path.len == len) && memcmp(path.bytes, pattern, len) == 0;
}

const struct sl_route *
sl_routes_find(const struct sl_routes *routes, struct sl_span path)
{
	for (size_t i = 0; routes->lists[i]; i++)
		for (const struct sl_route *route = routes->lists[i]; route->path; route++)
			if (matches(route->path, path))
				return route->kind == SL_ROUTE_NOTHING ? NULL : route;
	return NULL;
}

bool
sl_route_allows(const struct sl_route *route, struct sl_span method)
{
	const char *at = route->methods;
	for (;;) {
		size_t len = strcspn(at, ",");
		if (len == method.len && memcmp(at, method.bytes, len) == 0)
			return true;
		if (at[len] == '\0')
			return false;
		at += len + strlen(", ");
	}
}

const struct sl_transport *
sl_route_get_transport(const struct sl_route *route, const struct sl_request *request)
{
	if (route->choose)
		return route->choose(route, request);
	const struct sl_transport *const *at = route->transports;
	while (at[1] && ((*at)->capabilities & SL_HOLDS) && request->params.wait_s == 0)
		at++;
	return *at;
}
