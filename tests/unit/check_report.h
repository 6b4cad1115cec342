/* A report as the check page sends it, whole and right, and such as differ from it in one place.
 * Owner: static; a text is borrowed until the next call. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_CHECK_REPORT_H
#define SL_TESTS_CHECK_REPORT_H

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define REPORT_CODE "41K0-GSVG-130P"
#define REPORT_TRANSPORT(name, state, class_, rest) \
	"\"" name "\":{\"state\":\"" state "\",\"class\":\"" class_ "\",\"why\":\"\"," \
	"\"connect_ms\":12.1,\"first_ms\":20.4," rest \
	"\"buffered\":false,\"cached\":false,\"compressed\":false,\"cut\":false,\"silence\":null}"
#define REPORT_MEASURED "\"round_trip\":{\"count\":20,\"p50_ms\":40.1,\"p90_ms\":44}," \
	"\"largest_up\":65536,\"largest_down\":4096,"
#define REPORT_NOTHING "\"round_trip\":null,\"largest_up\":null,\"largest_down\":0,"

/* As the gateway writes it again, but for its line feed. */
#define REPORT \
	"{\"version\":1,\"made\":\"2026-11-27T03:40:00Z\",\"code\":\"" REPORT_CODE "\",\"patient\":false," \
	"\"seconds\":6.2,\"secure\":true,\"http\":\"http/1.1\",\"choice\":\"websocket\"," \
	"\"latency_ms\":41.5,\"base_ms\":null,\"verdict\":\"It works.\",\"advice\":[\"Ask.\",\"Beg.\"]," \
	"\"proxies\":[\"Via: 1.1 squid\",\"X-Forwarded-For\"],\"transports\":{" \
	REPORT_TRANSPORT("websocket", "works", "works", REPORT_MEASURED) "," \
	REPORT_TRANSPORT("sse", "degraded", "buffered", REPORT_MEASURED) "," \
	REPORT_TRANSPORT("stream", "dead", "buffered", REPORT_NOTHING) "," \
	REPORT_TRANSPORT("longpoll", "works", "works", REPORT_MEASURED) "," \
	REPORT_TRANSPORT("poll", "degraded", "cached", REPORT_MEASURED) "}}"

/* The report with the first `from` replaced. */
static inline const char *
report_with(const char *from, const char *to)
{
	static char text[65536];
	const char *at = strstr(REPORT, from);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	const char *rest = at + strlen(from);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(strlen(REPORT) - strlen(rest) - strlen(from)),
		REPORT, to, rest);
	return text;
}

#endif
