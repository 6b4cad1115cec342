#include "limits_loading.h"

#include <string.h>

#include "config/config.h"

struct sl_limits
sl_limits_loading_get(const struct sl_config *config)
{
	return (struct sl_limits){
		.is_off = strcmp(config->limits, "off") == 0,
		.rates = {
			[SL_LIMIT_REQUESTS] = config->request_rate,
			[SL_LIMIT_PUBLISHES] = config->publish_rate,
			[SL_LIMIT_PUBLISHED_BYTES] = config->publish_bytes_rate,
			[SL_LIMIT_DELIVERIES] = config->delivery_rate,
			[SL_LIMIT_SUBSCRIBES] = config->subscribe_rate,
			[SL_LIMIT_HISTORY_BYTES] = config->history_rate,
			[SL_LIMIT_TOKEN_FAILURES] = config->token_failure_rate,
		},
		.max_connections = config->max_connections,
		.max_per_address = config->max_connections_per_address,
		.max_per_subject = config->max_connections_per_subject,
		.max_sessions = config->max_sessions_per_client,
		.reserved_percent = (unsigned)config->reserved_connections,
		.raises = &config->raise_limits,
	};
}
