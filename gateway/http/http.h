/* Http: the data that the fronts of all shards share.
 * Owner: the app, which fills it before shards run. It is constant then; the objects it points to have locks of
 * their own. Thread: any. Errors: none. */
#ifndef SL_HTTP_HTTP_H
#define SL_HTTP_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "http/route.h"

struct sl_listener;
struct sl_metrics;
struct sl_observer;
struct sl_owners;
struct sl_probe_table;
struct sl_report_quota;
struct sl_revocations;
struct sl_shard;
struct sl_sio_memory;
struct sl_store;
struct sl_transport;

struct sl_http {
	struct sl_routes routes;
	const struct sl_transport *const *transports; /* ends in NULL */
	size_t extra_size;                  /* the largest of the transports' */
	const struct sl_listener *listeners;
	size_t listener_count;
	struct sl_owners *owners;           /* the owners that limits count */
	struct sl_probe_table *probes;
	struct sl_store *report_store;      /* for the check page's reports; NULL: none are taken */
	struct sl_report_quota *report_quota; /* with it */
	struct sl_sio_memory *sio_memory;   /* for clients/socket_io; NULL: no client is recovered there */
	struct sl_revocations *revocations; /* of all shards */
	void (*on_revoked)(void);           /* called after an addition there; may be NULL */
	struct sl_shard *const *shards;     /* for sums over all shards */
	unsigned shard_count;
	const struct sl_metrics *metrics;   /* main's own counters */
	uint64_t started_ms;
	const struct sl_observer *observer; /* NULL: no observer */
	const char *page_policy;            /* Content-Security-Policy of pages; NULL: the usual one */
};

#endif
