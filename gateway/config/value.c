#include "config/value.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/origin.h"

#define NAME_MAX_LEN 32
#define HOST_MAX 253 /* the longest name that DNS has (RFC 1035, section 2.3.4) */

/* Reads digits at `*text` and moves it behind them. */
static int
read_digits(const char **text, uint64_t *out)
{
	char *end;
	if (!isdigit((unsigned char)**text))
		return SL_EINVAL;
	errno = 0;
	errno = 0;
	*out = strtoull(*text, &end, 10);
	*text = end;
	return errno == ERANGE ? SL_ETOOBIG : 0;
}

/* `rest` is what is left of the text. */
static int
take_number(const char *rest, uint64_t value, uint64_t min, uint64_t max, uint64_t *out)
{
	if (*rest != '\0')
		return SL_EINVAL;
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
	return err ? err : take_number(text, value, min, max, out);
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
		const char *unit = strchr(units, toupper((unsigned char)*text++));
		if (!unit || *text != '\0')
			return SL_EINVAL;
		if (__builtin_mul_overflow(value, UINT64_C(1024) << (10 * (unit - units)), &value))
			return SL_ETOOBIG;
	}
	return take_number(text, value, min, max, out);
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
	return take_number(text, value, min_ms, max_ms, out_ms);
}

bool
sl_config_value_is_name(const char *text)
{
	size_t len = 0;
	while (isalnum((unsigned char)text[len]) || text[len] == '_' || text[len] == '-')
		len++;
	return len > 0 && len <= NAME_MAX_LEN && text[len] == '\0';
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

/* sl_authority_parse() looks at the characters alone. */
static bool
is_host(struct sl_span host)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	if (host.len == 0 || host.bytes[0] != '[')
		return host.len <= HOST_MAX;
	snprintf(address, sizeof address, "%.*s", (int)host.len - 2, host.bytes + 1);
	return host.len - 2 < sizeof address && inet_pton(AF_INET6, address, &parsed) == 1;
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

/* Pages of these schemes have no origin ("null"), or share one with all that there are, or the
 * schemes are no page's. */
static bool
is_nobodys(struct sl_span scheme)
{
	static const char *const schemes[] = { "about", "blob", "data", "file", "filesystem", "ftp",
		"javascript", "ws", "wss" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (sl_span_is_word(scheme, schemes[i]))
			return true;
	return false;
}

int
sl_config_value_origin(const char *text, enum sl_origin_schemes schemes, struct sl_origin *out)
{
	struct sl_span scheme = { text, measure_scheme(text) };
	bool is_secure = sl_span_is_word(scheme, "https");
	bool is_web = is_secure || sl_span_is_word(scheme, "http");
	if (scheme.len == 0 || is_nobodys(scheme) || (!is_web && schemes == SL_ORIGIN_WEB))
		return SL_EINVAL;
	const char *host = text + scheme.len + 3;
	struct sl_authority authority;
	bool is_none = *host == '\0' && !is_web;
	if (!sl_authority_parse(&authority, (struct sl_span){ host, strlen(host) }) && !is_none)
		return SL_EINVAL;
	const char *rest = host + authority.host.len;
	unsigned port = authority.port;
	if (!is_host(authority.host) || (*rest && port == 0))
		return SL_EINVAL;
	size_t keep = (size_t)(rest - text);
	char *url;
	int written = port == 0 || (is_web && port == (is_secure ? 443 : 80))
		? asprintf(&url, "%.*s", (int)keep, text)
		: asprintf(&url, "%.*s:%u", (int)keep, text, port);
	if (written < 0)
		return SL_ENOMEM;
	for (size_t i = 0; url[i] && (is_web || i < scheme.len); i++)
		url[i] = (char)tolower((unsigned char)url[i]);
	out->url = url;
	out->authority = url + (host - text);
	return 0;
}
