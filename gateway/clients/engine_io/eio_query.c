#include "clients/engine_io/eio_query.h"

#include <stddef.h>

#include "http/params.h"

enum { REVISION, TRANSPORT, ID };

const char *const sl_eio_query_names[] = { [REVISION] = "EIO", [TRANSPORT] = "transport", [ID] = "sid", NULL };

void
sl_eio_query_read(struct sl_eio_query *out, const struct sl_params *params)
{
	out->revision = params->own[REVISION];
	out->transport = params->own[TRANSPORT];
	out->id = params->own[ID];
	if (out->id.len == 0) /* an empty one is none, as in the reference */
		out->id.bytes = NULL;
}

bool
sl_eio_query_is_for_websocket(const struct sl_eio_query *query)
{
	return sl_span_equals(query->transport, "websocket");
}

enum sl_eio_error
sl_eio_query_judge(const struct sl_eio_query *query, struct sl_span method, bool is_upgrade)
{
	bool is_for_websocket = sl_eio_query_is_for_websocket(query);
	bool is_get = sl_span_equals(method, "GET");
	if (!is_for_websocket && !sl_span_equals(query->transport, "polling"))
		return SL_EIO_TRANSPORT_UNKNOWN;
	if (query->id.bytes) /* which may be unknown, and that comes first */
		return SL_EIO_NO_ERROR;
	if (!is_get)
		return SL_EIO_BAD_METHOD;
	if (is_for_websocket && !is_upgrade)
		return SL_EIO_BAD_REQUEST;
	return sl_span_equals(query->revision, "4") ? SL_EIO_NO_ERROR : SL_EIO_BAD_REVISION;
}
