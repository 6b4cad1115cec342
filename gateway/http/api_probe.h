/* Probing: shows what a path between a client and the gateway lets through (PROTOCOL.md, probing).
 * Owner: the app owns the table of nonces. All shards share it under a lock of its own, because a client's
 * upgrade and its question may reach different shards (law 1). Thread: any. Errors: none; notes are best
 * effort. A full table evicts the oldest note of the owner that has most. */
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
	SL_PROBE_UNKNOWN,           /* unknown here; another gateway of the bus may have seen it */
	SL_PROBE_NOTHING,
	SL_PROBE_PLAIN_GET,         /* a proxy took the Upgrade out */
	SL_PROBE_UPGRADED_NO_FRAME, /* 101, but nothing has come from the client since */
	SL_PROBE_UPGRADED,
};

/* Returns new, or NULL. */
struct sl_probe_table *sl_probe_table_create(void);
void sl_probe_table_destroy(struct sl_probe_table *table);

/* Notes the state of a nonce; kept for 60 s. A nonce's note only gets better. `owner` is an id (core/owners.h).
 * True if the new note evicted another one. */
bool sl_probe_note(struct sl_probe_table *table, struct sl_span nonce, enum sl_probe_seen seen,
	uint64_t owner, uint64_t now_ms);

void sl_api_probe_echo(struct sl_exchange *exchange);
/* Writes the head down for the echo, as it came, while it is still there. */
void sl_api_probe_prepare_head(struct sl_exchange *exchange, const struct sl_request *request);
void sl_api_probe_head(struct sl_exchange *exchange);
void sl_api_probe_seen(struct sl_exchange *exchange);

#endif
