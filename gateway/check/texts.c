#include "check/texts.h"

#include <arpa/inet.h>

#include "check/code.h"
#include "http/head_echo.h"

#define VIA "Via: "
#define VIA_LEN (sizeof VIA - 1)

static bool
is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f) ||
		(character >= 0x202a && character <= 0x202e) ||
		(character >= 0x2066 && character <= 0x2069);
}

static uint32_t
next_character(const char **at)
{
	unsigned char first = (unsigned char)*(*at)++;
	if (first < 0x80)
		return first;
	unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t character = first & (0x3fu >> more);
	for (; more > 0; more--)
		character = character << 6 | ((unsigned char)*(*at)++ & 0x3fu);
	return character;
}

bool
sl_texts_is_plain(struct sl_span text, unsigned characters_max)
{
	unsigned count = 0;
	const char *at = text.bytes, *end = at + text.len;
	while (at < end)
		if (++count > characters_max || is_control(next_character(&at)))
			return false;
	return true;
}

bool
sl_texts_is_time(struct sl_span text)
{
	static const char highest[] = "2099-19-39T29:59:59Z"; /* each digit for itself */
	const char *at = text.bytes;
	if (text.len != sizeof highest - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_digit = highest[i] >= '0' && highest[i] <= '9';
		if (is_digit ? at[i] < '0' || at[i] > highest[i] : at[i] != highest[i])
			return false;
	}
	return memcmp(at, "20", 2) == 0 &&
		memcmp(at + 5, "00", 2) != 0 && memcmp(at + 5, "12", 2) <= 0 &&
		memcmp(at + 8, "00", 2) != 0 && memcmp(at + 8, "31", 2) <= 0 &&
		memcmp(at + 11, "23", 2) <= 0;
}

bool
sl_texts_is_code(struct sl_span text)
{
	struct sl_code code;
	return sl_code_read(&code, text) == 0;
}

bool
sl_texts_is_http_version(struct sl_span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '/' || c == '-'))
			return false;
	}
	return true;
}

/* ---- what proxies added ---- */

/* The value of a Via, or absent. */
static struct sl_span
find_via(struct sl_span text)
{
	if (text.len <= VIA_LEN || memcmp(text.bytes, VIA, VIA_LEN) != 0)
		return (struct sl_span){ 0 };
	return (struct sl_span){ text.bytes + VIA_LEN, text.len - VIA_LEN };
}

bool
sl_texts_is_proxy(struct sl_span text)
{
	const char *name = sl_head_echo_find(text);
	return find_via(text).bytes || (name && sl_span_equals(text, name));
}

static bool
is_address(const char *text)
{
	struct in6_addr address;
	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* Maybe in brackets, with a port, a zone or a full stop behind. */
static bool
is_address_word(struct sl_span word)
{
	char text[INET6_ADDRSTRLEN + 32];
	if (word.len == 0 || word.len >= sizeof text)
		return false;
	memcpy(text, word.bytes, word.len);
	text[word.len] = '\0';
	char *start = text + (*text == '[');
	start[strcspn(start, *text == '[' ? "]%" : "%")] = '\0';
	if (is_address(start))
		return true;
	char *end = strpbrk(start, ":");
	if (!end && *start && start[strlen(start) - 1] == '.')
		end = start + strlen(start) - 1;
	if (end)
		*end = '\0';
	return end && is_address(start);
}

void
sl_texts_append_proxy(struct sl_buffer *out, struct sl_span text)
{
	static const char separators[] = " \t,;=()<>\"/";
	struct sl_span via = find_via(text);
	sl_buffer_append(out, text.bytes, via.bytes ? VIA_LEN : text.len);
	for (size_t at = 0; at < via.len; at++) {
		size_t start = at;
		while (at < via.len && !strchr(separators, via.bytes[at]))
			at++;
		struct sl_span word = { via.bytes + start, at - start };
		if (is_address_word(word))
			sl_buffer_append_char(out, '-');
		else
			sl_buffer_append(out, word.bytes, word.len);
		if (at < via.len)
			sl_buffer_append_char(out, via.bytes[at]);
	}
}
