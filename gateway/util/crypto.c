#include "util/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "util/err.h"

/* Looking an algorithm up by name costs more than hashing a key with it: once will do. */
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha1, *sha256;

static void
fetch(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void
sl_crypto_keep(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

void
sl_crypto_sha1(const void *bytes, size_t len, uint8_t out[SL_SHA1_LEN])
{
	pthread_once(&fetch_once, fetch);
	if (!sha1 || EVP_Digest(bytes, len, out, NULL, sha1, NULL) != 1)
		memset(out, 0, SL_SHA1_LEN);
}

int
sl_crypto_sha256(const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN])
{
	pthread_once(&fetch_once, fetch);
	return sha256 && EVP_Digest(bytes, len, out, NULL, sha256, NULL) == 1 ? 0 : SL_EIO;
}

int
sl_crypto_hmac(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t out[SL_SHA256_LEN])
{
	pthread_once(&fetch_once, fetch);
	return sha256 && key_len <= INT_MAX && HMAC(sha256, key, (int)key_len, bytes, len, out, NULL) ? 0 : SL_EIO;
}

bool
sl_crypto_are_equal(const void *one, const void *other, size_t len)
{
	return CRYPTO_memcmp(one, other, len) == 0;
}

int
sl_crypto_ed25519_public(const uint8_t private_key[SL_ED25519_LEN], uint8_t out[SL_ED25519_LEN])
{
	size_t len = SL_ED25519_LEN;
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, SL_ED25519_LEN);
	bool is_done = key && EVP_PKEY_get_raw_public_key(key, out, &len) == 1;
	EVP_PKEY_free(key);
	return is_done ? 0 : SL_EIO;
}

int
sl_crypto_random(void *out, size_t len)
{
	return len <= INT_MAX && RAND_bytes(out, (int)len) == 1 ? 0 : SL_EIO;
}
