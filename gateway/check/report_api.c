#include "check/report_api.h"

#include "check/report.h"
#include "check/report_quota.h"
#include "check/store.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/http.h"
#include "http/request.h"
#include "live/shard.h"
#include "util/clock.h"
#include "util/err.h"

#define BUSY_RETRY_S 10 /* the store's own pace when it cannot write */

_Static_assert(SL_CLASS_POLL == SL_CODE_TRANSPORTS - 1,
	"the transports of a report are the first classes: add the class of a new transport behind SL_CLASS_POLL");

static void
count(struct sl_exchange *exchange, enum sl_counter counter)
{
	sl_metrics_add(&exchange->shard->metrics, counter, 1);
}

/* Its media type, whatever its parameters. */
static bool
is_json(struct sl_span content_type)
{
	size_t len = 0;
	while (len < content_type.len && !strchr("; \t", content_type.bytes[len]))
		len++;
	return sl_span_is_word((struct sl_span){ content_type.bytes, len }, "application/json");
}

void
sl_report_api_prepare(struct sl_exchange *exchange, const struct sl_request *request)
{
	struct sl_reply *reply = &exchange->reply;
	if (!exchange->http->report_store)
		sl_reply_set_error(reply, 404, "not_found",
			"this gateway takes no reports; start it with --check-reports DIR");
	else if (!is_json(sl_request_get(request, SL_FIELD_CONTENT_TYPE)))
		sl_reply_set_error(reply, 415, "bad_content_type", "Content-Type is not that of a report; use application/json");
}

static void
refuse(struct sl_exchange *exchange, enum sl_counter counter, const char *code, const char *message,
	uint64_t retry_s)
{
	count(exchange, counter);
	sl_reply_set_error(&exchange->reply, 429, code, message);
	sl_reply_set_retry_after(&exchange->reply, retry_s);
}

/* True when the quota of the client's address has room; else the reply is filled. */
static bool
take_quota(struct sl_exchange *exchange)
{
	bool dropped;
	uint64_t wait_ms = sl_report_quota_take(exchange->http->report_quota,
		&exchange->connection->link.client, exchange->shard->loop.now_ms, &dropped);
	if (dropped)
		count(exchange, SL_COUNTER_CHECK_REPORT_ADDRESSES_DROPPED);
	if (wait_ms > 0)
		refuse(exchange, SL_COUNTER_CHECK_REPORTS_LIMITED, "too_many_reports",
			"this address has sent 5 reports within an hour; try again later", (wait_ms + 999) / 1000);
	return wait_ms == 0;
}

/* The client of a connection that is gone would not learn what became of its report, and its address is
 * not known any more. */
static void
accept_report(struct sl_exchange *exchange, struct sl_report *report)
{
	struct sl_store *store = exchange->http->report_store;
	struct sl_reply *reply = &exchange->reply;
	if (!exchange->connection) {
		sl_reply_set_err(reply, SL_ECLOSED);
		return;
	}
	/* Asked first, so that a client that tries again does not use up its quota. */
	if (sl_store_has_room(store) && !take_quota(exchange))
		return;
	if (sl_store_push(store, &report->text, report->code, sl_clock_wall_us()) != 0) {
		refuse(exchange, SL_COUNTER_CHECK_REPORTS_BUSY, "busy",
			"too many reports wait for the disk; try again later", BUSY_RETRY_S);
		return;
	}
	count(exchange, SL_COUNTER_CHECK_REPORTS_ACCEPTED);
	for (int i = 0; i < SL_CODE_TRANSPORTS; i++)
		sl_metrics_add_verdict(&exchange->shard->metrics, (enum sl_class)i, report->verdicts[i]);
	sl_reply_set_json(reply);
	reply->head.status = 201;
	sl_buffer_printf(&reply->body, "{\"stored\":true,\"code\":\"%s\"}\n", report->code);
}

void
sl_report_api_take(struct sl_exchange *exchange)
{
	struct sl_report report;
	char error[SL_REPORT_ERROR_MAX];
	int err = sl_report_read(&report, exchange->body.bytes, exchange->body.len, error);
	if (err == 0) {
		accept_report(exchange, &report);
		sl_report_finish(&report);
	} else if (err == SL_EINVAL) {
		count(exchange, SL_COUNTER_CHECK_REPORTS_BAD);
		sl_reply_set_error(&exchange->reply, 400, "bad_report", error);
	} else {
		sl_reply_set_err(&exchange->reply, err);
	}
}
