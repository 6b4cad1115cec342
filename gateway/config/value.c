#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "util/buffer.h"
#include "util/err.h"

/* Reads digits at `*text` and moves it behind them. */
static int
read_digits(const char **text, uint64_t *out)
{
	const char *at = *text;
	uint64_t value = 0;
	if (!isdigit((unsigned char)*at))
		return SL_EINVAL;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(value, 10u, &value)
			|| __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return SL_ETOOBIG;
	*text = at;
	*out = value;
	return 0;
}

static int
check_range(uint64_t value, uint64_t min, uint64_t max, uint64_t *out)
{
	if (value < min || value > max)
		return SL_ETOOBIG;
	*out = value;
	return 0;
}

int
sl_config_value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value;
	int err = read_digits(&text, &value);
	if (err == 0 && *text != '\0')
		err = SL_EINVAL;
	return err ? err : check_range(value, min, max, out);
}

int
sl_config_value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMG";
	uint64_t value;
	int err = read_digits(&text, &value);
	if (err)
		return err;
	if (*text != '\0') {
		const char *unit = strchr(units, toupper((unsigned char)*text));
		if (!unit || text[1] != '\0')
			return SL_EINVAL;
		if (__builtin_mul_overflow(value, UINT64_C(1024) << (10 * (unit - units)), &value))
			return SL_ETOOBIG;
	}
	return check_range(value, min, max, out);
}

int
sl_config_value_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms)
{
	uint64_t value;
	int err = read_digits(&text, &value);
	if (err)
		return err;
	if (value > UINT64_MAX / 1000 - 1)
		return SL_ETOOBIG;
	value *= 1000;
	if (*text == '.') {
		unsigned scale = 100;
		if (!isdigit((unsigned char)*++text))
			return SL_EINVAL;
		for (; isdigit((unsigned char)*text); text++, scale /= 10)
			value += (uint64_t)(*text - '0') * scale;
	}
	if (*text != '\0')
		return SL_EINVAL;
	return check_range(value, min_ms, max_ms, out_ms);
}

void
sl_config_value_append_size(struct sl_buffer *out, uint64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G" };
	size_t unit = 0;
	for (; unit < 3 && bytes && bytes % 1024 == 0; unit++)
		bytes /= 1024;
	sl_buffer_append_u64(out, bytes);
	sl_buffer_append_str(out, units[unit]);
}

static bool
is_unreserved(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-._~", c));
}

static bool
is_dot_segment(const char *segment, size_t len)
{
	return (len == 1 || len == 2) && strncmp(segment, "..", len) == 0;
}

int
sl_config_value_base_path(const char *text, char **out)
{
	text += *text == '/';
	char *path = malloc(strlen(text) + 3);
	if (!path)
		return SL_ENOMEM;
	size_t len = 0;
	path[len++] = '/';
	while (*text) {
		const char *segment = text;
		while (is_unreserved(*text))
			path[len++] = *text++;
		size_t segment_len = (size_t)(text - segment);
		if (segment_len == 0 || is_dot_segment(segment, segment_len)
			|| (*text != '/' && *text != '\0')) {
			free(path);
			return SL_EINVAL;
		}
		path[len++] = '/';
		text += *text == '/';
	}
	path[len] = '\0';
	free(*out);
	*out = path;
	return 0;
}

/* Host of RFC 3986, section 3.2.2, without percent-encoding. Returns its length, 0 for none. */
static size_t
measure_host(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	if (host[0] == '[') {
		const char *end = strchr(host, ']');
		if (!end || (size_t)(end - host) > sizeof address)
			return 0;
		memcpy(address, host + 1, (size_t)(end - host) - 1);
		address[end - host - 1] = '\0';
		return inet_pton(AF_INET6, address, &parsed) == 1 ? (size_t)(end - host) + 1 : 0;
	}
	size_t len = 0;
	while (is_unreserved(host[len]))
		len++;
	return len <= 253 ? len : 0;
}

/* RFC 3986, section 3.1. Returns the scheme's length, 0 where no "://" follows one. */
static size_t
measure_scheme(const char *text)
{
	size_t len = 0;
	if (!isalpha((unsigned char)text[0]))
		return 0;
	while (isalnum((unsigned char)text[len]) || (text[len] && strchr("+-.", text[len])))
		len++;
	return strncmp(text + len, "://", 3) == 0 ? len : 0;
}

static bool
is_scheme(const char *text, size_t len, const char *scheme)
{
	return strlen(scheme) == len && strncasecmp(text, scheme, len) == 0;
}

/* Pages of these schemes have no origin ("null"), or share one with all that there are, or the
 * schemes are no page's. */
static bool
is_nobodys(const char *text, size_t len)
{
	static const char *const schemes[] = { "about", "blob", "data", "file", "filesystem", "ftp",
		"javascript", "ws", "wss" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (is_scheme(text, len, schemes[i]))
			return true;
	return false;
}

int
sl_config_value_origin(const char *text, enum sl_origin_schemes schemes, struct sl_origin *out)
{
	size_t scheme_len = measure_scheme(text);
	bool is_secure = is_scheme(text, scheme_len, "https");
	bool is_web = is_secure || is_scheme(text, scheme_len, "http");
	if (scheme_len == 0 || is_nobodys(text, scheme_len) || (!is_web && schemes == SL_ORIGIN_WEB))
		return SL_EINVAL;
	const char *host = text + scheme_len + 3;
	size_t host_len = measure_host(host);
	const char *rest = host + host_len;
	uint64_t port = 0;
	if (host_len == 0 && (is_web || *rest))
		return SL_EINVAL;
	if (*rest == ':' && sl_config_value_count(rest + 1, 1, 65535, &port) != 0)
		return SL_EINVAL;
	if (*rest != ':' && *rest != '\0')
		return SL_EINVAL;
	size_t keep = (size_t)(rest - text);
	char *url;
	int written = port == 0 || (is_web && port == (is_secure ? 443 : 80))
		? asprintf(&url, "%.*s", (int)keep, text)
		: asprintf(&url, "%.*s:%u", (int)keep, text, (unsigned)port);
	if (written < 0)
		return SL_ENOMEM;
	for (size_t i = 0; url[i] && (is_web || i < scheme_len); i++)
		url[i] = (char)tolower((unsigned char)url[i]);
	out->url = url;
	out->authority = url + (host - text);
	return 0;
}
