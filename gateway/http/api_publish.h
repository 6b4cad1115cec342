/* POST /publish?channel=C: the body becomes one message (PROTOCOL.md, publish).
 * Owner: the exchange. Thread: the shard's. Errors: answered; SL_PENDING returned while the
 * backend has not stored the message yet. */
#ifndef SL_HTTP_API_PUBLISH_H
#define SL_HTTP_API_PUBLISH_H

#include "bus/bus.h"

struct sl_exchange;
struct sl_reply;
struct sl_request;
struct sl_shard;

/* The route's handler, for requests that libmicrohttpd keeps. */
int sl_api_publish(struct sl_exchange *exchange);

/* The client left while its publish was pending: the answer will have nobody to go to. */
void sl_api_publish_forget(struct sl_exchange *exchange);

/* What it is about: publishes the request's body. 0 with `reply` filled, or SL_PENDING and
 * `pending->on_done` follows (bus/bus.h). */
int sl_api_publish_begin(struct sl_shard *shard, const struct sl_request *request,
	struct sl_publish *pending, struct sl_reply *reply);

/* The answer to a publish that came to `err`, or to the message `id`. */
void sl_api_publish_set_reply(struct sl_shard *shard, struct sl_reply *reply, int err,
	struct sl_cursor id);

#endif
