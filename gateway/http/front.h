/* Front: a shard's HTTP server, libmicrohttpd in external-epoll mode.
 * Owner: the shard. Thread: its own. Errors: as each call says.
 *
 * It accepts, has requests parsed, answers the small ones and hands sockets over for the
 * others (http/handover.h). Facts behind its order of calls: ARCHITECTURE.md. */
#ifndef SL_HTTP_FRONT_H
#define SL_HTTP_FRONT_H

#include <stdbool.h>

struct sl_exchange;
struct sl_front;
struct sl_shard;
struct sl_socket;

/* Returns new in `*out`, listening. Errors: SL_ENOMEM, SL_EIO. */
int sl_front_create(struct sl_front **out, struct sl_shard *shard);

/* Closes everything it still has. */
void sl_front_destroy(struct sl_front *front);

/* End-of-turn work: lets libmicrohttpd do what there is to do. True when there is more. */
bool sl_front_run(struct sl_front *front);

#define SL_FRONT_IDLE_S 75 /* longer than a parked poll's and than most proxies' */

/* Takes an accepted socket: libmicrohttpd reads its requests. Not from within a handler. */
void sl_front_add(struct sl_front *front, struct sl_socket *socket);

/* Takes back a socket that was handed over, with all its unread bytes. Not from within a
 * handler. */
void sl_front_take_back(struct sl_front *front, struct sl_socket *socket);

/* For handover: the exchange's socket is somebody else's from now on. */
void sl_front_forget_socket(struct sl_exchange *exchange);

/* Once a second: cuts requests that are past their time. */
void sl_front_sweep(struct sl_front *front);

/* Stops accepting. What waits for its backend still gets its answer. */
void sl_front_drain(struct sl_front *front);

/* True when a run would find something to do. */
bool sl_front_has_work(const struct sl_front *front);

/* Requests that are complete and not answered yet. */
unsigned sl_front_count_busy(const struct sl_front *front);

#endif
