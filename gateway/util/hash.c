#include "util/hash.h"

#include <endian.h>
#include <string.h>

static uint64_t key[2];

/* Little-endian on any machine, so that hashes can be tested against published ones. */
static uint64_t
load64(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return le64toh(word);
}

static inline uint64_t
rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static inline void
absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

void
sl_hash_seed(const uint8_t seed[16])
{
	key[0] = load64(seed);
	key[1] = load64(seed + 8);
}

static inline uint64_t
hash_with(uint64_t key0, uint64_t key1, const void *bytes, size_t len)
{
	uint64_t v[4] = {
		key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du,
		key0 ^ 0x6c7967656e657261u, key1 ^ 0x7465646279746573u,
	};
	const uint8_t *at = bytes;
	size_t left = len;
	for (; left >= 8; left -= 8, at += 8)
		absorb(v, load64(at));
	uint64_t last = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)at[i] << 8 * i;
	absorb(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t
sl_hash(const void *bytes, size_t len)
{
	uint64_t hash = hash_with(key[0], key[1], bytes, len);
	return (uint32_t)(hash ^ hash >> 32);
}

uint64_t
sl_hash_with(const uint8_t seed[16], const void *bytes, size_t len)
{
	return hash_with(load64(seed), load64(seed + 8), bytes, len);
}
