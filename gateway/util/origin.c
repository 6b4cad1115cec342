#include "util/origin.h"

#include <ctype.h>

#define HTTP_PORT 80
#define HTTPS_PORT 443

static bool
is_unreserved(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool
is_of_ipv6(char c)
{
	return isxdigit((unsigned char)c) || c == ':' || c == '.';
}

static size_t
measure_host(struct sl_span text)
{
	size_t len = 0;
	if (text.len == 0 || text.bytes[0] != '[') {
		while (len < text.len && is_unreserved(text.bytes[len]))
			len++;
		return len;
	}
	for (len = 1; len < text.len && is_of_ipv6(text.bytes[len]); len++)
		;
	return len > 2 && len < text.len && text.bytes[len] == ']' ? len + 1 : 0;
}

static bool
read_port(struct sl_span text, uint16_t *out)
{
	uint64_t port = 0;
	bool fits = text.len == 0 || (sl_span_to_number(text, UINT16_MAX, &port) && port > 0);
	*out = (uint16_t)port;
	return fits;
}

bool
sl_authority_parse(struct sl_authority *out, struct sl_span text)
{
	size_t len = measure_host(text);
	*out = (struct sl_authority){ { text.bytes, len }, 0 };
	if (len == 0)
		return false;
	if (len == text.len)
		return true;
	return text.bytes[len] == ':' &&
		read_port((struct sl_span){ text.bytes + len + 1, text.len - len - 1 }, &out->port);
}

static bool
begins(struct sl_span text, const char *word)
{
	size_t len = strlen(word);
	return text.len >= len && strncasecmp(text.bytes, word, len) == 0;
}

bool
sl_origin_parse(struct sl_authority *out, bool *is_secure, struct sl_span text)
{
	*is_secure = begins(text, "https://");
	if (!*is_secure && !begins(text, "http://"))
		return false;
	size_t len = *is_secure ? strlen("https://") : strlen("http://");
	if (!sl_authority_parse(out, (struct sl_span){ text.bytes + len, text.len - len }))
		return false;
	if (out->port == 0)
		out->port = *is_secure ? HTTPS_PORT : HTTP_PORT;
	return true;
}

bool
sl_authority_equals(const struct sl_authority *a, const struct sl_authority *b,
	uint16_t default_port)
{
	uint16_t a_port = a->port ? a->port : default_port, b_port = b->port ? b->port : default_port;
	return a_port == b_port && a->host.len == b->host.len &&
		strncasecmp(a->host.bytes, b->host.bytes, a->host.len) == 0;
}

/* Four numbers of at most three digits, the first of them 127. */
static bool
is_loopback_ipv4(struct sl_span name)
{
	unsigned parts = 1, digits = 0;
	if (name.len < 9 || name.len > 15 || memcmp(name.bytes, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.bytes[i] == '.') {
			if (digits == 0)
				return false;
			parts++;
			digits = 0;
		} else if (!isdigit((unsigned char)name.bytes[i]) || ++digits > 3) {
			return false;
		}
	}
	return parts == 4 && digits > 0;
}

bool
sl_authority_is_loopback(const struct sl_authority *authority)
{
	struct sl_span host = authority->host;
	return is_loopback_ipv4(host) || sl_span_is_word(host, "localhost") ||
		sl_span_equals(host, "[::1]");
}
