/* App: the gateway from start to exit: what its workers share, signals, reloading, draining.
 * Owner: main. Thread: main's; the fields are constant while workers run, what they point to locks
 * for itself. Errors: as each call says. */
#ifndef SL_APP_H
#define SL_APP_H

#include <stddef.h>

#include "auth_loading.h"
#include "http/http.h"
#include "notices.h"
#include "util/metrics.h"

struct sl_bus;
struct sl_check_channels;
struct sl_config;
struct sl_demo;
struct sl_listener;
struct sl_revocation_file;
struct sl_settings;
struct sl_shard;
struct sl_tls_tickets;
struct sl_worker;

struct sl_app {
	struct sl_settings *settings; /* owns a reference: the newest */
	struct sl_settings *bus_settings; /* the same: those that the bus was made with, which it borrows */
	struct sl_bus *bus;           /* owns, as all below */
	struct sl_listener *listeners;
	size_t listener_count;
	size_t lane_count;            /* the last so many of these are the demo's */
	struct sl_tls_tickets *tickets; /* of every context there will be */
	struct sl_auth_loading auth_loading;
	struct sl_revocation_file *revocation_file; /* NULL without --revocations */
	struct sl_demo *demo;         /* NULL without --demo */
	struct sl_check_channels *check_channels; /* NULL with --no-check */
	struct sl_worker *workers;
	unsigned worker_count;
	struct sl_notices notices;    /* of other nodes */
	struct sl_shard **shards;     /* those of the workers */
	struct sl_http http;
	const struct sl_route *routes[6]; /* lists of them; ends in NULL */
	struct sl_metrics metrics;    /* main's own counters */
};

/* Takes `config`. Listens, and prints the addresses on standard output. What goes wrong
 * has been logged. Errors: any. */
int sl_app_init(struct sl_app *app, struct sl_config *config);
void sl_app_finish(struct sl_app *app);

/* Serves until SIGTERM or SIGINT, draining then. Returns 0, or an error from starting. */
int sl_app_run(struct sl_app *app);

#endif
