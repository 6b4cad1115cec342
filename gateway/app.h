/* App: what all shards of one gateway share, and its life from start to exit.
 * Owner: main. Thread: main's, for all calls but release_socket; the fields are constant
 * while shards run, what they point to locks for itself. Errors: as each call says. */
#ifndef SL_APP_H
#define SL_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/plain_request.h"
#include "util/metrics.h"

struct sl_bus;
struct sl_config;
struct sl_demo;
struct sl_listener;
struct sl_probe_table;
struct sl_quota;
struct sl_settings;
struct sl_shard;
struct sl_socket;

struct sl_app {
	struct sl_settings *settings; /* owns a reference: the newest */
	struct sl_bus *bus;           /* owns, as all below */
	struct sl_listener *listeners;
	size_t listener_count;
	size_t lane_count;            /* the last so many of these are the demo's */
	struct sl_demo *demo;         /* NULL without --demo */
	struct sl_shard *shards;
	unsigned shard_count;
	struct sl_quota *quota;
	struct sl_probe_table *probes;
	char *poll_path, *publish_path; /* with the base path */
	struct sl_plain_paths plain_paths; /* the same */
	struct sl_metrics metrics;         /* main's own counters */
	uint64_t started_ms;
};

/* Takes `config`. Listens, and prints the addresses on standard output. What goes wrong
 * has been logged. Errors: any. */
int sl_app_init(struct sl_app *app, struct sl_config *config);
void sl_app_finish(struct sl_app *app);

/* Serves until SIGTERM or SIGINT, draining then. Returns 0, or an error from starting. */
int sl_app_run(struct sl_app *app);

/* Any shard's thread: a socket's connection is over. */
void sl_app_release_socket(struct sl_app *app, struct sl_socket *socket);

#endif
