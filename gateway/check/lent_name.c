#include "check/lent_name.h"

#include <endian.h>
#include <string.h>

#include "util/base64url.h"
#include "util/crypto.h"
#include "util/err.h"

#define SIGNED_LEN 14
#define MAC_LEN 16
#define BYTES_LEN (SIGNED_LEN + MAC_LEN)
#define RANDOM_AT 8

_Static_assert(SL_LENT_NAME_LEN == 1 + BYTES_LEN * 4 / 3 && BYTES_LEN % 3 == 0,
	"so each character carries six bits, and no two texts are one name");

static int
sign(const uint8_t bytes[SIGNED_LEN], const uint8_t key[SL_LENT_KEY_LEN], uint8_t mac[MAC_LEN])
{
	uint8_t whole[SL_SHA256_LEN];
	int err = sl_crypto_hmac(key, SL_LENT_KEY_LEN, bytes, SIGNED_LEN, whole);
	if (err == 0)
		memcpy(mac, whole, MAC_LEN);
	return err;
}

int
sl_lent_name_make(char out[SL_LENT_NAME_LEN + 1], const struct sl_lent_name *name,
	const uint8_t key[SL_LENT_KEY_LEN])
{
	uint8_t bytes[BYTES_LEN];
	uint32_t expires_s = htobe32((uint32_t)name->expires_s), lender = htobe32(name->lender);
	memcpy(bytes, &expires_s, 4);
	memcpy(bytes + 4, &lender, 4);
	int err = sl_crypto_random(bytes + RANDOM_AT, SIGNED_LEN - RANDOM_AT);
	if (err == 0)
		err = sign(bytes, key, bytes + SIGNED_LEN);
	if (err != 0)
		return err;
	struct sl_buffer text = SL_BUFFER_INIT;
	sl_buffer_append_char(&text, '~');
	sl_base64url_append(&text, bytes, sizeof bytes);
	sl_buffer_append_char(&text, '\0');
	err = sl_buffer_status(&text);
	if (err == 0)
		memcpy(out, text.bytes, SL_LENT_NAME_LEN + 1);
	sl_buffer_finish(&text);
	return err;
}

/* The bytes that the text stands for. */
static bool
decode(struct sl_span text, uint8_t bytes[BYTES_LEN])
{
	struct sl_buffer decoded = SL_BUFFER_INIT;
	if (text.len != SL_LENT_NAME_LEN || text.bytes[0] != '~')
		return false;
	bool is_good = sl_base64url_decode(&decoded, (struct sl_span){ text.bytes + 1, text.len - 1 }) == 0 &&
		decoded.len == BYTES_LEN;
	if (is_good)
		memcpy(bytes, decoded.bytes, BYTES_LEN);
	sl_buffer_finish(&decoded);
	return is_good;
}

bool
sl_lent_name_read(struct sl_span text, const uint8_t key[SL_LENT_KEY_LEN], struct sl_lent_name *out)
{
	uint8_t bytes[BYTES_LEN], mac[MAC_LEN];
	uint32_t expires_s, lender;
	if (!decode(text, bytes) || sign(bytes, key, mac) != 0 ||
			!sl_crypto_are_equal(mac, bytes + SIGNED_LEN, MAC_LEN))
		return false;
	memcpy(&expires_s, bytes, 4);
	memcpy(&lender, bytes + 4, 4);
	*out = (struct sl_lent_name){ be32toh(expires_s), be32toh(lender) };
	return true;
}
