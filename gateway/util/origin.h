/* Origin: of a page, and the host that a request is for, as values that can be compared (RFC 6454,
 * section 4; RFC 3986, section 3.2).
 * Owner: spans borrow the text. Thread: any. Errors: false for what is not of the form. */
#ifndef SL_UTIL_ORIGIN_H
#define SL_UTIL_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct sl_authority {
	struct sl_span host; /* as written; IPv6 with its brackets */
	uint16_t port;       /* 0: not said */
};

/* host[:port], where the port may be empty. */
bool sl_authority_parse(struct sl_authority *out, struct sl_span text);

/* http://host[:port] or https://host[:port] and nothing behind; the default port is filled in. */
bool sl_origin_parse(struct sl_authority *out, bool *is_secure, struct sl_span text);

/* Hosts are equal in any case; `default_port` stands for a port that is not said. */
bool sl_authority_equals(const struct sl_authority *a, const struct sl_authority *b,
	uint16_t default_port);

/* localhost, [::1], 127.0.0.0/8 in dotted form. */
bool sl_authority_is_loopback(const struct sl_authority *authority);

#endif
