/* What a stranger may send to the demo: `of=` and `show=` (the input up to a zero byte and
 * behind it), read as a list of blocks too. */
#include "demo/blocks.h"
#include "demo/wanted.h"
#include "tests/fuzz/fuzz.h"

static void
expect_legal(const struct sl_wanted *wanted, unsigned count, struct sl_span of)
{
	FUZZ_EXPECT(count >= 1 && count <= SL_NAMES_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct sl_span name = wanted[i].name;
		FUZZ_EXPECT(sl_name_valid(name) && wanted[i].after < 1000000000000000000u);
		FUZZ_EXPECT(name.bytes >= of.bytes && name.bytes + name.len <= of.bytes + of.len);
		for (unsigned j = 0; j < i; j++)
			FUZZ_EXPECT(wanted[j].name.len != name.len ||
				memcmp(wanted[j].name.bytes, name.bytes, name.len) != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_wanted wanted[SL_NAMES_MAX];
	unsigned count, classes;
	const uint8_t *zero = len ? memchr(bytes, 0, len) : NULL;
	size_t of_len = zero ? (size_t)(zero - bytes) : len, show_len = zero ? len - of_len - 1 : 0;
	struct sl_span of = { fuzz_copy(bytes, of_len), of_len };
	struct sl_span show = { zero ? fuzz_copy(zero + 1, show_len) : NULL, show_len };
	if (sl_wanted_parse(wanted, &count, of, show) == 0)
		expect_legal(wanted, count, of);
	if (sl_blocks_parse(of, &classes) == 0)
		FUZZ_EXPECT(classes < 1u << SL_CLASS_NATIVE_COUNT);
	free((void *)(uintptr_t)of.bytes);
	free((void *)(uintptr_t)show.bytes);
	return 0;
}
