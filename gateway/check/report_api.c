#include "check/report_api.h"

#include "http/exchange.h"

void
sl_report_api_take(struct sl_exchange *exchange)
{
	sl_reply_set_error(&exchange->reply, 404, "not_found", "this gateway takes no reports");
}
