#include "demo/api.h"

#include "app.h"
#include "demo/demo.h"
#include "http/exchange.h"
#include "shard.h"
#include "util/clock.h"

int
sl_demo_api_origins(struct sl_exchange *exchange)
{
	struct sl_reply *reply = &exchange->reply;
	sl_reply_set_json(reply);
	sl_buffer_printf(&reply->body, "{\"origins\":%s,\"time\":%lld}\n",
		exchange->shard->app->demo->origins, (long long)sl_clock_wall_us());
	return 0;
}
