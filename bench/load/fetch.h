/* One plain request over a new connection, waited for; for what is asked beside a
 * measurement.
 * Owner: the caller's. Thread: any. Errors: those of load/stream.h and load/http.h, SL_EPROTO
 * (a status that is not 200, or no JSON). */
#ifndef SL_BENCH_FETCH_H
#define SL_BENCH_FETCH_H

#include <jansson.h>

#include "bench/server/server.h"
#include "util/buffer.h"

struct bench_tls;

/* GET of `path` below the server's base; returns new in `*out`. `tls` is NULL for plain. */
int bench_fetch_json(const struct bench_server *server, struct bench_tls *tls, const char *path,
	json_t **out);

/* Appends the body of the same to `out`, with a NUL behind it. */
int bench_fetch_text(const struct bench_server *server, struct bench_tls *tls, const char *path,
	struct sl_buffer *out);

/* POST of a JSON `body` there; what the answer says is not kept. */
int bench_fetch_post(const struct bench_server *server, struct bench_tls *tls, const char *path,
	const char *body);

/* The value of a sample in Prometheus' text format; `name` with its labels as they stand there. False
 * when there is none. */
bool bench_metric_find(const char *text, const char *name, double *value);

#endif
