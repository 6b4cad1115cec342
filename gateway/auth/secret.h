/* Secret: what this gateway, and its siblings of one bus, sign with: tickets, and what other protocols
 * need signed, each with a key of its own derived from one secret (HKDF with SHA-256, RFC 5869).
 * Owner: the app; it outlives every use. Thread: any once made. Errors: as each call says. */
#ifndef SL_AUTH_SECRET_H
#define SL_AUTH_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define SL_SECRET_MIN 32      /* bytes of a file's */
#define SL_DERIVED_KEY_LEN 32

struct sl_secret;

/* That of the file, which is made, readable for its owner alone, where there is none; with `path` NULL one
 * that lives as long as the process. Errors: SL_EINVAL, SL_EIO, SL_ENOMEM, with the sentence to tell in
 * `error`. */
int sl_secret_create(struct sl_secret **out, const char *path, char *error, size_t error_size);
/* NULL is allowed. Wipes it. */
void sl_secret_destroy(struct sl_secret *secret);

/* `use` is a static word, such as "ticket". Errors: SL_EIO. */
int sl_secret_derive(const struct sl_secret *secret, const char *use, uint8_t out[SL_DERIVED_KEY_LEN]);

#endif
