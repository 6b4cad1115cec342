/* Code: the verdict of a check in 12 characters, as people read it out on the phone.
 * Owner: the caller's struct. Thread: any. Errors: SL_EINVAL.
 *
 * Crockford base32 in three groups of four: eleven characters of 5 bits, the most significant bit
 * first, and a check character over GF(32) that notices every wrong character and every exchange of
 * two neighbours. doc/check.md has the bits; web/check/code.js is the same for the browser. */
#ifndef SL_CHECK_CODE_H
#define SL_CHECK_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

#define SL_CODE_LEN 14 /* with its two hyphens */
#define SL_CODE_VERSION 1
#define SL_CODE_TRANSPORTS 5 /* in the usual order */

struct sl_code {
	uint8_t version;                     /* 0 to 7 */
	uint8_t classes[SL_CODE_TRANSPORTS]; /* 0 to 15, in the order of a report's schema */
	uint8_t choice;                      /* 0: none; 1 to 5; 6 and 7 mean nothing */
	bool secure, patient;
	uint8_t base, times[SL_CODE_TRANSPORTS]; /* coarse steps, 0 to 15; 0: not measured */
	uint8_t silence;                     /* 0 to 7 */
};

/* Reads the written form of a report, capitals and hyphens. Any version is read. Errors: SL_EINVAL,
 * it is no such text or its check character is wrong. */
int sl_code_read(struct sl_code *out, struct sl_span text);

#endif
