/* Loop for the library of NATS: the thread that reads and writes the sockets of its connections.
 * Owner: the backend. Thread: one of its own; the library calls the loop from any of its threads, with its own
 * locks held. Errors: SL_ENOMEM, SL_EIO.
 *
 * It is not a shard's: the library waits in here where TLS makes it wait, and parses what comes.
 *
 * A connection ends on the loop's thread alone: whoever wants to end one cuts its socket. The library itself would close
 * the descriptor on the caller's thread, while the loop may be reading from it. By then it could be a
 * client's. */
#ifndef SL_BUS_NATS_LOOP_H
#define SL_BUS_NATS_LOOP_H

#include <nats/nats.h>

struct sl_nats_loop;

int sl_nats_loop_create(struct sl_nats_loop **out);

/* No connection may be left. NULL is allowed. */
void sl_nats_loop_destroy(struct sl_nats_loop *loop);

/* Connections that are made with these options are the loop's. Errors: SL_EINVAL. */
int sl_nats_loop_serve(struct sl_nats_loop *loop, natsOptions *options);

#define SL_NATS_LISTENERS_MAX 4

/* From now on `on_read` is called on the loop's thread when a connection has been read: what it brought lies in
 * the library's subscriptions, and no other thread needs to be woken for it. Before the first connection;
 * `arg` outlives the loop. */
void sl_nats_loop_listen(struct sl_nats_loop *loop, void (*on_read)(void *arg), void *arg);

/* Nobody is called any more, while no connection is read. */
void sl_nats_loop_ignore(struct sl_nats_loop *loop);

/* Any thread: shuts the connection's socket down, so that the loop sees its end and the library closes it there. NULL
 * is every connection. */
void sl_nats_loop_cut(struct sl_nats_loop *loop, const natsConnection *connection);

#endif
