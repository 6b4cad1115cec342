/* What a codec wrote.
 * Owner: the test; the buffer is finished. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_EXPECT_TEXT_H
#define SL_TESTS_EXPECT_TEXT_H

#include <string.h>

#include "tests/unit/unit.h"
#include "util/buffer.h"

static inline void
expect_text(struct sl_buffer *out, const char *text)
{
	CU_ASSERT_EQUAL(sl_buffer_status(out), 0);
	CU_ASSERT_EQUAL_FATAL(out->len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(out->bytes, text, out->len), 0);
	sl_buffer_finish(out);
}

#endif
