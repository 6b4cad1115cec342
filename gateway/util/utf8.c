#include "util/utf8.h"

#include <string.h>

#include "util/err.h"

#define HIGH_BITS 0x8080808080808080u

void
sl_utf8_init(struct sl_utf8 *utf8)
{
	*utf8 = (struct sl_utf8){ 0 };
}

static const uint8_t *
skip_ascii(const uint8_t *at, const uint8_t *end)
{
	while (end - at >= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof word);
		if (word & HIGH_BITS)
			break;
		at += 8;
	}
	while (at < end && *at < 0x80)
		at++;
	return at;
}

/* Begins a sequence by its first byte. The bounds of the second one shut out overlong
 * forms, surrogates and what is above U+10FFFF. */
static bool
begin(struct sl_utf8 *utf8, uint8_t lead)
{
	utf8->low = 0x80;
	utf8->high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf) {
		utf8->missing = 1;
	} else if ((lead & 0xf0) == 0xe0) {
		utf8->missing = 2;
		if (lead == 0xe0)
			utf8->low = 0xa0;
		else if (lead == 0xed)
			utf8->high = 0x9f;
	} else if (lead >= 0xf0 && lead <= 0xf4) {
		utf8->missing = 3;
		if (lead == 0xf0)
			utf8->low = 0x90;
		else if (lead == 0xf4)
			utf8->high = 0x8f;
	} else {
		return false;
	}
	return true;
}

int
sl_utf8_feed(struct sl_utf8 *utf8, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	const uint8_t *at = bytes, *end = at + len;
	for (;;) {
		if (utf8->missing == 0) {
			at = skip_ascii(at, end);
			if (at == end)
				return 0;
			if (!begin(utf8, *at++))
				goto fail;
		}
		for (; utf8->missing; utf8->missing--) {
			if (at == end)
				return 0;
			if (*at < utf8->low || *at > utf8->high)
				goto fail;
			at++;
			utf8->low = 0x80;
			utf8->high = 0xbf;
		}
	}
fail:
	*utf8 = (struct sl_utf8){ .missing = 1, .low = 1, .high = 0 }; /* no byte fits */
	return SL_EUTF8;
}

bool
sl_utf8_is_complete(const struct sl_utf8 *utf8)
{
	return utf8->missing == 0;
}

bool
sl_utf8_valid(const void *bytes, size_t len)
{
	struct sl_utf8 utf8 = { 0 };
	return sl_utf8_feed(&utf8, bytes, len) == 0 && sl_utf8_is_complete(&utf8);
}
