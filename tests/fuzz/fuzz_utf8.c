/* UTF-8 fed in pieces is judged as in one, and as a decoder made from RFC 3629's table
 * does. The first byte chooses the size of the pieces. */
#include "util/utf8.h"

#include "tests/fuzz/fuzz.h"

static bool
decodes(const uint8_t *at, size_t len)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	const uint8_t *end = at + len;
	while (at < end) {
		uint8_t lead = *at++;
		int more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : -1;
		if (more < 0 || end - at < more)
			return false;
		uint32_t point = more ? lead & (0x3fu >> more) : lead;
		for (int i = 0; i < more; i++, at++) {
			if (*at >> 6 != 2)
				return false;
			point = point << 6 | (*at & 63);
		}
		if (point < smallest[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t piece;
	char *text = fuzz_copy_rest(bytes, &len, &piece);
	if (!text)
		return 0;
	struct sl_utf8 utf8;
	sl_utf8_init(&utf8);
	int err = 0;
	for (size_t at = 0; at < len; at += piece)
		err = sl_utf8_feed(&utf8, text + at, len - at < piece ? len - at : piece);
	bool valid = err == 0 && sl_utf8_is_complete(&utf8);
	FUZZ_EXPECT(valid == sl_utf8_valid(text, len));
	FUZZ_EXPECT(valid == decodes((const uint8_t *)text, len));
	free(text);
	return 0;
}
