/* Forwarded: finds the client of a request in the fields that proxies write: X-Forwarded-For,
 * X-Forwarded-Proto, and Forwarded (RFC 7239).
 * Owner: values. Thread: any. Errors: none; a malformed field is reported and not used.
 *
 * Each proxy appends the address of its own client, so lists are read from the right, over all lines of a
 * field. Anything to the left of an untrusted address may be that client's invention. */
#ifndef SL_HTTP_FORWARDED_H
#define SL_HTTP_FORWARDED_H

#include <stdbool.h>

#include "core/socket.h"

struct sl_head;
struct sl_network_list;

#define SL_FORWARDED_LINES_MAX 16 /* lines of a field, from the last one; the walk ends before others */
#define SL_FORWARDED_HOPS_MAX 32  /* elements that the walk examines */

enum sl_forwarded_kind {
	SL_FORWARDED_NONE,
	SL_FORWARDED_X,       /* X-Forwarded-For */
	SL_FORWARDED_RFC7239, /* Forwarded */
};

enum sl_forwarded_scheme { SL_SCHEME_UNSAID, SL_SCHEME_HTTP, SL_SCHEME_HTTPS };

struct sl_forwarded {
	enum sl_forwarded_kind kind;     /* the field that was searched for an address */
	struct sl_address client;        /* the first untrusted address from the right; else the last readable one */
	enum sl_forwarded_scheme scheme; /* the scheme that this client used */
	bool is_bad;                     /* an element that counts is malformed */
};

/* True if the address is trusted to name other clients. */
bool sl_forwarded_trusts(const struct sl_network_list *trusted, const struct sl_address *address);

/* Reads the fields of a request from `source`, which is trusted. If both fields are present, only
 * X-Forwarded-For counts: most proxies write that one, and pass a Forwarded that their client invented. */
void sl_forwarded_read(struct sl_forwarded *out, const struct sl_head *head,
	const struct sl_network_list *trusted, const struct sl_address *source);

#endif
