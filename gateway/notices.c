#include "notices.h"

#include "http/revocation.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

void
sl_notices_init(struct sl_notices *notices, const struct sl_http *http)
{
	*notices = (struct sl_notices){ .http = http };
	pthread_mutex_init(&notices->lock, NULL);
}

void
sl_notices_finish(struct sl_notices *notices)
{
	pthread_mutex_destroy(&notices->lock);
}

void
sl_notices_set_has_shards(struct sl_notices *notices, bool has_shards)
{
	pthread_mutex_lock(&notices->lock);
	notices->has_shards = has_shards;
	pthread_mutex_unlock(&notices->lock);
}

/* The lock is held to the end, so that no mailbox goes meanwhile. */
void
sl_notices_handle(void *arg, const struct sl_notice *notice)
{
	struct sl_notices *notices = arg;
	pthread_mutex_lock(&notices->lock);
	int err = sl_revocation_hear(notices->http, notice, notices->has_shards,
		sl_clock_wall_us() / 1000000);
	pthread_mutex_unlock(&notices->lock);
	if (err == SL_EFULL)
		sl_log_limited(SL_LOG_ERROR, "revocations.full", "reason=\"another gateway has revoked a subject, but "
			"this gateway still accepts its older tokens\" expected=\"a higher --max-revocations\"");
	else if (err != 0)
		sl_log_limited(SL_LOG_ERROR, "notice.refused", "error=\"%s\" "
			"expected=\"gateways of the same version on the bus\"", sl_strerror(err));
}
