/* What the peers share whose clients speak Engine.IO (peer->engine_io is their path), bare or with Socket.IO
 * inside: the same requests and the same bytes, whoever answers.
 * Engine.IO protocol 4 (https://github.com/socketio/engine.io-protocol) below Socket.IO
 * protocol 5 (https://github.com/socketio/socket.io-protocol): packet 0 opens the session, 40
 * connects to the namespace, 42 is an event, 2 and 3 are ping and pong; a polling answer holds
 * several packets with a record separator between them. Over a WebSocket the pings, one every
 * 25 s, stay unanswered; the server gives up 20 s later, after any measurement has ended.
 * Owner: as in bench/peer.h. Thread: any. Errors: SL_EPROTO. */
#ifndef SL_BENCH_PEERS_ENGINEIO_H
#define SL_BENCH_PEERS_ENGINEIO_H

#include "bench/peer.h"

/* The slots of struct bench_peer for clients of Socket.IO; the channel goes in the auth object. */
void bench_socketio_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor);
int bench_socketio_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX]);
int bench_socketio_converse(struct sl_buffer *out, enum bench_transport transport,
	const char *channel, unsigned *step, const char *bytes, size_t len);

/* The same for bare Engine.IO; the channel goes in the query of each request. */
void bench_engineio_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor);
int bench_engineio_take_cursor(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX]);

/* Appends one text frame of a client (RFC 6455, section 5.2), masked with zeros; up to 125 bytes. */
void bench_engineio_append_frame(struct sl_buffer *out, const char *packet);

/* Appends the request for a WebSocket on which the session of `cursor` goes on; "" for one of its own. */
void bench_engineio_append_upgrade(struct sl_buffer *out, const struct bench_server *server,
	const char *cursor);

#endif
