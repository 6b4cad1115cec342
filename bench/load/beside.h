/* A publisher beside the server: its connection is made in the server's namespace, so that no
 * publish crosses the link and what is measured is the way from the server to its clients.
 * Owner: the caller's struct; close ends the connection. Thread: one at a time.
 * Errors: those of load/stream.h and load/http.h, SL_EAGAIN (no answer in time), SL_EBACKEND (the
 * publish was refused). */
#ifndef SL_BENCH_BESIDE_H
#define SL_BENCH_BESIDE_H

#include <stdint.h>

#include "bench/load/http.h"
#include "bench/load/stream.h"

struct bench_network;

struct bench_beside {
	const struct bench_server *server;
	struct bench_stream stream;
	struct bench_http http;
	struct sl_buffer request; /* owns */
};

/* For a server on a network. The thread is in the generator's namespace before and after. */
int bench_beside_open(struct bench_beside *beside, const struct bench_server *server);
void bench_beside_close(struct bench_beside *beside);

/* Publishes message `seq` with a payload of `len` bytes (at most BENCH_BESIDE_PAYLOAD_MAX) to
 * `channel`, and waits for the answer, which takes some tens of microseconds. */
#define BENCH_BESIDE_PAYLOAD_MAX 1024
int bench_beside_publish(struct bench_beside *beside, const char *channel, uint32_t seq, size_t len);

#endif
