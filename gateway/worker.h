/* Worker: one thread of the gateway: its shard, its front, its turns.
 * Owner: the app, which makes all at start. Thread: its own once it runs, but for what says otherwise.
 * Errors: as each call says. */
#ifndef SL_WORKER_H
#define SL_WORKER_H

#include <stdint.h>

#include "http/front.h"
#include "live/shard.h"

struct sl_http;
struct sl_settings;

struct sl_worker {
	struct sl_shard shard;
	struct sl_front front;
	struct sl_timer second; /* once a second: sweeps */
	struct sl_task drain_task;
	uint64_t drain_until_ms;
	struct sl_task settings_task;
	struct sl_settings *_Atomic offered; /* owns a reference: new ones, until they are taken */
};

/* `index` of `count`. Errors: SL_ENOMEM, SL_EIO; on failure nothing needs finishing. */
int sl_worker_init(struct sl_worker *worker, unsigned index, unsigned count, struct sl_bus *bus,
	struct sl_http *http, struct sl_settings *settings);

/* Closes what is still open without a word, on all of them, and runs what they have posted to each other: none may
 * have a thread any more. Before any of them finishes. */
void sl_workers_close(struct sl_worker *workers, unsigned count);

/* The same of one alone, which is gone then. */
void sl_worker_finish(struct sl_worker *worker);

/* Takes turns until it has drained, and so have all others: their clients may wait for what it has. */
void sl_worker_run(struct sl_worker *worker);

/* One turn; waits for events unless there is `more` to do. Returns true when there is. */
bool sl_worker_take_turn(struct sl_worker *worker, bool more);

/* Main's thread: the worker takes `settings`, the caller's reference, when it comes to it. */
void sl_worker_set_settings(struct sl_worker *worker, struct sl_settings *settings);

/* Any thread: the worker ends its connections and stops when they are gone, at the latest at
 * `drain_until_ms` (CLOCK_MONOTONIC). */
void sl_worker_drain(struct sl_worker *worker, uint64_t drain_until_ms);

#endif
