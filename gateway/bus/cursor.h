/* Cursor: a client's place in the bus's one order, `<epoch>-<seq>`, e.g. 9f3a1c07-4182.
 * Owner: a value. Thread: any. Errors: SL_EINVAL from parsing. */
#ifndef SL_BUS_CURSOR_H
#define SL_BUS_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct sl_cursor {
	uint32_t epoch; /* names the life of the log; never 0 */
	uint64_t seq;
};

/* 8 hex digits, '-', up to 20 digits, NUL. */
#define SL_CURSOR_MAX 30

/* Writes `cursor` and a NUL into `out`; returns the length without the NUL. */
size_t sl_cursor_format(struct sl_cursor cursor, char out[SL_CURSOR_MAX]);

/* Parses exactly eight lower-case hex digits, '-', a decimal without leading zeros that
 * fits 63 bits. Errors: SL_EINVAL, `out` untouched. */
int sl_cursor_parse(const char *text, size_t len, struct sl_cursor *out);

#endif
