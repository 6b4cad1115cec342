/* Info: the gateway's answers about itself: /transports, /stats, /metrics, /healthz, /readyz.
 * Owner: the exchange. Thread: the shard's; numbers of other shards are read at any moment. Errors: answered. */
#ifndef SL_HTTP_API_INFO_H
#define SL_HTTP_API_INFO_H

struct sl_exchange;
struct sl_request;

void sl_api_transports(struct sl_exchange *exchange);
void sl_api_stats(struct sl_exchange *exchange);
/* Accept decides the format. */
void sl_api_metrics_prepare(struct sl_exchange *exchange, const struct sl_request *request);
void sl_api_metrics(struct sl_exchange *exchange);
void sl_api_healthz(struct sl_exchange *exchange);
void sl_api_readyz(struct sl_exchange *exchange);

#endif
