/* Probing: what a path between a client and here lets through (PROTOCOL.md, probing).
 * Owner: the app owns the table of nonces, which all shards share under a lock of its own:
 * a client's upgrade and its question may reach different shards (law 1). Thread: any.
 * Errors: notes are best effort; a full table drops the oldest note of the owner that has most. */
#ifndef SL_HTTP_API_PROBE_H
#define SL_HTTP_API_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/span.h"

struct sl_exchange;
struct sl_probe_table;
struct sl_request;

/* How far a /ws request with a nonce got. */
enum sl_probe_seen {
	SL_PROBE_UNKNOWN,           /* not here; another gateway of the bus may have seen it */
	SL_PROBE_NOTHING,
	SL_PROBE_PLAIN_GET,         /* a proxy took the Upgrade out */
	SL_PROBE_UPGRADED_NO_FRAME, /* 101, but nothing has come from the client since */
	SL_PROBE_UPGRADED,
};

/* Returns new, or NULL. */
struct sl_probe_table *sl_probe_table_create(void);
void sl_probe_table_destroy(struct sl_probe_table *table);

/* Notes what was seen of a nonce; kept for 60 s. A nonce's note only gets better. `owner` is an id
 * (core/owners.h). True when another note had to go for it. */
bool sl_probe_note(struct sl_probe_table *table, struct sl_span nonce, enum sl_probe_seen seen,
	uint64_t owner, uint64_t now_ms);

void sl_api_probe_echo(struct sl_exchange *exchange);
/* The head as it came is echoed: it is written down while it is there. */
void sl_api_probe_prepare_head(struct sl_exchange *exchange, const struct sl_request *request);
void sl_api_probe_head(struct sl_exchange *exchange);
void sl_api_probe_seen(struct sl_exchange *exchange);

#endif
