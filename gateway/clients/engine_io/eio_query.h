/* What Engine.IO wants of a request: `EIO`, `transport`, `sid`, the method and the upgrade, judged in the order of
 * the reference server, so that each mistake has the error that its client expects.
 * Owner: what comes out borrows the parameters. Thread: any. Errors: those of the protocol, as data. */
#ifndef SL_CLIENTS_EIO_QUERY_H
#define SL_CLIENTS_EIO_QUERY_H

#include <stdbool.h>

#include "util/span.h"

struct sl_params;

/* The reference's numbers. */
enum sl_eio_error {
	SL_EIO_NO_ERROR = -1,
	SL_EIO_TRANSPORT_UNKNOWN,
	SL_EIO_SESSION_UNKNOWN,
	SL_EIO_BAD_METHOD,
	SL_EIO_BAD_REQUEST,
	SL_EIO_FORBIDDEN,
	SL_EIO_BAD_REVISION,
	SL_EIO_ERRORS
};

/* For struct sl_route: the names whose values sl_eio_query_read() finds. Ends in NULL. */
extern const char *const sl_eio_query_names[];

struct sl_eio_query {
	struct sl_span revision;  /* `EIO` */
	struct sl_span transport;
	struct sl_span id;        /* `sid`; absent: this is a handshake */
};

void sl_eio_query_read(struct sl_eio_query *out, const struct sl_params *params);

/* True when it asks for a WebSocket. */
bool sl_eio_query_is_for_websocket(const struct sl_eio_query *query);

/* What is wrong with it, as far as that can be said without its session; `is_upgrade`: it is a good handshake of a
 * WebSocket. */
enum sl_eio_error sl_eio_query_judge(const struct sl_eio_query *query, struct sl_span method, bool is_upgrade);

#endif
