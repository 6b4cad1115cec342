#include "clients/families.h"

#include <stddef.h>

#include "clients/engine_io/eio_raw.h"

const struct sl_transport *const sl_client_transports[] = {
	&sl_eio_raw_family.polling, &sl_eio_raw_family.websocket,
	NULL,
};

const struct sl_route sl_client_routes[] = {
	SL_EIO_FAMILY_ROUTE("engine.io/", sl_eio_raw_family),
	SL_EIO_FAMILY_ROUTE("engine.io", sl_eio_raw_family),
	{ .path = NULL },
};
