/* A TCP echo through the link (RFC 862): a round trip as programs have it, for comparing with what
 * was asked of the link.
 * Owner: the caller. Thread: the listener's makes one for each connection, otherwise one. Errors:
 * SL_EIO (errno says why). */
#ifndef SL_BENCH_NETWORK_ECHO_H
#define SL_BENCH_NETWORK_ECHO_H

#include <jansson.h>
#include <stdint.h>

#define BENCH_ECHO_PORT 7
#define BENCH_ECHO_ROUNDS_MAX 10000

struct bench_echo {
	unsigned rounds;
	double connect_ms; /* of connect() */
	double round_ms[BENCH_ECHO_ROUNDS_MAX];
};

/* Returns new: a listening socket at the server's address, in the namespace of the thread. */
int bench_echo_listen(void);

/* Echoes what connections bring. Never returns. */
void bench_echo_serve(int listener);

/* From the client's namespace: connects and sends 64 bytes `rounds` times, each when those before
 * are back. */
int bench_echo_measure(struct bench_echo *echo, unsigned rounds);

/* Returns new: {connect_ms, rounds, min_ms, p50_ms, p90_ms, max_ms}. */
json_t *bench_echo_json(struct bench_echo *echo);

#endif
