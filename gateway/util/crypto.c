#include "util/crypto.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "util/err.h"

void
sl_crypto_sha1(const void *bytes, size_t len, uint8_t out[SL_SHA1_LEN])
{
	if (EVP_Digest(bytes, len, out, NULL, EVP_sha1(), NULL) != 1)
		memset(out, 0, SL_SHA1_LEN);
}

int
sl_crypto_random(void *out, size_t len)
{
	return len <= INT_MAX && RAND_bytes(out, (int)len) == 1 ? 0 : SL_EIO;
}
