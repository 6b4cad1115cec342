#include "transports/registry.h"

#include <stddef.h>

typedef const struct sl_transport *const transport_list[];

const struct sl_transport *const sl_transports[] = {
	&sl_transport_websocket,
	&sl_transport_sse,
	&sl_transport_stream,
	&sl_transport_longpoll,
	&sl_transport_poll,
	NULL,
};

#define ROUTE(its_path, its_methods, ...) { \
	.path = its_path, \
	.methods = its_methods, \
	.kind = SL_ROUTE_DELIVER, \
	.needs = SL_NEEDS_PRINCIPAL, \
	.transports = (transport_list){ __VA_ARGS__, NULL }, \
}

const struct sl_route sl_transport_routes[] = {
	ROUTE("ws", "GET, OPTIONS", &sl_transport_websocket),
	ROUTE("sse", "GET, HEAD, OPTIONS", &sl_transport_sse),
	ROUTE("stream", "GET, HEAD, OPTIONS", &sl_transport_stream),
	ROUTE("poll", "GET, HEAD, POST, OPTIONS", &sl_transport_longpoll, &sl_transport_poll),
	{ .path = NULL },
};
