/* Channel API: POST and GET /check/channel (PROTOCOL.md, checking a path).
 * Owner: the exchange. Thread: the shard's. Errors: answered. */
#ifndef SL_CHECK_CHANNEL_API_H
#define SL_CHECK_CHANNEL_API_H

struct sl_exchange;
struct sl_request;

/* Refuses, by what a browser says of it, a request that a page of another site made. */
void sl_channel_api_prepare(struct sl_exchange *exchange, const struct sl_request *request);

void sl_channel_api_issue(struct sl_exchange *exchange);

#endif
