/* The name of a channel or an event is legal by the rule of PROTOCOL.md, told here in another way: character by
 * character. A channel with '~' before its name is a leased one. */
#include "bus/message.h"

#include "tests/fuzz/fuzz.h"
#include "util/utf8.h"

/* The code point at `*at`, of valid UTF-8; moves on. */
static uint32_t
next_point(const char *text, size_t *at)
{
	uint8_t lead = (uint8_t)text[*at];
	unsigned more = (lead >= 0xc0) + (lead >= 0xe0) + (lead >= 0xf0);
	uint32_t point = more ? lead & (0x3fu >> more) : lead;
	for (++*at; more > 0; more--, ++*at)
		point = point << 6 | ((uint8_t)text[*at] & 0x3f);
	return point;
}

static bool
is_legal(const char *name, size_t len, size_t max, bool may_have_stars)
{
	if (len == 0 || len > max || !sl_utf8_valid(name, len))
		return false;
	for (size_t at = 0; at < len;) {
		uint32_t point = next_point(name, &at);
		if (point < 0x20 || (point >= 0x7f && point <= 0x9f) || (point == '*' && !may_have_stars))
			return false;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *name = fuzz_copy(bytes, len);
	bool has_tilde = len > 0 && name[0] == '~';
	bool is_valid = sl_channel_name_valid(name, len);
	FUZZ_EXPECT(is_valid == (is_legal(name, len, 255, false) && !(has_tilde && len == 1)));
	if (is_valid)
		FUZZ_EXPECT(sl_channel_name_is_leased(name) == has_tilde);
	FUZZ_EXPECT(sl_event_name_valid(name, len) == is_legal(name, len, 128, true));
	free(name);
	return 0;
}
