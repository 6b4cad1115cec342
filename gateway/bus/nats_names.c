#include "bus/nats_names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "util/crypto.h"
#include "util/err.h"

#define PREFIX "sluice."
#define LEN(literal) (sizeof(literal) - 1)

static char *
put(char *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

/* ---- subjects ---- */

/* True for what stands in a subject as it is, wherever it stands. Not isalnum(): no locale has a say here. */
static bool
is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
		c == '-' || c == ':';
}

static char *
put_escape(char *at, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	*at++ = '=';
	*at++ = digits[c >> 4];
	*at++ = digits[c & 15];
	return at;
}

/* What of a subject is the channel's. */
static size_t
put_channel(char *out, struct sl_span channel)
{
	char *at = out;
	for (size_t i = 0; i < channel.len; i++) {
		unsigned char c = (unsigned char)channel.bytes[i];
		bool ends_token = c == '.' && i + 1 < channel.len && at > out && at[-1] != '.';
		if (is_plain(c) || ends_token)
			*at++ = (char)c;
		else
			at = put_escape(at, c);
	}
	*at = '\0';
	return (size_t)(at - out);
}

size_t
sl_nats_subject_of(char out[SL_NATS_SUBJECT_MAX], const char *bus, struct sl_span channel)
{
	assert(channel.len > 0 && channel.len <= SL_CHANNEL_MAX && strlen(bus) <= SL_NATS_BUS_MAX);
	char *at = put(out, PREFIX, LEN(PREFIX));
	at = put(at, bus, strlen(bus));
	*at++ = '.';
	return (size_t)(at - out) + put_channel(at, channel);
}

/* -1: it is no digit. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes escapes as they come: whether they had to be there the caller sees by writing them again. At most `max`
 * bytes, and a NUL. */
static int
read_name(char *out, size_t max, size_t *len, struct sl_span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];
		if (count == max)
			return SL_EINVAL;
		if (c == '=') {
			int high = i + 2 < text.len ? hex_value(text.bytes[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.bytes[i + 2]) : -1;
			if (high < 0 || low < 0)
				return SL_EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		out[count++] = c;
	}
	out[count] = '\0';
	*len = count;
	return count > 0 ? 0 : SL_EINVAL;
}

int
sl_nats_channel_of(char out[SL_CHANNEL_MAX + 1], size_t *len, const char *bus,
	struct sl_span subject)
{
	size_t bus_len = strlen(bus), before = LEN(PREFIX) + bus_len + 1;
	if (subject.len <= before || memcmp(subject.bytes, PREFIX, LEN(PREFIX)) != 0 ||
			memcmp(subject.bytes + LEN(PREFIX), bus, bus_len) != 0 ||
			subject.bytes[before - 1] != '.')
		return SL_EINVAL;
	struct sl_span text = { subject.bytes + before, subject.len - before };
	int err = read_name(out, SL_CHANNEL_MAX, len, text);
	if (err)
		return err;
	char again[3 * SL_CHANNEL_MAX + 1];
	size_t again_len = put_channel(again, (struct sl_span){ out, *len });
	return again_len == text.len && memcmp(again, text.bytes, text.len) == 0 ? 0 : SL_EINVAL;
}

/* ---- events ---- */

size_t
sl_nats_event_write(char out[SL_NATS_EVENT_MAX], struct sl_span event)
{
	assert(event.len > 0 && event.len <= SL_EVENT_MAX);
	char *at = out;
	for (size_t i = 0; i < event.len; i++) {
		unsigned char c = (unsigned char)event.bytes[i];
		if (c > ' ' && c < 0x7f && c != '=')
			*at++ = (char)c;
		else
			at = put_escape(at, c);
	}
	*at = '\0';
	return (size_t)(at - out);
}

int
sl_nats_event_read(char out[SL_EVENT_MAX + 1], size_t *len, struct sl_span value)
{
	return read_name(out, SL_EVENT_MAX, len, value);
}

/* ---- ids ---- */

static const char base36[] = "0123456789abcdefghijklmnopqrstuvwxyz";

int
sl_nats_ids_init(struct sl_nats_ids *ids)
{
	uint64_t drawn;
	int err = sl_crypto_random(&drawn, sizeof drawn);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof ids->start; i++, drawn /= 36)
		ids->start[i] = base36[drawn % 36];
	ids->count = 0;
	return 0;
}

size_t
sl_nats_ids_next(struct sl_nats_ids *ids, char out[SL_NATS_ID_MAX])
{
	char room[13]; /* 36^13 > 2^64 */
	size_t first = sizeof room;
	uint64_t number = ids->count++;
	do
		room[--first] = base36[number % 36];
	while ((number /= 36) > 0);
	char *at = put(out, "p/", 2);
	at = put(at, ids->start, sizeof ids->start);
	*at++ = '/';
	at = put(at, room + first, sizeof room - first);
	*at = '\0';
	return (size_t)(at - out);
}

size_t
sl_nats_id_of_key(char out[SL_NATS_ID_MAX], struct sl_span key)
{
	assert(key.len <= SL_BUS_KEY_MAX);
	char *at = put(out, "k/", 2);
	at = put(at, key.bytes, key.len);
	*at = '\0';
	return (size_t)(at - out);
}
