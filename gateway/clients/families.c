#include "clients/families.h"

#include <stddef.h>

const struct sl_transport *const sl_client_transports[] = {
	NULL,
};

const struct sl_route sl_client_routes[] = {
	{ .path = NULL },
};
