/* The name that a client asks for in its ClientHello: normalised it is a name still, and the same once more;
 * the pattern that covers it differs in the first label alone. */
#include "core/tls_names.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"

static void
expect_name(const char *name, const char *text, size_t len)
{
	char again[SL_TLS_NAME_MAX], pattern[SL_TLS_NAME_MAX];
	size_t name_len = strlen(name);
	FUZZ_EXPECT(name_len == len || (name_len + 1 == len && text[name_len] == '.'));
	for (size_t i = 0; i < name_len; i++)
		FUZZ_EXPECT(name[i] == (char)tolower((unsigned char)text[i]) && !isspace((unsigned char)name[i]));
	FUZZ_EXPECT(!strstr(name, "..") && name[0] != '.' && !strchr(name, '*'));
	FUZZ_EXPECT(sl_tls_name_normalize(name, name_len, false, again) == 0);
	FUZZ_EXPECT(strcmp(again, name) == 0);
	if (!sl_tls_name_widen(name, pattern))
		return;
	FUZZ_EXPECT(pattern[0] == '*' && pattern[1] == '.');
	FUZZ_EXPECT(strcmp(pattern + 1, strchr(name, '.')) == 0);
	FUZZ_EXPECT(sl_tls_name_normalize(pattern, strlen(pattern), true, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char name[SL_TLS_NAME_MAX];
	struct sl_tls_names names = { 0 };
	char *text = fuzz_copy(bytes, len);
	if (sl_tls_name_normalize(text, len, false, name) == 0)
		expect_name(name, text, len);
	if (sl_tls_names_add(&names, text, len) == 0) {
		FUZZ_EXPECT(names.count == 1 && sl_tls_names_add(&names, text, len) == 0);
		FUZZ_EXPECT(names.count == 1);
	}
	sl_tls_names_finish(&names);
	free(text);
	return 0;
}
