/* Plain requests on a few connections that are kept: one under way on each, answered in any order.
 * Owner: the caller's struct; finish closes the connections. Thread: one at a time.
 * Errors: those of load/stream.h and load/http.h, SL_EAGAIN (no answer in time). */
#ifndef SL_BENCH_EXCHANGES_H
#define SL_BENCH_EXCHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/load/http.h"
#include "bench/load/stream.h"
#include "bench/load/wait.h"

struct bench_run;
struct bench_tls;

struct bench_exchange {
	struct bench_stream stream; /* fd -1: no connection */
	struct bench_http http;
	size_t body_len;            /* of the answer, so far */
	bool waiting;               /* a request is under way */
};

struct bench_exchanges {
	const struct bench_server *server;
	struct bench_tls *tls;       /* owns; NULL: plain */
	struct bench_exchange *list; /* owns */
	unsigned count;
	struct bench_wait wait;
	int epoll;                   /* owns */
	char *input;                 /* owns */
};

/* Opens nothing yet. Errors: SL_EINVAL too (the CA file). */
int bench_exchanges_init(struct bench_exchanges *exchanges, const struct bench_run *run,
	unsigned count);
void bench_exchanges_finish(struct bench_exchanges *exchanges);

/* Sends a request on connection `index`, which has none under way, and opens it if need be. */
int bench_exchanges_ask(struct bench_exchanges *exchanges, unsigned index, const char *request,
	size_t len);

/* Waits for the next answer that is whole, and tells on which connection: its http and body_len
 * are those of the answer until the next request there. */
int bench_exchanges_await(struct bench_exchanges *exchanges, unsigned *index);

/* Closes all connections; requests that are under way are forgotten. */
void bench_exchanges_close(struct bench_exchanges *exchanges);

#endif
