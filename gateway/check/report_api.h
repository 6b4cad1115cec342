/* Report API: POST /check/report (PROTOCOL.md, checking a path).
 * Owner: the exchange. Thread: the shard's. Errors: answered. */
#ifndef SL_CHECK_REPORT_API_H
#define SL_CHECK_REPORT_API_H

struct sl_exchange;

#define SL_REPORT_BODY_MAX 16384 /* bytes of a report's JSON */

void sl_report_api_take(struct sl_exchange *exchange);

#endif
