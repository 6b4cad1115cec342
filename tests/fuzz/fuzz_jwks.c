/* The content of a key file of any bytes is refused with a sentence that begins with its name, or gives
 * keys that are strong enough and verify; what looks like PEM never becomes a secret. */
#include <openssl/evp.h>

#include "auth/key_file.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/log.h"

static void
expect_strong(const struct sl_key *key, struct sl_span content)
{
	if (key->alg == SL_ALG_HS256) {
		FUZZ_EXPECT(key->secret_len >= SL_KEY_SECRET_MIN && !key->pkey);
		FUZZ_EXPECT(key->kid || content.bytes[0] == '{' || !memmem(content.bytes, content.len,
			"-----BEGIN ", 11));
	} else {
		FUZZ_EXPECT(key->pkey && !key->secret);
		FUZZ_EXPECT(key->alg != SL_ALG_RS256 || EVP_PKEY_get_bits(key->pkey) >= SL_KEY_RSA_BITS_MIN);
	}
	char zeros[256] = { 0 };
	for (size_t len = 0; len <= sizeof zeros; len += 32)
		FUZZ_EXPECT(!sl_key_verify(key, (struct sl_span){ "a.b", 3 }, (struct sl_span){ zeros, len }));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char error[512] = "";
	struct sl_keys keys = { .count = 0 };
	char *text = malloc(len + 1);
	if (!text || len == 0) {
		free(text);
		return 0;
	}
	sl_log_set_level(SL_LOG_ERROR);
	memcpy(text, bytes, len);
	int err = sl_keys_read(&keys, (struct sl_span){ text, len }, "--token-key F",
		(struct sl_tls_error){ error, sizeof error });
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL);
	FUZZ_EXPECT(err == 0 || strncmp(error, "--token-key F: ", 15) == 0);
	FUZZ_EXPECT(err != 0 || keys.count > 0);
	for (size_t i = 0; i < keys.count; i++)
		expect_strong(&keys.list[i], (struct sl_span){ text, len });
	sl_keys_finish(&keys);
	free(text);
	return 0;
}
