/* Forwarded: whom a request comes from, by the fields that proxies write: X-Forwarded-For,
 * X-Forwarded-Proto, and Forwarded (RFC 7239).
 * Owner: values. Thread: any. Errors: none; what is malformed is told and not used.
 *
 * Each proxy appends whom it was asked by, so lists are read from the right, over all lines of a
 * field. What stands left of an address that is not trusted is that client's own invention. */
#ifndef SL_HTTP_FORWARDED_H
#define SL_HTTP_FORWARDED_H

#include <stdbool.h>

#include "core/socket.h"

struct sl_head;
struct sl_network_list;

#define SL_FORWARDED_LINES_MAX 16 /* of a field, from the last; the walk ends before others */
#define SL_FORWARDED_HOPS_MAX 32  /* elements looked at */

enum sl_forwarded_kind {
	SL_FORWARDED_NONE,
	SL_FORWARDED_X,       /* X-Forwarded-For */
	SL_FORWARDED_RFC7239, /* Forwarded */
};

enum sl_forwarded_scheme { SL_SCHEME_UNSAID, SL_SCHEME_HTTP, SL_SCHEME_HTTPS };

struct sl_forwarded {
	enum sl_forwarded_kind kind;     /* the field that an address was looked for in */
	struct sl_address client;        /* the first from the right that is not trusted; else the last
	                                  * one that could be read */
	enum sl_forwarded_scheme scheme; /* that this client used */
	bool is_bad;                     /* an element that counts is malformed */
};

/* True when what the address says of others counts. */
bool sl_forwarded_trusts(const struct sl_network_list *trusted, const struct sl_address *address);

/* Reads the fields of a request that came from `source`, who is trusted. Where both fields are
 * there, X-Forwarded-For counts alone: most proxies write that one, and pass a Forwarded that their
 * client made up. */
void sl_forwarded_read(struct sl_forwarded *out, const struct sl_head *head,
	const struct sl_network_list *trusted, const struct sl_address *source);

#endif
