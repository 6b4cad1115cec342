#include "bench/marker.h"

#include <assert.h>
#include <string.h>

#define DIGITS 8

void
bench_payload_fill(uint32_t seq, char *out, size_t len)
{
	assert(seq <= BENCH_SEQ_MAX && len >= BENCH_PAYLOAD_MIN);
	memset(out, 'x', len);
	out[0] = '^';
	for (int i = DIGITS; i > 0; i--, seq /= 10)
		out[i] = (char)('0' + seq % 10);
	out[DIGITS + 1] = '$';
}

bool
bench_marker_next(struct bench_marker *marker, const char **at, const char *end, uint32_t *seq)
{
	const char *bytes = *at;
	while (bytes < end) {
		if (marker->place == 0) {
			bytes = memchr(bytes, '^', (size_t)(end - bytes));
			if (!bytes)
				break;
			bytes++;
			*marker = (struct bench_marker){ .place = 1 };
			continue;
		}
		char c = *bytes++;
		if (marker->place <= DIGITS && c >= '0' && c <= '9') {
			marker->value = marker->value * 10 + (uint32_t)(c - '0');
			marker->place++;
		} else if (marker->place == DIGITS + 1 && c == '$') {
			*seq = marker->value;
			*at = bytes;
			marker->place = 0;
			return true;
		} else {
			*marker = (struct bench_marker){ .place = c == '^' };
		}
	}
	*at = end;
	return false;
}

bool
bench_counter_take(struct bench_counter *counter, uint32_t seq)
{
	if (seq >= counter->next) {
		uint32_t passed = seq - counter->next;
		uint64_t fresh_holes = passed < 63 ? ((uint64_t)1 << (passed + 1)) - 2 : ~(uint64_t)1;
		counter->holes = fresh_holes | (passed < 63 ? counter->holes << (passed + 1) : 0);
		counter->skipped += passed;
		counter->next = seq + 1;
		counter->seen++;
		return true;
	}
	uint32_t back = counter->next - 1 - seq;
	if (back > 63 || !(counter->holes >> back & 1)) {
		counter->doubled++;
		return false;
	}
	counter->holes &= ~((uint64_t)1 << back);
	counter->skipped--;
	counter->reordered++;
	counter->seen++;
	return true;
}

unsigned
bench_counter_feed(struct bench_counter *counter, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	unsigned fresh = 0;
	uint32_t seq;
	while (bench_marker_next(&counter->marker, &bytes, end, &seq))
		fresh += bench_counter_take(counter, seq);
	return fresh;
}

void
bench_token_init(struct bench_token *token, const char *text)
{
	size_t len = strlen(text);
	assert(len > 0 && len <= BENCH_TOKEN_MAX);
	*token = (struct bench_token){ .text = text, .len = (uint8_t)len };
	uint8_t border = 0;
	for (size_t i = 1; i < len; i++) {
		while (border > 0 && text[i] != text[border])
			border = token->fallback[border - 1];
		if (text[i] == text[border])
			border++;
		token->fallback[i] = border;
	}
}

unsigned
bench_token_count(const struct bench_token *token, uint8_t *matched, const char *bytes, size_t len)
{
	unsigned found = 0;
	uint8_t at = *matched;
	for (size_t i = 0; i < len; i++) {
		while (at > 0 && bytes[i] != token->text[at])
			at = token->fallback[at - 1];
		if (bytes[i] == token->text[at])
			at++;
		if (at == token->len) {
			found++;
			at = token->fallback[at - 1];
		}
	}
	*matched = at;
	return found;
}
