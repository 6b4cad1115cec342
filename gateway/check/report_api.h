/* Report API: POST /check/report (PROTOCOL.md, checking a path).
 * Owner: the exchange. Thread: the shard's. Errors: answered.
 *
 * 201 means that the report is whole, right, and handed over to be written (check/store.h). */
#ifndef SL_CHECK_REPORT_API_H
#define SL_CHECK_REPORT_API_H

struct sl_exchange;
struct sl_request;

/* Refuses, by the request's head, what is no report and what nobody takes. */
void sl_report_api_prepare(struct sl_exchange *exchange, const struct sl_request *request);

void sl_report_api_take(struct sl_exchange *exchange);

#endif
