#include "bus/nats_nkey.h"

#include "util/crypto.h"
#include "util/err.h"

#define RAW_SEED_LEN 36 /* two bytes of kind, the key, two of its checksum */
#define KIND_SEED 18    /* 'S', as five bits */
#define KIND_USER 20    /* 'U' */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* ---- base32 and the checksum ---- */

static int
value_of(char c)
{
	const char *found = c ? strchr(alphabet, c) : NULL;
	return found ? (int)(found - alphabet) : -1;
}

static bool
decode(uint8_t out[RAW_SEED_LEN], struct sl_span text)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.bytes[i]);
		if (value < 0)
			return false;
		bits = bits << 5 | (unsigned)value;
		count += 5;
		if (count >= 8) {
			count -= 8;
			out[len++] = (uint8_t)(bits >> count);
		}
	}
	return true;
}

static void
encode(char *out, const uint8_t *bytes, size_t len)
{
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (count += 8; count >= 5; count -= 5)
			*out++ = alphabet[bits >> (count - 5) & 31];
	}
	if (count > 0)
		*out++ = alphabet[bits << (5 - count) & 31];
	*out = '\0';
}

static uint16_t
checksum(const uint8_t *bytes, size_t len)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint16_t)(bytes[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

/* ---- seeds ---- */

int
sl_nats_nkey_find(struct sl_span *seed, struct sl_span text)
{
	for (size_t i = 0; i + SL_NATS_SEED_LEN <= text.len; i++) {
		size_t len = 0;
		while (i + len < text.len && value_of(text.bytes[i + len]) >= 0)
			len++;
		if (len == SL_NATS_SEED_LEN && text.bytes[i] == 'S' && text.bytes[i + 1] == 'U') {
			*seed = (struct sl_span){ text.bytes + i, len };
			return 0;
		}
		i += len;
	}
	return SL_EINVAL;
}

int
sl_nats_nkey_public(char out[SL_NATS_NKEY_LEN + 1], struct sl_span seed)
{
	uint8_t raw[RAW_SEED_LEN], key[1 + SL_ED25519_LEN + 2] = { KIND_USER << 3 };
	bool is_seed = seed.len == SL_NATS_SEED_LEN && decode(raw, seed) &&
		raw[0] >> 3 == KIND_SEED && ((raw[0] & 7) << 5 | raw[1] >> 3) == KIND_USER << 3 &&
		checksum(raw, RAW_SEED_LEN - 2) == (raw[RAW_SEED_LEN - 2] | raw[RAW_SEED_LEN - 1] << 8);
	int err = is_seed ? sl_crypto_ed25519_public(raw + 2, key + 1) : SL_EINVAL;
	explicit_bzero(raw, sizeof raw);
	if (err != 0)
		return err;
	uint16_t crc = checksum(key, 1 + SL_ED25519_LEN);
	key[1 + SL_ED25519_LEN] = (uint8_t)crc;
	key[2 + SL_ED25519_LEN] = (uint8_t)(crc >> 8);
	encode(out, key, sizeof key);
	return 0;
}
