/* A Content-Type that is taken begins with its media type and is taken in upper case too; a
 * Content-Encoding that is identity names nothing else. The first byte chooses the header. */
#include "http/content.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"
#include "util/err.h"

static void
expect_type(char *value, size_t len)
{
	static const char *const names[] = {
		[SL_JSON] = "application/json", [SL_TEXT] = "text/plain",
		[SL_BINARY] = "application/octet-stream",
	};
	struct sl_content content = { 0 }, again = { 0 };
	int err = sl_content_read_type((struct sl_span){ value, len }, &content);
	const char *name = content.is_batch ? "application/x-ndjson" : names[content.type];
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL || err == SL_EUTF8);
	if (err == 0)
		FUZZ_EXPECT(len >= strlen(name) && strncasecmp(value, name, strlen(name)) == 0);
	for (size_t i = 0; i < len; i++)
		value[i] = (char)toupper((unsigned char)value[i]);
	FUZZ_EXPECT(sl_content_read_type((struct sl_span){ value, len }, &again) == err);
	FUZZ_EXPECT(again.type == content.type && again.is_batch == content.is_batch);
}

static void
expect_encoding(const char *value, size_t len)
{
	bool is_identity = sl_content_is_identity((struct sl_span){ value, len });
	size_t letters = 0;
	for (size_t i = 0; i < len; i++)
		letters += value[i] != ' ' && value[i] != '\t' && value[i] != ',';
	FUZZ_EXPECT(letters > 0 || is_identity);
	if (is_identity)
		FUZZ_EXPECT(letters % strlen("identity") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	char *value = fuzz_copy(bytes + 1, len - 1);
	if (bytes[0] % 2)
		expect_type(value, len - 1);
	else
		expect_encoding(value, len - 1);
	free(value);
	return 0;
}
