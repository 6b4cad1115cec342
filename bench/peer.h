/* The contract of a server that the bench can measure: how to start it, how to subscribe,
 * how to publish. Each is one const table in one file of bench/peers/.
 * Owner: static tables; a bench_server is the caller's. Thread: one at a time.
 * Errors: start returns SL_ENOENT, SL_EIO or SL_EPROTO; texts that cannot grow set their
 * buffer's `failed`. */
#ifndef SL_BENCH_PEER_H
#define SL_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "bench/answer.h"
#include "bench/process.h"
#include "util/buffer.h"

struct bench_options;

enum bench_transport { BENCH_WEBSOCKET, BENCH_SSE, BENCH_LONGPOLL, BENCH_TRANSPORT_COUNT };

#define BENCH_CURSOR_MAX 96
#define BENCH_FOLDER_MAX 64

struct bench_server {
	const struct bench_peer *peer;
	struct bench_process process;
	uint16_t port;                 /* on 127.0.0.1 */
	char folder[BENCH_FOLDER_MAX]; /* owns: for its files, removed at stop */
};

struct bench_peer {
	const char *name;

	/* Mandatory: NULL when the peer can be run here, else what is missing. */
	const char *(*missing)(const struct bench_options *options);

	/* Mandatory: starts the process in server->folder (exists, is empty) and fills in
	 * process and port. The caller waits until the port accepts. */
	int (*start)(struct bench_server *server, const struct bench_options *options);

	/* Mandatory: appends the request that subscribes to `channel`; `cursor` is "" at first
	 * and later, for a long-poll, what take_cursor left. */
	void (*subscribe)(struct sl_buffer *out, enum bench_transport transport,
		const char *channel, const char *cursor);

	/* Mandatory for peers with long-poll: the cursor of the next request, as a string. */
	void (*take_cursor)(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX]);

	/* Per transport: the text after which a subscriber is known to be open. For a
	 * long-poll any text says that the first answer comes at once. NULL: cannot be seen. */
	const char *opened[BENCH_TRANSPORT_COUNT];

	/* Mandatory: appends a POST of one payload over a connection that stays. */
	void (*publish)(struct sl_buffer *out, const char *channel, const char *payload);

	/* Appends `count` payloads, one after another in `payloads`, for one write. Returns
	 * how many answers it will get. NULL: publish, `count` times. */
	unsigned (*publish_burst)(struct sl_buffer *out, const char *channel,
		const char *payloads, unsigned count);

	/* What opens the connection of publish_burst, and the texts that tell of it being open
	 * and of one good answer. NULL: it is a plain HTTP connection. */
	const char *burst_request, *burst_opened, *burst_answer;
};

/* Ended by NULL, in the order in which they are shown. */
extern const struct bench_peer *const bench_peers[];
extern const struct bench_peer bench_peer_floor, bench_peer_nchan, bench_peer_sluice;

/* Starts `peer` in a folder of its own and waits until it accepts connections. */
int bench_server_start(struct bench_server *server, const struct bench_peer *peer,
	const struct bench_options *options);
void bench_server_stop(struct bench_server *server);

/* A blocking connection to the server, then made non-blocking; -1 with errno. */
int bench_server_connect(const struct bench_server *server);

/* Makes a listening socket on a free port of 127.0.0.1; -1 with errno. */
int bench_listen(uint16_t *port);

#endif
