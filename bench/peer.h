/* The contract of a server that the bench can measure: how to start it, how to subscribe,
 * how to publish. Each is one const table in one file of bench/peers/.
 * Owner: static tables. Thread: any once the server runs, but for start.
 * Errors: start returns SL_ENOENT, SL_EIO or SL_EPROTO; texts that cannot grow set their
 * buffer's `failed`. */
#ifndef SL_BENCH_PEER_H
#define SL_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/answer.h"
#include "bench/server/server.h"
#include "bench/server/signer.h"
#include "util/buffer.h"

struct bench_settings;

/* The same names in the same order as everywhere (bench_transport_names). */
enum bench_transport {
	BENCH_WEBSOCKET, BENCH_SSE, BENCH_STREAM, BENCH_LONGPOLL, BENCH_POLL, BENCH_TRANSPORT_COUNT
};
#define BENCH_HAS(transport) (1u << (transport))
#define BENCH_HAS_ALL ((1u << BENCH_TRANSPORT_COUNT) - 1)

extern const char *const bench_transport_names[BENCH_TRANSPORT_COUNT];

#define BENCH_CURSOR_MAX 128

/* The fields of a WebSocket's request (RFC 6455, section 4.1). */
#define BENCH_UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* The body of an answer that take_cursor sees: at most its first bytes. */
#define BENCH_BODY_KEPT 512

struct bench_peer {
	const char *name;

	/* BENCH_HAS of each transport it can be subscribed by. */
	unsigned transports;

	/* Per transport: why it is not among these although the peer has it. NULL: it has not. */
	const char *left_out[BENCH_TRANSPORT_COUNT];

	/* It speaks TLS, with a certificate of its own. Measured only where it is asked for. */
	bool tls;

	/* Its clients need a token of this kind. Measured only where it is asked for. */
	enum bench_algorithm algorithm;

	/* Measured only where it is named, or by --clients. */
	bool by_name;

	/* Shards of a gateway; 0: one. */
	unsigned shards;

	/* The path at which its clients speak Engine.IO; NULL: they do not. `upgrades`: a session that began
	 * on polling goes on over a WebSocket, and namespaces are connected on it. */
	const char *engine_io;
	bool upgrades;

	/* What messages are called that a gateway's clients know by names; NULL: nothing. */
	const char *event;

	/* It answers the request of a subscriber, and does no more. */
	bool only_opens;

	/* Mandatory: NULL when the peer can be run here, else what is missing. */
	const char *(*missing)(const struct bench_settings *settings);

	/* Its version into `out`, in a few words; NULL, or nothing written: not known. */
	void (*version)(const struct bench_settings *settings, char *out, size_t size);

	/* Mandatory: starts the process in server->folder (exists, is empty) and fills in
	 * process and port, and publish_port if it is another. The caller waits until the port
	 * accepts. */
	int (*start)(struct bench_server *server, const struct bench_settings *settings);

	/* Asked again and again once the port accepts. NULL: then it is ready. */
	bool (*is_ready)(const struct bench_server *server);

	/* Mandatory: appends the request that subscribes to `channel`; `cursor` is "" at first
	 * and later, for polls, what take_cursor left. */
	void (*subscribe)(struct sl_buffer *out, const struct bench_server *server,
		enum bench_transport transport, const char *channel, const char *cursor);

	/* Mandatory for peers with polls: from `cursor`, as it was for the request that got
	 * `answer`, to the one of the next request. Returns 1 when the subscriber is open with
	 * it, 0 when more requests open it first (a session to be made, say).
	 * Errors: SL_EPROTO. */
	int (*take_cursor)(const struct bench_answer *answer, char cursor[BENCH_CURSOR_MAX]);

	/* It resumes behind a cursor on every transport (`subscribe` takes channels with commas
	 * between, and the cursor "0" for all that history holds), and its messages and cursors
	 * look like Sluice's json format. */
	bool resumes;

	/* Per transport: the text after which a subscriber is known to be open. For polls any
	 * text says that the first answer comes at once, NULL that the first request is held. */
	const char *opened[BENCH_TRANSPORT_COUNT];

	/* For streams that open by a dialogue, instead of `opened`: `bytes` came; appends what is
	 * to be said to them. `*step` is 0 at first and its own. Returns 1 when the subscriber is
	 * open, 0 when more has to come. Errors: SL_EPROTO. NULL: no dialogue. */
	int (*converse)(struct sl_buffer *out, enum bench_transport transport, const char *channel,
		unsigned *step, const char *bytes, size_t len);

	/* Appends a small GET that is answered at once, with a Content-Length or chunked; NULL:
	 * there is none. `closing` asks for the connection to be closed after it. */
	void (*request)(struct sl_buffer *out, const struct bench_server *server, bool closing);

	/* It can be started so that it compresses messages of any size (settings->compresses), for websockets that
	 * offer permessage-deflate. It is published to by PROTOCOL.md. */
	bool compresses;

	/* It serves the files below settings->web_folder. */
	bool serves_page;

	/* Where its own byte counters are, as Sluice's /stats gives them; NULL: nowhere. */
	const char *stats_path;

	/* Where its metrics are, in Prometheus' text format; NULL: nowhere. */
	const char *metrics_path;

	/* Appends a POST of one payload of `len` bytes over a connection that stays. NULL: it is
	 * published to by publish_burst alone. */
	void (*publish)(struct sl_buffer *out, const struct bench_server *server,
		const char *channel, const char *payload, size_t len);

	/* Appends `count` payloads of `len` bytes, one after another in `payloads`, for one
	 * write. Returns how many answers it will get. NULL: publish, `count` times. */
	unsigned (*publish_burst)(struct sl_buffer *out, const struct bench_server *server,
		const char *channel, const char *payloads, size_t len, unsigned count);

	/* Appends what opens the connection of publish_burst; the texts that tell of it being
	 * open and of one good answer (NULL where there are none). NULL: it is a plain HTTP
	 * connection. */
	void (*open_burst)(struct sl_buffer *out, const struct bench_server *server);
	const char *burst_opened, *burst_answer;
};

static inline bool
bench_peer_has(const struct bench_peer *peer, enum bench_transport transport)
{
	return peer->transports & BENCH_HAS(transport);
}

/* Ended by NULL, in the order in which they are shown; without bench_peer_against. */
extern const struct bench_peer *const bench_peers[];
extern const struct bench_peer bench_peer_against, bench_peer_floor, bench_peer_floor_open, bench_peer_nchan,
	bench_peer_pushpin, bench_peer_sluice, bench_peer_sluice_4, bench_peer_sluice_eddsa,
	bench_peer_sluice_engineio, bench_peer_sluice_es256, bench_peer_sluice_hs256,
	bench_peer_sluice_rs256, bench_peer_sluice_socketio, bench_peer_sluice_socketio_4,
	bench_peer_sluice_tls, bench_peer_socketio, bench_peer_ws;

/* Sluice with tokens of this kind; without any, of BENCH_NO_ALGORITHM. */
extern const struct bench_peer *const bench_peers_by_algorithm[BENCH_ALGORITHM_COUNT];

#endif
