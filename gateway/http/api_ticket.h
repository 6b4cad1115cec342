/* POST /ticket: issues a ticket for the request's token (PROTOCOL.md, tokens).
 * Owner: the exchange's. Thread: the shard's. Errors: answered. */
#ifndef SL_HTTP_API_TICKET_H
#define SL_HTTP_API_TICKET_H

struct sl_exchange;
struct sl_request;

/* A route's prepare(): fills the reply, since the principal is known only now. */
void sl_api_ticket_issue(struct sl_exchange *exchange, const struct sl_request *request);

#endif
