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

void
bench_payload_write(uint32_t seq, char out[BENCH_PAYLOAD_BYTES])
{
	bench_payload_fill(seq, out, BENCH_PAYLOAD_BYTES);
}

static unsigned
take_number(struct bench_counter *counter, uint32_t seq)
{
	if (seq < counter->next) {
		counter->doubled++;
		return 0;
	}
	counter->skipped += seq - counter->next;
	counter->next = seq + 1;
	counter->seen++;
	return 1;
}

unsigned
bench_counter_feed(struct bench_counter *counter, const char *bytes, size_t len)
{
	unsigned fresh = 0;
	const char *end = bytes + len;
	while (bytes < end) {
		if (counter->place == 0) {
			bytes = memchr(bytes, '^', (size_t)(end - bytes));
			if (!bytes)
				break;
			bytes++;
			counter->place = 1;
			counter->value = 0;
			continue;
		}
		char c = *bytes++;
		if (counter->place <= DIGITS && c >= '0' && c <= '9') {
			counter->value = counter->value * 10 + (uint32_t)(c - '0');
			counter->place++;
		} else if (counter->place == DIGITS + 1 && c == '$') {
			fresh += take_number(counter, counter->value);
			counter->place = 0;
		} else {
			counter->place = c == '^';
			counter->value = 0;
		}
	}
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
