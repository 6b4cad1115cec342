#include "config/server_url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "util/err.h"
#include "util/origin.h"

#define DEFAULT_PORT 4222
#define STARS 3 /* for what is secret, at most */

static int
hex_value(char c)
{
	const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c | (c > '9' ? 0x20 : 0)) : NULL;
	return found ? (int)(found - digits) : -1;
}

/* False for what does not fit, is empty, or holds a control character or half an escape. */
static bool
decode(char out[SL_SERVER_URL_PART_MAX], struct sl_span part)
{
	size_t len = 0;
	for (size_t i = 0; i < part.len; i++) {
		char c = part.bytes[i];
		if (c == '%') {
			int high = i + 2 < part.len ? hex_value(part.bytes[i + 1]) : -1;
			int low = high >= 0 ? hex_value(part.bytes[i + 2]) : -1;
			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f || len + 1 >= SL_SERVER_URL_PART_MAX)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return len > 0;
}

/* user:password, or a token. */
static bool
take_login(struct sl_server_url *out, struct sl_span login)
{
	const char *colon = memchr(login.bytes, ':', login.len);
	struct sl_span user = { login.bytes, colon ? (size_t)(colon - login.bytes) : login.len };
	out->has_password = colon != NULL;
	if (!decode(out->user, user))
		return false;
	return !colon || decode(out->password,
		(struct sl_span){ colon + 1, login.len - user.len - 1 });
}

static bool
take_address(struct sl_server_url *out, struct sl_span text)
{
	struct sl_authority authority;
	if (!sl_authority_parse(&authority, text) || authority.host.len == 0 ||
			authority.host.len >= SL_SERVER_URL_PART_MAX)
		return false;
	struct sl_span host = authority.host;
	snprintf(out->address, sizeof out->address, "%.*s:%u", (int)host.len, host.bytes,
		authority.port ? authority.port : DEFAULT_PORT);
	if (host.bytes[0] == '[')
		host = (struct sl_span){ host.bytes + 1, host.len - 2 };
	snprintf(out->host, sizeof out->host, "%.*s", (int)host.len, host.bytes);
	return true;
}

int
sl_server_url_parse(const char *text, struct sl_server_url *out)
{
	*out = (struct sl_server_url){ .is_secure = strncasecmp(text, "tls://", 6) == 0 };
	if (!out->is_secure && strncasecmp(text, "nats://", 7) != 0)
		return SL_EINVAL;
	const char *at = text + (out->is_secure ? 6 : 7), *sign = strrchr(at, '@');
	if (sign && !take_login(out, (struct sl_span){ at, (size_t)(sign - at) }))
		return SL_EINVAL;
	at = sign ? sign + 1 : at;
	size_t len = strlen(at);
	if (len > 0 && at[len - 1] == '/')
		len--;
	return take_address(out, (struct sl_span){ at, len }) ? 0 : SL_EINVAL;
}

int
sl_server_url_check(const char *text)
{
	struct sl_server_url url;
	int err = sl_server_url_parse(text, &url);
	explicit_bzero(&url, sizeof url);
	return err;
}

void
sl_server_url_show(const char *text, char *out, size_t size)
{
	const char *scheme = strstr(text, "://"), *sign = strrchr(text, '@');
	int scheme_len = scheme ? (int)(scheme + 3 - text) : 0;
	const char *rest = sign ? sign + 1 : text + scheme_len;
	snprintf(out, size, "%.*s%s%s", scheme_len, text, sign ? "***@" : "", rest);
}

/* From the first "://" since the '@' before, or from that '@' on: a character that should have been escaped
 * shows nothing of what is around it. */
void
sl_server_url_redact(char *text)
{
	char *to = text;
	for (const char *from = text; *from;) {
		const char *sign = strchr(from, '@'), *scheme = strstr(from, "://");
		size_t len = sign ? (size_t)(sign - from) : strlen(from);
		size_t shown = sign ? 0 : len;
		if (sign && scheme && scheme < sign)
			shown = (size_t)(scheme + 3 - from);
		memmove(to, from, shown);
		to += shown;
		for (size_t i = 0; i < STARS && i < len - shown; i++)
			*to++ = '*';
		from += len;
		if (sign)
			*to++ = *from++;
	}
	*to = '\0';
}
