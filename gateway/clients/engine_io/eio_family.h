/* Family: what is served at one path of Engine.IO, for one user of sockets: two transports, and the visits of their
 * requests to sessions.
 * Owner: constants; one for each user. Thread: any. Errors: none. */
#ifndef SL_CLIENTS_EIO_FAMILY_H
#define SL_CLIENTS_EIO_FAMILY_H

#include <stddef.h>

#include "clients/engine_io/eio_polling.h"
#include "clients/engine_io/eio_probe.h"
#include "clients/engine_io/eio_query.h"
#include "clients/engine_io/eio_reply.h"
#include "clients/engine_io/eio_websocket.h"
#include "http/route.h"
#include "http/transport.h"
#include "http/visit.h"

struct sl_eio_user;

struct sl_eio_family {
	const struct sl_eio_user *user;
	struct sl_transport polling, websocket;
	struct sl_visit_ops requests, upgrades; /* of the two */
};

/* The initialiser of one. */
#define SL_EIO_FAMILY(its_user, its_path) { \
	.user = (its_user), \
	.polling = { \
		.name = "engineio-polling", \
		.path = (its_path), \
		.class = SL_CLASS_ENGINEIO_POLLING, \
		.capabilities = SL_ANSWERS_ONCE | SL_TAKES_BODY | SL_REFUSES | SL_HAS_SESSIONS, \
		.check = sl_eio_polling_check, \
		.get_body_max = sl_eio_polling_get_body_max, \
		.refuse = sl_eio_reply_refuse, \
		.open = sl_eio_polling_open, \
	}, \
	.websocket = { \
		.name = "engineio-websocket", \
		.path = (its_path), \
		.class = SL_CLASS_ENGINEIO_WEBSOCKET, \
		.capabilities = SL_UPGRADES | SL_TAKES_BODY | SL_REFUSES, \
		.extra_size = sizeof(struct sl_eio_websocket), \
		.check = sl_eio_polling_check, \
		.get_body_max = sl_eio_polling_get_body_max, \
		.refuse = sl_eio_reply_refuse, \
		.open = sl_eio_websocket_open, \
		.receive = sl_eio_websocket_receive, \
		.on_timer = sl_eio_websocket_on_timer, \
		.finish = sl_eio_websocket_finish, \
	}, \
	.requests = { .arrive = sl_eio_polling_arrive, .leave = sl_eio_polling_leave }, \
	.upgrades = { \
		.arrive = sl_eio_probe_arrive, \
		.leave = sl_eio_probe_leave, \
		.on_answer = sl_eio_probe_on_answer, \
		.drop = sl_eio_probe_drop, \
	}, \
}

#define SL_EIO_FAMILY_OF(pointer, member) \
	((const struct sl_eio_family *)((const char *)(pointer) - offsetof(struct sl_eio_family, member)))

/* The route of a family, whose path is with or without a slash at its end: the first of its clients' versions leave
 * it out. `names` are sl_eio_query_names, or these and more behind them. */
#define SL_EIO_FAMILY_ROUTE(its_path, family, names) { \
	.path = (its_path), \
	.methods = "GET, POST, OPTIONS", \
	.kind = SL_ROUTE_DELIVER, \
	.needs = SL_NEEDS_PRINCIPAL, \
	.transports = (const struct sl_transport *const[]){ &(family).polling, &(family).websocket, NULL }, \
	.takes_any_method = true, \
	.has_no_channels = true, \
	.echoes_headers = true, \
	.own_params = (names), \
	.choose = sl_eio_polling_choose, \
}

#endif
