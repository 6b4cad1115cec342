/* Relay: lets libmicrohttpd answer the ordinary web, behind socket pairs. libmicrohttpd never sees the real
 * socket, and only heads that the relay wrote.
 * Owner: the front. Thread: the shard's. Errors: as each call says.
 *
 * Each of SL_RELAY_PAIRS pairs carries one request at a time; the relay replaces a pair that libmicrohttpd
 * closes. A request that finds no free pair waits in a queue, counted, with a deadline. */
#ifndef SL_HTTP_RELAY_H
#define SL_HTTP_RELAY_H

#include <stdbool.h>

#define SL_RELAY_PAIRS 16

struct sl_exchange;
struct sl_front;
struct sl_relay;

/* Returns new in `*out`. Errors: SL_ENOMEM, SL_EIO. */
int sl_relay_create(struct sl_relay **out, struct sl_front *front);
/* Drops the requests under way. NULL is allowed. */
void sl_relay_destroy(struct sl_relay *relay);

/* Takes `exchange`. Its answer goes to its connection, which then concludes, in this turn or a later one. */
void sl_relay_begin(struct sl_relay *relay, struct sl_exchange *exchange);

/* End-of-turn work: lets libmicrohttpd work. True if there is more to do. */
bool sl_relay_run(struct sl_relay *relay);
bool sl_relay_has_work(const struct sl_relay *relay);

/* Call it once per second: refuses (503) requests that have waited too long. */
void sl_relay_sweep(struct sl_relay *relay);

/* Returns the number of requests that wait or are being answered. */
unsigned sl_relay_count_busy(const struct sl_relay *relay);

#endif
