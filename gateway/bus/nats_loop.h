/* Loop for the library of NATS: the thread that reads and writes the sockets of its connections.
 * Owner: the backend. Thread: one of its own; the library calls the loop from any of its threads, with its own
 * locks held. Errors: SL_ENOMEM, SL_EIO.
 *
 * It is not a shard's loop: the library waits in it for TLS, and parses messages in it.
 *
 * A connection ends only on the loop's thread: to end one, cut its socket. The library itself would close the
 * descriptor on the caller's thread while the loop may read from it. By then the descriptor could belong to a
 * client. */
#ifndef SL_BUS_NATS_LOOP_H
#define SL_BUS_NATS_LOOP_H

#include <nats/nats.h>

struct sl_nats_loop;

int sl_nats_loop_create(struct sl_nats_loop **out);

/* No connection may be left. NULL is allowed. */
void sl_nats_loop_destroy(struct sl_nats_loop *loop);

/* Serves the connections made with these options. Errors: SL_EINVAL. */
int sl_nats_loop_serve(struct sl_nats_loop *loop, natsOptions *options);

#define SL_NATS_LISTENERS_MAX 4

/* Calls `on_read` on the loop's thread each time a connection has been read. The library's subscriptions then
 * have the messages, and no other thread needs to be woken for them. Call it before the first connection; `arg`
 * outlives the loop. */
void sl_nats_loop_listen(struct sl_nats_loop *loop, void (*on_read)(void *arg), void *arg);

/* Stops these calls. Call it while no connection is read. */
void sl_nats_loop_ignore(struct sl_nats_loop *loop);

/* Any thread: shuts the connection's socket down. The loop sees its end, and the library closes it there. NULL
 * is every connection. */
void sl_nats_loop_cut(struct sl_nats_loop *loop, const natsConnection *connection);

#endif
