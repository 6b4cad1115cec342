#include "http/coding.h"

#include <stdint.h>

#define GZIP_BYTES_MIN 18 /* of header and trailer */
#define TRAILER_BYTES 8
#define WEIGHT_MAX 1000

/* ---- Accept-Encoding ---- */

/* Up to `separator`, trimmed; moves `*rest` behind it. */
static struct sl_span
take(struct sl_span *rest, char separator)
{
	const char *end = rest->len > 0 ? memchr(rest->bytes, separator, rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->bytes) : rest->len;
	const char *start = rest->bytes;
	size_t skipped = end ? len + 1 : len;
	*rest = (struct sl_span){ rest->bytes + skipped, rest->len - skipped };
	return sl_span_trim(start, start + len);
}

/* qvalue: 0 to 1 with up to three decimals, in thousandths. What is none counts as 0. */
static int
read_weight(struct sl_span text)
{
	int weight = 0, scale = WEIGHT_MAX;
	if (text.len == 0 || text.len > 5 || (text.len > 1 && text.bytes[1] != '.'))
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		if (i == 1)
			continue;
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return 0;
		weight += (text.bytes[i] - '0') * scale;
		scale /= 10;
	}
	return weight <= WEIGHT_MAX ? weight : 0;
}

/* The weight among a coding's parameters; 1 where there is none. */
static int
find_weight(struct sl_span parameters)
{
	while (parameters.len > 0) {
		struct sl_span value = take(&parameters, ';');
		struct sl_span name = take(&value, '=');
		if (sl_span_is_word(name, "q"))
			return read_weight(sl_span_trim(value.bytes, value.bytes + value.len));
	}
	return WEIGHT_MAX;
}

void
sl_coding_read(struct sl_coding_weights *weights, struct sl_span line)
{
	while (line.len > 0) {
		struct sl_span element = take(&line, ',');
		struct sl_span name = take(&element, ';');
		int weight = find_weight(element);
		if (sl_span_is_word(name, "gzip") || sl_span_is_word(name, "x-gzip"))
			weights->gzip = weight;
		else if (sl_span_is_word(name, "identity"))
			weights->identity = weight;
		else if (sl_span_equals(name, "*"))
			weights->any = weight;
	}
}

bool
sl_coding_takes_gzip(const struct sl_coding_weights *weights)
{
	int gzip = weights->gzip != SL_CODING_UNSAID ? weights->gzip : weights->any;
	return gzip > 0 && gzip >= weights->identity;
}

/* ---- gzip ---- */

static uint32_t
get_crc32(struct sl_span bytes)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= (uint8_t)bytes.bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static uint32_t
read_u32(const char *bytes)
{
	uint32_t value = 0;
	for (int i = 3; i >= 0; i--)
		value = value << 8 | (uint8_t)bytes[i];
	return value;
}

bool
sl_coding_is_gzip_of(struct sl_span gzip, struct sl_span bytes)
{
	static const char deflated[] = { 0x1f, (char)0x8b, 8 };
	if (gzip.len < GZIP_BYTES_MIN || memcmp(gzip.bytes, deflated, sizeof deflated) != 0)
		return false;
	const char *trailer = gzip.bytes + gzip.len - TRAILER_BYTES;
	return read_u32(trailer + 4) == (uint32_t)bytes.len && read_u32(trailer) == get_crc32(bytes);
}
