/* Shard: one thread, its loop, its front, its connections.
 * Owner: the app (app.h) creates all at start. Thread: its own only, but for `mailbox`
 * and the atomics of `metrics`. Errors: as each call says. */
#ifndef SL_SHARD_H
#define SL_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"
#include "core/mailbox.h"
#include "live/fanout.h"
#include "live/run.h"
#include "util/metrics.h"

struct sl_app;
struct sl_config;
struct sl_connection;
struct sl_front;
struct sl_settings;

struct sl_shard {
	unsigned index;
	struct sl_app *app;              /* borrows; constant after start */
	struct sl_settings *settings;    /* owns a reference */
	const struct sl_config *config;  /* that of the settings */
	struct sl_bus *bus;              /* borrows */
	struct sl_loop loop;
	struct sl_mailbox mailbox;
	struct sl_watch mailbox_watch;
	struct sl_front *front;          /* owns */
	struct sl_fanout fanout;
	struct sl_framer framer;
	struct sl_metrics metrics;
	struct sl_connection *connections; /* every one open, newest first */
	struct sl_connection *work;        /* those to flush or pull in this turn */
	struct sl_connection **work_end;
	char *read_buffer;               /* SL_READ_BUFFER bytes, for whoever reads right now */
	struct sl_timer second;          /* once a second: sweeps */
	struct sl_task drain_task;
	uint64_t drain_until_ms;
	bool draining;
};

#define SL_READ_BUFFER 65536

/* Errors: SL_ENOMEM, SL_EIO; on failure nothing needs finishing. */
int sl_shard_init(struct sl_shard *shard, struct sl_app *app, unsigned index);

/* Closes what is still open without a word. */
void sl_shard_finish(struct sl_shard *shard);

/* Runs turns until stopped. */
void sl_shard_run(struct sl_shard *shard);

/* Its own thread, by a task: takes `settings` with its reference. */
void sl_shard_set_settings(struct sl_shard *shard, struct sl_settings *settings);

/* Any thread: the shard ends its connections and stops when they are gone, at the latest
 * at `drain_until_ms` (CLOCK_MONOTONIC). */
void sl_shard_drain(struct sl_shard *shard, uint64_t drain_until_ms);

#endif
