#include "transports/registry.h"

#include <stddef.h>

const struct sl_transport *const sl_transports[] = {
	&sl_transport_websocket,
	&sl_transport_sse,
	&sl_transport_stream,
	&sl_transport_longpoll,
	&sl_transport_poll,
	NULL,
};
