#include "clients/families.h"

#include <stddef.h>

#include "clients/engine_io/eio_raw.h"
#include "clients/socket_io/sio_family.h"

const struct sl_transport *const sl_client_transports[] = {
	&sl_eio_raw_family.polling, &sl_eio_raw_family.websocket,
	&sl_sio_family.polling, &sl_sio_family.websocket,
	NULL,
};

const struct sl_route sl_client_routes[] = {
	SL_EIO_FAMILY_ROUTE("engine.io/", sl_eio_raw_family, sl_eio_query_names),
	SL_EIO_FAMILY_ROUTE("engine.io", sl_eio_raw_family, sl_eio_query_names),
	SL_EIO_FAMILY_ROUTE("socket.io/", sl_sio_family, sl_sio_query_names),
	SL_EIO_FAMILY_ROUTE("socket.io", sl_sio_family, sl_sio_query_names),
	{ .path = NULL },
};
