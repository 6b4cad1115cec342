/* Headers of a message of NATS, read in place: `NATS/1.0`, then lines of `name: value`.
 * Owner: results are borrowed from the block. Thread: any. Errors: none; a malformed header is absent.
 *
 * The library itself would make a table of every message's headers, and wake a thread to free it: twice the
 * cost of the rest of the tail. It gives no access to the bytes. But it lays a received message out in one
 * piece: subject, NUL, reply, NUL, headers, NUL, payload. */
#ifndef SL_BUS_NATS_HEADERS_H
#define SL_BUS_NATS_HEADERS_H

#include "util/span.h"

/* Returns the block between a message's reply subject and its payload. Absent: there are no headers, or they
 * are elsewhere; ask the library. */
struct sl_span sl_nats_headers_between(const char *reply, const char *payload);

/* Returns the value of the first header of this name, as written, without blanks around it. Absent: there is
 * none. */
struct sl_span sl_nats_headers_get(struct sl_span block, const char *name);

#endif
