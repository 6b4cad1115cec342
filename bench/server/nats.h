/* NATS servers that are started here: where the program is, ports, configurations, and what a server says of
 * itself over its monitoring port.
 * Owner: the caller's structs; whoever starts a server ends it. Thread: one at a time. Errors: SL_EIO with errno,
 * SL_ENOENT (no such program or ports), SL_EPROTO (an answer of another form), SL_EAGAIN (none in time). */
#ifndef SL_BENCH_NATS_H
#define SL_BENCH_NATS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_NATS_MAX 5

/* One of a cluster's servers. */
struct bench_nats_place {
	uint16_t client, monitor, cluster; /* on 127.0.0.1 */
};

/* The path of nats-server: $NATS_SERVER, or the first in PATH or in Debian's folders; NULL: there is none. Borrowed
 * from a static. */
const char *bench_nats_find(void);

/* A free port of 127.0.0.1, which another program may take before it is used; 0 with errno. */
uint16_t bench_nats_free_port(void);

/* Chooses free ports for `count` servers. */
int bench_nats_choose(struct bench_nats_place *places, unsigned count);

/* Writes the configuration of the nth (of `count`, named n1, n2, ...) to `path`; its store and its log are
 * `path` with .store and .log behind. One alone has no cluster. `file_bytes`: what its streams may reserve. */
int bench_nats_write(const struct bench_nats_place *places, unsigned count, unsigned n, const char *path,
	uint64_t file_bytes);

/* Starts the nth of `count` in `folder`, on any core. Read its health until it is ready. */
struct bench_process;
int bench_nats_start(struct bench_process *process, const struct bench_nats_place *places, unsigned count,
	unsigned n, const char *folder, uint64_t file_bytes);

/* Waits until all of them say that they are well. Errors: SL_EAGAIN. */
int bench_nats_await(const struct bench_nats_place *places, unsigned count, uint64_t limit_ms);

/* The places as --nats takes them, comma-separated. */
void bench_nats_format_urls(const struct bench_nats_place *places, unsigned count, char *out, size_t size);

/* GET on 127.0.0.1; `*status` is the answer's. Returns new in `*out` (NULL: the body is no JSON) unless `out` is
 * NULL. */
int bench_nats_ask(uint16_t port, const char *path, unsigned *status, json_t **out);

/* The name of the server that leads the stream, as the one at `monitor` knows it; an empty text: nobody. */
int bench_nats_find_leader(uint16_t monitor, const char *stream, char *name, size_t size);

#endif
