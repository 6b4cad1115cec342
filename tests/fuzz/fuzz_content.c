/* A Content-Type that is taken begins with its media type and is taken in upper case too; a
 * Content-Encoding that is identity names nothing else. The first byte chooses the header. */
#include "http/content.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"
#include "util/err.h"

static void
expect_type(char *value)
{
	static const char *const names[] = {
		[SL_JSON] = "application/json", [SL_TEXT] = "text/plain",
		[SL_BINARY] = "application/octet-stream",
	};
	struct sl_content content = { 0 }, again = { 0 };
	int err = sl_content_read_type(value, &content);
	const char *name = content.is_batch ? "application/x-ndjson" : names[content.type];
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL || err == SL_EUTF8);
	if (err == 0)
		FUZZ_EXPECT(strncasecmp(value, name, strlen(name)) == 0);
	for (char *c = value; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	FUZZ_EXPECT(sl_content_read_type(value, &again) == err);
	FUZZ_EXPECT(again.type == content.type && again.is_batch == content.is_batch);
}

static void
expect_encoding(const char *value)
{
	bool is_identity = sl_content_is_identity(value);
	size_t letters = 0;
	for (const char *c = value; *c; c++)
		letters += *c != ' ' && *c != '\t' && *c != ',';
	FUZZ_EXPECT(letters > 0 || is_identity);
	if (is_identity)
		FUZZ_EXPECT(letters % strlen("identity") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	char *value = fuzz_copy(bytes, len); /* its first byte makes room for the NUL */
	memmove(value, value + 1, len - 1);
	value[len - 1] = '\0';
	if (bytes[0] % 2)
		expect_type(value);
	else
		expect_encoding(value);
	free(value);
	return 0;
}
