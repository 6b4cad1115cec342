/* What the peers on Node.js share: the servers of bench/peers/node, installed by
 * `make peers`, tell their port on standard output.
 * Owner: as in bench/peer.h. Thread: the one that starts servers.
 * Errors: SL_ENOENT, SL_EIO, SL_ECLOSED, SL_EPROTO. */
#ifndef SL_BENCH_PEERS_NODE_H
#define SL_BENCH_PEERS_NODE_H

#include <stddef.h>

#include "bench/peer.h"

/* NULL when Node.js and the npm package `package` are there, else what is missing. */
const char *bench_node_missing(const struct bench_settings *settings, const char *package);

/* "ws 8.23.0", or nothing when it cannot be read. */
void bench_node_version(const struct bench_settings *settings, const char *package,
	char *out, size_t size);

/* Runs `script` of the folder. */
int bench_node_start(struct bench_server *server, const struct bench_settings *settings,
	const char *script);

/* Appends the POST that all of them take. */
void bench_node_publish(struct sl_buffer *out, const struct bench_server *server,
	const char *channel, const char *payload, size_t len);

/* Appends the GET that all of them answer. */
void bench_node_request(struct sl_buffer *out, const struct bench_server *server, bool closing);

#endif
