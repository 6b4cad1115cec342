/* Accept-Encoding: whatever it is, it counts the same in upper case, and in two lines cut at a comma;
 * behind it "gzip;q=0" refuses gzip. A gzip file of the input's own bytes is none by chance. */
#include "http/coding.h"

#include <ctype.h>

#include "tests/fuzz/fuzz.h"

static void
expect_weight(int weight)
{
	FUZZ_EXPECT(weight >= SL_CODING_UNSAID && weight <= 1000);
}

static void
expect_same(const struct sl_coding_weights *a, const struct sl_coding_weights *b)
{
	FUZZ_EXPECT(a->gzip == b->gzip && a->identity == b->identity && a->any == b->any);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_coding_weights weights = SL_CODING_WEIGHTS_INIT, upper = SL_CODING_WEIGHTS_INIT;
	char *line = fuzz_copy(bytes, len);
	struct sl_span refusal = { "gzip;q=0", 8 };
	sl_coding_read(&weights, (struct sl_span){ line, len });
	expect_weight(weights.gzip);
	expect_weight(weights.identity);
	expect_weight(weights.any);
	for (size_t i = 0; i < len; i++) {
		struct sl_coding_weights cut = SL_CODING_WEIGHTS_INIT;
		if (line[i] != ',')
			continue;
		sl_coding_read(&cut, (struct sl_span){ line, i });
		sl_coding_read(&cut, (struct sl_span){ line + i + 1, len - i - 1 });
		expect_same(&cut, &weights);
		break;
	}
	FUZZ_EXPECT(!sl_coding_is_gzip_of((struct sl_span){ line, len }, (struct sl_span){ line, len }));
	for (size_t i = 0; i < len; i++)
		line[i] = (char)toupper((unsigned char)line[i]);
	sl_coding_read(&upper, (struct sl_span){ line, len });
	expect_same(&upper, &weights);
	sl_coding_read(&weights, refusal);
	FUZZ_EXPECT(!sl_coding_takes_gzip(&weights));
	free(line);
	return 0;
}
