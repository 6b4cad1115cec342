/* TLS names: the DNS names that a certificate is for, and the patterns that cover one asked for.
 * Owner: the caller's struct; its strings belong to it until finish. Thread: any once filled.
 * Errors: SL_EINVAL, SL_ENOMEM.
 * Sources: RFC 9525 (section 6.3: a wildcard is the whole first label, and stands for one). */
#ifndef SL_CORE_TLS_NAMES_H
#define SL_CORE_TLS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define SL_TLS_NAME_MAX 254 /* with the NUL; the longest that DNS has */

struct sl_tls_names {
	char **names; /* owns, and each; in lower case */
	size_t count;
};

/* Writes `text` in lower case, without the dot that may end it. Errors: SL_EINVAL, no host name
 * and, unless `with_wildcard`, a pattern. */
int sl_tls_name_normalize(const char *text, size_t len, bool with_wildcard,
	char out[SL_TLS_NAME_MAX]);

/* The pattern that covers a normalised name: "*.example.org" of "www.example.org". Returns false
 * where there is none. */
bool sl_tls_name_widen(const char *name, char out[SL_TLS_NAME_MAX]);

/* Adds one unless it is there. Errors: also SL_EINVAL, it is no name and no pattern. */
int sl_tls_names_add(struct sl_tls_names *names, const char *text, size_t len);

void sl_tls_names_finish(struct sl_tls_names *names);

#endif
