/* Nkey: computes the public key of a user of NATS from the user's seed.
 * Owner: the caller's bytes; the holder of the seed wipes it. Thread: any. Errors: SL_EINVAL, no seed of a
 * user.
 *
 * A seed is base32 (RFC 4648, section 6, without padding) of two bytes that give its kind, 32 bytes of
 * Ed25519's private key, and a CRC-16 (XMODEM) of them, the lower byte first. A user's seed begins with SU. The
 * public key has one byte before its 32, and begins with U. */
#ifndef SL_BUS_NATS_NKEY_H
#define SL_BUS_NATS_NKEY_H

#include "util/span.h"

#define SL_NATS_SEED_LEN 58
#define SL_NATS_NKEY_LEN 56

/* Finds the first seed in the text, which may be a file with other lines. */
int sl_nats_nkey_find(struct sl_span *seed, struct sl_span text);

/* Writes the public key and a NUL. Errors: also SL_EIO. */
int sl_nats_nkey_public(char out[SL_NATS_NKEY_LEN + 1], struct sl_span seed);

#endif
