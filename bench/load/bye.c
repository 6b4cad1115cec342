#include "bench/load/bye.h"

#include <stdlib.h>
#include <string.h>

#include "bench/marker.h"

static const char bye_text[] = "\"type\":\"bye\"";
static const char reason_text[] = "\"reason\":\"", retry_text[] = "\"retry\":";

static void
keep(struct bench_bye *bye, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '}', len);
	size_t room = BENCH_BYE_MAX - bye->len;
	size_t kept = end ? (size_t)(end - bytes) : len;
	if (kept > room)
		kept = room;
	memcpy(bye->text + bye->len, bytes, kept);
	bye->len = (uint8_t)(bye->len + kept);
	bye->text[bye->len] = '\0';
	bye->whole = end || bye->len == BENCH_BYE_MAX;
}

bool
bench_bye_take(struct bench_bye *bye, const char *bytes, size_t len)
{
	struct bench_token token;
	const char *start = bytes;
	if (bye->whole)
		return true;
	if (!bye->begun) {
		bench_token_init(&token, bye_text);
		if (bench_token_count(&token, &bye->matched, bytes, len) == 0)
			return false;
		/* Begun in an earlier read, it is not found whole here: all behind its end is. */
		const char *found = memmem(bytes, len, bye_text, sizeof bye_text - 1);
		start = found ? found : bytes;
		bye->begun = true;
	}
	keep(bye, start, (size_t)(bytes + len - start));
	return bye->whole;
}

bool
bench_bye_is(const struct bench_bye *bye, const struct bench_end *end, unsigned *retry_ms)
{
	const char *reason = strstr(bye->text, reason_text), *retry = strstr(bye->text, retry_text);
	*retry_ms = retry ? (unsigned)strtoul(retry + sizeof retry_text - 1, NULL, 10) : 0;
	if (!end->reason || !reason || !retry)
		return false;
	reason += sizeof reason_text - 1;
	size_t len = strlen(end->reason);
	return strncmp(reason, end->reason, len) == 0 && reason[len] == '"'
		&& *retry_ms <= end->retry_max_ms;
}
