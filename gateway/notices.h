/* Notices: where what other nodes announce (bus/bus.h) reaches what it is about.
 * Owner: the app. Thread: handle any, whenever there is a bus: also before there are workers, and after they
 * have gone; the others main's. Errors: logged. */
#ifndef SL_NOTICES_H
#define SL_NOTICES_H

#include <pthread.h>
#include <stdbool.h>

struct sl_http;
struct sl_notice;

struct sl_notices {
	const struct sl_http *http; /* borrows; with its table of revocations from the first notice on */
	pthread_mutex_t lock;
	bool has_shards;            /* under it: mailboxes take tasks */
};

void sl_notices_init(struct sl_notices *notices, const struct sl_http *http);
void sl_notices_finish(struct sl_notices *notices);

/* The shards of `http` are there, with their mailboxes, or are about to go. */
void sl_notices_set_has_shards(struct sl_notices *notices, bool has_shards);

/* on_notice of struct sl_bus_config; `arg` is the struct. */
void sl_notices_handle(void *arg, const struct sl_notice *notice);

#endif
