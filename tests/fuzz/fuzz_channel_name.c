/* A channel's name is legal by the rule of PROTOCOL.md, told here in another way; one with '~' before it
 * is a leased channel's, and no name besides is. */
#include "bus/message.h"

#include "tests/fuzz/fuzz.h"

static bool
is_legal(const char *name, size_t len)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:-.";
	char text[SL_CHANNEL_MAX + 1];
	if (len == 0 || len > SL_CHANNEL_MAX || memchr(name, '\0', len))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return strspn(text, characters) == len && !strstr(text, "..") && text[0] != '.' &&
		text[len - 1] != '.';
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *name = fuzz_copy(bytes, len);
	bool has_tilde = len > 0 && name[0] == '~';
	bool is_valid = sl_channel_name_valid(name, len);
	FUZZ_EXPECT(is_valid == (len <= SL_CHANNEL_MAX && is_legal(name + has_tilde, len - has_tilde)));
	if (is_valid)
		FUZZ_EXPECT(sl_channel_name_is_leased(name) == has_tilde);
	free(name);
	return 0;
}
