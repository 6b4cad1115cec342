/* Front: the entry of a shard's HTTP clients. It accepts and counts sockets, and has libmicrohttpd behind it
 * (http/relay.h).
 * Owner: the worker (worker.h). Thread: the shard's. Errors: as each call says. */
#ifndef SL_HTTP_FRONT_H
#define SL_HTTP_FRONT_H

#include <stdbool.h>
#include <stddef.h>

struct sl_accepting;
struct sl_http;
struct sl_relay;
struct sl_settings;
struct sl_shard;

struct sl_front {
	struct sl_http *http;          /* borrows */
	struct sl_shard *shard;        /* borrows */
	struct sl_settings *settings;  /* owns a reference */
	struct sl_relay *relay;        /* owns */
	struct sl_accepting *accepting; /* owns; one for each listener */
	size_t accepting_count;
};

/* Takes a reference of `settings`, and listens. Do not move `front` afterwards. Errors: SL_ENOMEM, SL_EIO;
 * after an error nothing needs finishing. */
int sl_front_init(struct sl_front *front, struct sl_http *http, struct sl_shard *shard,
	struct sl_settings *settings);

/* Stops accepting and answering. The shard closes its links before. */
void sl_front_finish(struct sl_front *front);

/* Takes `settings` with its reference. */
void sl_front_set_settings(struct sl_front *front, struct sl_settings *settings);

/* Call it once per second: listens again if accepting had to rest. */
void sl_front_sweep(struct sl_front *front);

/* Stops accepting. */
void sl_front_drain(struct sl_front *front);

#endif
