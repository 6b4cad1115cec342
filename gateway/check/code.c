#include "check/code.h"

#include "util/err.h"

#define CHARACTERS 12
#define GROUP 4
#define BITS 5

/* x^5 + x^2 + 1, which is primitive: x (2) has order 31, so that the weights of eleven places
 * differ, and none is 1, the weight of the check character itself. */
#define POLYNOMIAL 0x25u

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static unsigned
times_two(unsigned value)
{
	value <<= 1;
	return value & 0x20 ? value ^ POLYNOMIAL : value;
}

static unsigned
multiply(unsigned a, unsigned b)
{
	unsigned product = 0;
	for (; b; b >>= 1, a = times_two(a))
		product ^= b & 1 ? a : 0;
	return product;
}

/* The sum of weight and character over the first eleven; the first has the weight 2. */
static unsigned
find_check(const uint8_t values[CHARACTERS])
{
	unsigned check = 0, weight = 2;
	for (int i = 0; i < CHARACTERS - 1; i++, weight = times_two(weight))
		check ^= multiply(weight, values[i]);
	return check;
}

static bool
read_values(uint8_t values[CHARACTERS], struct sl_span text)
{
	unsigned count = 0;
	if (text.len != SL_CODE_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_hyphen = i % (GROUP + 1) == GROUP;
		const char *found = text.bytes[i] ? strchr(alphabet, text.bytes[i]) : NULL;
		if (is_hyphen ? text.bytes[i] != '-' : !found)
			return false;
		if (!is_hyphen)
			values[count++] = (uint8_t)(found - alphabet);
	}
	return true;
}

static uint8_t
take_bits(uint64_t *bits, unsigned count)
{
	uint8_t value = (uint8_t)(*bits >> (64 - count));
	*bits <<= count;
	return value;
}

int
sl_code_read(struct sl_code *out, struct sl_span text)
{
	uint8_t values[CHARACTERS];
	uint64_t bits = 0;
	if (!read_values(values, text) || find_check(values) != values[CHARACTERS - 1])
		return SL_EINVAL;
	for (int i = 0; i < CHARACTERS - 1; i++)
		bits = bits << BITS | values[i];
	bits <<= 64 - (CHARACTERS - 1) * BITS;
	out->version = take_bits(&bits, 3);
	for (int i = 0; i < SL_CODE_TRANSPORTS; i++)
		out->classes[i] = take_bits(&bits, 4);
	out->choice = take_bits(&bits, 3);
	out->secure = take_bits(&bits, 1);
	out->patient = take_bits(&bits, 1);
	out->base = take_bits(&bits, 4);
	for (int i = 0; i < SL_CODE_TRANSPORTS; i++)
		out->times[i] = take_bits(&bits, 4);
	out->silence = take_bits(&bits, 3);
	return 0;
}
