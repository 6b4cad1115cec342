/* The demo's own requests, /demo/api/... (PROTOCOL.md, under --demo only).
 * Owner: the exchange. Thread: the shard's. Errors: answered. */
#ifndef SL_DEMO_API_H
#define SL_DEMO_API_H

struct sl_exchange;

int sl_demo_api_origins(struct sl_exchange *exchange);

#endif
