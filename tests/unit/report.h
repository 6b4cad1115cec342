/* A metrics report in which every number differs from every other.
 * Owner: the caller's struct. Thread: any. Errors: none. */
#ifndef SL_TESTS_REPORT_H
#define SL_TESTS_REPORT_H

#include <string.h>

#include "http/metrics_text.h"

/* Of one name with two keys, of the same labels twice, and expired. */
static const struct sl_tls_certificate report_certificates[] = {
	{ "example.org", "ecdsa", 2000000100 }, { "example.org", "rsa", 2000000200 },
	{ "example.org", "rsa", 2000000300 }, { "a \"quoted\\ name", "rsa", 1999999000 },
};

static inline void
report_fill(struct sl_metrics_report *report)
{
	uint64_t value = 1000;
	memset(report, 0, sizeof *report);
	report->version = "0.1.0\"\\";
	report->uptime_ms = 12034;
	report->shards = 2;
	report->certificates = report_certificates;
	report->certificate_count = sizeof report_certificates / sizeof *report_certificates;
	report->tls_reload_failed = true;
	report->token_reload_failed = true;
	report->token_keys = 31;
	report->owners = 47;
	report->now_s = 2000000000;
	report->head = (struct sl_cursor){ .epoch = 0x9f3a1c07, .seq = 4182 };
	for (int i = 0; i < SL_COUNTER_COUNT; i++)
		report->sum.counters[i] = value++;
	for (int i = 0; i < SL_CLASS_COUNT; i++) {
		value += 100; /* so that the open connections differ too */
		for (int j = 0; j < SL_CLASS_COUNTER_COUNT; j++)
			report->sum.classes[i][j] = value += (uint64_t)i + 1;
		for (int j = 0; j < SL_REASON_COUNT; j++)
			report->sum.clients[i][j] = ++value;
	}
	for (int i = 0; i < SL_GAUGE_COUNT; i++)
		report->sum.gauges[i] = ++value;
	for (int i = 0; i < SL_CLASS_NATIVE_COUNT; i++)
		for (int j = 0; j < SL_VERDICT_COUNT; j++)
			report->sum.verdicts[i][j] = ++value;
	for (size_t at = 0; at + sizeof value <= sizeof report->bus; at += sizeof value, value++)
		memcpy((char *)&report->bus + at, &value, sizeof value);
	report->bus.backend.connected = true; /* whose byte is no bool by now */
}

#endif
