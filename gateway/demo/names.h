/* Names: who is watched. What goes over a connection is noted under the name that its
 * request gave (`demo=`), and a name may have transports that are blocked to it.
 * Owner: the demo. Thread: any; shared by the shards under a lock of its own, since the
 * connections of one name live on several and the page asks at another (law 1).
 * Errors: none but memory.
 *
 * At most SL_NAMES_MAX at a time: the one that was unused for the longest makes room. A name
 * goes 60 s after its last use; a connection of it that is open is a use. */
#ifndef SL_DEMO_NAMES_H
#define SL_DEMO_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "demo/trace.h"
#include "util/metrics.h"
#include "util/span.h"

#define SL_NAMES_MAX 64
#define SL_NAME_MIN 4
#define SL_NAME_MAX 64
#define SL_NAME_FORM "4 to 64 of A-Z a-z 0-9 _ -" /* for those who gave another */

struct sl_buffer;
struct sl_name;
struct sl_names;

/* SL_NAME_MIN to SL_NAME_MAX of A-Z a-z 0-9 _ -. */
bool sl_name_valid(struct sl_span name);

/* Returns new, or NULL. */
struct sl_names *sl_names_create(void);

/* Every reference has been given back. NULL is allowed. */
void sl_names_destroy(struct sl_names *names);

/* Returns a new reference to a valid name, made if there is none; NULL without memory.
 * `*dropped` counts up when another had to go for it. */
struct sl_name *sl_names_get(struct sl_names *names, struct sl_span name, uint64_t now_ms,
	unsigned *dropped);
void sl_names_unref(struct sl_names *names, struct sl_name *name, uint64_t now_ms);

/* True when it had to make room: it notes nothing more, and sl_names_get() makes it anew. */
bool sl_names_has_dropped(struct sl_names *names, const struct sl_name *name);

bool sl_name_equals(const struct sl_name *name, struct sl_span text);

/* Adds an event (demo/trace.h), which a name that has been dropped does not; returns how many older
 * ones were pushed out. */
unsigned sl_names_note(struct sl_names *names, struct sl_name *name, uint64_t now_ms,
	struct sl_trace_event *event, const char *captured);

/* `classes` is a bit 1 << enum sl_class for each transport that is blocked. */
void sl_names_block(struct sl_names *names, struct sl_name *name, unsigned classes);
bool sl_names_is_blocked(struct sl_names *names, struct sl_span name, enum sl_class class_);

/* {"connections":..., "events":[...]}, zeros for a name that nobody used yet. */
void sl_names_append(struct sl_names *names, struct sl_buffer *out, struct sl_span name,
	uint64_t after, bool shows_bytes, uint64_t now_ms);

/* ["websocket",...] */
void sl_names_append_classes(struct sl_buffer *out, unsigned classes);

#endif
