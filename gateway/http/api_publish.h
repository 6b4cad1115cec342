/* POST /publish?channel=C: the body becomes one message (PROTOCOL.md, publish).
 * Owner: the exchange. Thread: the shard's. Errors: answered; SL_PENDING returned while the
 * backend has not stored the message yet. */
#ifndef SL_HTTP_API_PUBLISH_H
#define SL_HTTP_API_PUBLISH_H

struct sl_exchange;

int sl_api_publish(struct sl_exchange *exchange);

/* The client left while its publish was pending: the answer will have nobody to go to. */
void sl_api_publish_forget(struct sl_exchange *exchange);

#endif
