/* Server URL: where a server of NATS is, and perhaps who logs in there.
 * Owner: the caller's text. Thread: any. Errors: SL_EINVAL, not of the form.
 *
 * nats://host:port or tls://host:port, with user:password@ or token@ before the host; a part of these that
 * has a character of its own meaning is percent-encoded (RFC 3986, section 2.1). */
#ifndef SL_CONFIG_SERVER_URL_H
#define SL_CONFIG_SERVER_URL_H

#include <stdbool.h>
#include <stddef.h>

#define SL_SERVER_URLS_MAX 64
#define SL_SERVER_URL_PART_MAX 256 /* with the zero that ends it */

struct sl_server_url {
	bool is_secure;
	char address[SL_SERVER_URL_PART_MAX + 8]; /* host:port, the port being 4222 where none was given */
	char host[SL_SERVER_URL_PART_MAX];        /* without an IPv6 address's brackets */
	char user[SL_SERVER_URL_PART_MAX];        /* decoded; or the token; empty: none */
	char password[SL_SERVER_URL_PART_MAX];
	bool has_password; /* false: `user` is a token */
};

int sl_server_url_parse(const char *text, struct sl_server_url *out);
int sl_server_url_check(const char *text);

/* Writes one URL, as it may be shown, and a NUL; what does not fit is cut off. */
void sl_server_url_show(const char *text, char *out, size_t size);

/* What stands before an '@' in each URL of a list becomes "***". In place; in doubt more is replaced than
 * would have to be. */
void sl_server_url_redact(char *text);

#endif
