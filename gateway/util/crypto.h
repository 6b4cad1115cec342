/* The few things that need a cryptographic library; with the TLS file the only place that
 * includes OpenSSL.
 * Owner: nobody. Thread: any. Errors: SL_EIO, the library cannot do it. */
#ifndef SL_UTIL_CRYPTO_H
#define SL_UTIL_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_SHA1_LEN 20
#define SL_SHA256_LEN 32
#define SL_ED25519_LEN 32

/* Before anything else here: the library does not free its tables when the process ends. Threads that other libraries
 * leave behind may still be in it then. */
void sl_crypto_keep(void);

/* SHA-1, which RFC 6455, section 4.2.2 asks for; not for anything secret. All zeros if the
 * library cannot compute it (a WebSocket client then refuses the handshake). */
void sl_crypto_sha1(const void *bytes, size_t len, uint8_t out[SL_SHA1_LEN]);

/* SHA-256 (FIPS 180-4). Errors: SL_EIO. */
int sl_crypto_sha256(const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN]);

/* HMAC with SHA-256 (RFC 2104). Errors: SL_EIO. */
int sl_crypto_hmac(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN]);

/* Whether two strings of bytes are the same, in a time that does not tell where they differ. */
bool sl_crypto_are_equal(const void *one, const void *other, size_t len);

/* The public key that belongs to a private one of Ed25519 (RFC 8032, section 5.1.5). Errors: SL_EIO. */
int sl_crypto_ed25519_public(const uint8_t private_key[SL_ED25519_LEN], uint8_t out[SL_ED25519_LEN]);

/* Fills `out` with bytes nobody can guess. Errors: SL_EIO. */
int sl_crypto_random(void *out, size_t len);

#endif
