/* Content coding: whether a client takes gzip (RFC 9110, section 12.5.3), and whether a gzip file is
 * that of other bytes (RFC 1952).
 * Owner: values. Thread: any. Errors: none; what is malformed is refused. */
#ifndef SL_HTTP_CODING_H
#define SL_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

#define SL_CODING_UNSAID (-1)

/* The weights of an Accept-Encoding, in thousandths; SL_CODING_UNSAID where it has none. */
struct sl_coding_weights {
	int gzip, identity, any;
};

#define SL_CODING_WEIGHTS_INIT { SL_CODING_UNSAID, SL_CODING_UNSAID, SL_CODING_UNSAID }

/* Adds one line of Accept-Encoding; a coding that is named twice has its last weight. */
void sl_coding_read(struct sl_coding_weights *weights, struct sl_span line);

/* True when gzip may be sent, and the client does not like the bytes as they are better. A client that
 * says nothing gets no gzip. */
bool sl_coding_takes_gzip(const struct sl_coding_weights *weights);

/* True when `gzip` is one member whose trailer is that of `bytes`: their number and CRC-32. What stands
 * between is not looked at. */
bool sl_coding_is_gzip_of(struct sl_span gzip, struct sl_span bytes);

#endif
