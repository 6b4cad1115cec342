/* Heads as a connection reads them: found, then parsed, in a block of just their size, so that a
 * sanitizer notices reading on.
 * Owner: static; the head of the last call is borrowed until the next. Thread: main. Errors: the
 * test fails. */
#ifndef SL_TESTS_READ_HEAD_H
#define SL_TESTS_READ_HEAD_H

#include <stdlib.h>
#include <string.h>

#include "http/head.h"
#include "tests/unit/unit.h"

static struct sl_head head;
static struct sl_head_refusal refusal;
static char *head_bytes;

/* Returns the status that the head is refused with, 0 when it is taken. It must be whole. */
static inline unsigned
read_head_bytes(const char *bytes, size_t len)
{
	size_t scanned = 0;
	ptrdiff_t head_len = sl_head_scan(bytes, len, &scanned);
	if (head_len < 0) {
		refusal = sl_head_bad_line;
		return refusal.status;
	}
	CU_ASSERT_FATAL(head_len > 0);
	free(head_bytes);
	head_bytes = malloc((size_t)head_len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(head_bytes);
	memcpy(head_bytes, bytes, (size_t)head_len);
	refusal.status = 0;
	bool is_good = sl_head_parse(&head, head_bytes, (size_t)head_len, &refusal);
	CU_ASSERT_EQUAL(is_good, refusal.status == 0);
	return refusal.status;
}

static inline unsigned
read_head(const char *text)
{
	return read_head_bytes(text, strlen(text));
}

static inline void
forget_head(void)
{
	free(head_bytes);
	head_bytes = NULL;
}

#endif
