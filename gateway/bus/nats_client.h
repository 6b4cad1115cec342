/* Client: one connection to one server of NATS, over a loop of our own.
 * Owner: the backend's worker. Thread: the worker's; is_open from any. Errors: SL_EINVAL and a sentence, for a
 * refusal by a file or the server; SL_EIO and a sentence, for an unreachable server; SL_ENOMEM.
 *
 * The library never reconnects by itself: it would keep publishes and send them late, without reporting this.
 * When a connection ends or is left, the worker makes another client at the next server. The library does not
 * ping either: it would close the socket on a thread of its own while the loop reads it. The worker's own
 * questions show whether a server lives. */
#ifndef SL_BUS_NATS_CLIENT_H
#define SL_BUS_NATS_CLIENT_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct sl_config;
struct sl_nats_client;
struct sl_nats_loop;

#define SL_NATS_SHOWN_SIZE 320
#define SL_NATS_CONNECT_MS 3000 /* for a connection with its handshakes */

struct sl_nats_client {
	natsConnection *connection; /* NULL before it is connected */
	jsCtx *js;
	char shown[SL_NATS_SHOWN_SIZE]; /* the server, without the login */
};

/* For the server `index` of `config->nats`; `config` is not used after this returns. */
int sl_nats_client_create(struct sl_nats_client **out, struct sl_nats_loop *loop,
	const struct sl_config *config, size_t index, char *error, size_t error_size);

/* Call it once. It blocks for at most SL_NATS_CONNECT_MS, and for a look-up of the name. */
int sl_nats_client_connect(struct sl_nats_client *client, char *error, size_t error_size);

/* No other code may use the connection any more. NULL is allowed. */
void sl_nats_client_destroy(struct sl_nats_client *client);

/* False before there is a connection, after its end, and after the server has announced its end. */
bool sl_nats_client_is_open(const struct sl_nats_client *client);

/* Ends the connection: calls of the library that wait for it return. The client stays. */
void sl_nats_client_cut(struct sl_nats_client *client);

/* Any thread: makes sl_nats_client_connect(), which runs on `thread`, fail soon, except in the look-up of a
 * name. */
void sl_nats_client_interrupt(pthread_t thread);

#endif
