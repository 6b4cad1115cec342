/* A cursor that parses is written again as it was read. */
#include "bus/cursor.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	struct sl_cursor cursor;
	if (sl_cursor_parse(text, len, &cursor) == 0) {
		char again[SL_CURSOR_MAX];
		FUZZ_EXPECT(cursor.epoch != 0);
		FUZZ_EXPECT(sl_cursor_format(cursor, again) == len);
		FUZZ_EXPECT(memcmp(again, text, len) == 0);
	}
	free(text);
	return 0;
}
