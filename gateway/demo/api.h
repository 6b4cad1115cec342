/* The demo's own requests, /demo/api/..., and what it has to say to others (PROTOCOL.md,
 * under --demo only).
 * Owner: the exchange. Thread: the shard's. Errors: answered. */
#ifndef SL_DEMO_API_H
#define SL_DEMO_API_H

#include <stdbool.h>
#include <stddef.h>

#include "util/metrics.h"

struct sl_exchange;
struct sl_request;
struct sl_shard;
struct sl_socket;

int sl_demo_api_origins(struct sl_exchange *exchange);
int sl_demo_api_obstacle(struct sl_exchange *exchange);
int sl_demo_api_trace(struct sl_exchange *exchange);
int sl_demo_api_blocked(struct sl_exchange *exchange);

/* A delivery or publish request is complete. If it has a name, notes it under that, and
 * judges: false with the answer in `exchange->reply` when it is refused. */
bool sl_demo_judge(struct sl_exchange *exchange, enum sl_class class_);

/* The same for a request of which all is still unread. Notes nothing when it is false:
 * sl_demo_judge() is going to answer it. */
bool sl_demo_judge_unread(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_request *request, enum sl_class class_, size_t head_len);

#endif
