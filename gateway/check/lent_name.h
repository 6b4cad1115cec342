/* Lent name: the name of a channel that is lent, in which its lender has written until when, signed (HMAC, RFC
 * 2104). So each gateway with the same --secret honours what another one of its bus has lent.
 * Owner: the caller's struct and text. Thread: any. Errors: SL_EIO, SL_ENOMEM.
 *
 * '~' and 40 characters of A-Z a-z 0-9 _ -, which stand for 30 bytes: when it expires, the process that lent it, random
 * ones, and the first half of the MAC of all these. */
#ifndef SL_CHECK_LENT_NAME_H
#define SL_CHECK_LENT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

#define SL_LENT_NAME_LEN 41
#define SL_LENT_KEY_LEN 32

struct sl_lent_name {
	int64_t expires_s; /* since 1970; to 2106 */
	uint32_t lender;   /* by which a process knows the names that it lent itself */
};

/* Ends in NUL. */
int sl_lent_name_make(char out[SL_LENT_NAME_LEN + 1], const struct sl_lent_name *name,
	const uint8_t key[SL_LENT_KEY_LEN]);

/* False for what was signed with another key, or is no such name. */
bool sl_lent_name_read(struct sl_span text, const uint8_t key[SL_LENT_KEY_LEN], struct sl_lent_name *out);

#endif
