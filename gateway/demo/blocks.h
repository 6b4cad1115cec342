/* Blocks: transports that are refused to a name, as a proxy on the way would do it.
 * Owner: the names (demo/names.h). Thread: the shard's. Errors: SL_EINVAL from parsing. */
#ifndef SL_DEMO_BLOCKS_H
#define SL_DEMO_BLOCKS_H

#include "util/span.h"

struct sl_http;
struct sl_reply;

/* Reads a JSON array of transports into bits 1 << enum sl_class. */
int sl_blocks_parse(struct sl_span json, unsigned *classes);

/* Has all shards cut, with a reset, the name's connections of these classes. */
void sl_blocks_cut(const struct sl_http *http, struct sl_span name, unsigned classes);

/* The answer of a proxy that does not let something through. */
void sl_blocks_set_reply(struct sl_reply *reply);

#endif
