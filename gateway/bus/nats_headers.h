/* Headers of a message of NATS, read where they lie: `NATS/1.0`, then lines of `name: value`.
 * Owner: what is returned is borrowed from the block. Thread: any. Errors: none; what is malformed is absent.
 *
 * The library's own reading makes a table of every message's headers, and wakes a thread to free it: twice what
 * the rest of the tail costs. It gives no access to the bytes, but lays a message that it has received out in one
 * piece: subject, NUL, reply, NUL, headers, NUL, payload. */
#ifndef SL_BUS_NATS_HEADERS_H
#define SL_BUS_NATS_HEADERS_H

#include "util/span.h"

/* The block that lies between a reply subject and the payload of a message, if one does. Absent: ask the library,
 * there are none or they are elsewhere. */
struct sl_span sl_nats_headers_between(const char *reply, const char *payload);

/* The value of the first header of this name, as it is written, without blanks around it. Absent: there is
 * none. */
struct sl_span sl_nats_headers_get(struct sl_span block, const char *name);

#endif
