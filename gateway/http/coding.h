/* Content coding: whether a client accepts gzip (RFC 9110, section 12.5.3), and whether a gzip file has the
 * content of another file (RFC 1952).
 * Owner: values. Thread: any. Errors: none; what is malformed is refused. */
#ifndef SL_HTTP_CODING_H
#define SL_HTTP_CODING_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

#define SL_CODING_UNSAID (-1)

/* The weights of an Accept-Encoding, in thousandths; SL_CODING_UNSAID if absent. */
struct sl_coding_weights {
	int gzip, identity, any;
};

#define SL_CODING_WEIGHTS_INIT { SL_CODING_UNSAID, SL_CODING_UNSAID, SL_CODING_UNSAID }

/* Adds one line of Accept-Encoding. If a coding is named twice, its last weight counts. */
void sl_coding_read(struct sl_coding_weights *weights, struct sl_span line);

/* True when the client accepts gzip and does not prefer identity. A client that names neither gzip
 * nor `*` gets no gzip. */
bool sl_coding_takes_gzip(const struct sl_coding_weights *weights);

/* True when `gzip` begins as a gzip file and its trailer has the length and the CRC-32 of `bytes`.
 * The compressed bytes are not decoded. */
bool sl_coding_is_gzip_of(struct sl_span gzip, struct sl_span bytes);

#endif
