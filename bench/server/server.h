/* A server under measurement: one that was started, or a target that runs somewhere.
 * Owner: the caller's struct; stop ends what start began. Thread: one starts and stops it,
 * any connects. Errors: SL_EIO (errno says why), SL_ENOENT, SL_EINVAL (a URL). */
#ifndef SL_BENCH_SERVER_H
#define SL_BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "bench/server/process.h"

#define BENCH_FOLDER_MAX 64
#define BENCH_NAME_MAX 256
#define BENCH_HOST_MAX 280
#define BENCH_BASE_MAX 256

struct bench_network;
struct bench_peer;
struct bench_settings;
struct bench_signer;

struct bench_server {
	const struct bench_peer *peer;
	struct bench_process process; /* pid 0: its CPU and memory cannot be seen */
	bool is_target;               /* not ours to stop */
	bool tls;
	char ca_path[BENCH_FOLDER_MAX + 16]; /* PEM, what its certificate is trusted by; "": the settings say */
	const struct bench_network *network; /* borrows: it is behind it; NULL: on loopback */
	const char *ip;               /* where it listens, as text; NULL for a target */
	uint16_t port;                /* on `ip`; of a target its own */
	struct bench_signer *signer;  /* owns: of the tokens that clients carry; NULL: they carry none */
	char *authorization;          /* owns: the field of most requests, with its line's end; NULL: none */
	char name[BENCH_NAME_MAX];    /* of the host, or its address, for certificates */
	char host[BENCH_HOST_MAX];    /* as the field Host says it */
	char base[BENCH_BASE_MAX];    /* before each path, without a slash at its end */
	struct sockaddr_storage address;
	socklen_t address_len;
	uint16_t publish_port;        /* on 127.0.0.1, where publish_burst goes; 0: to address */
	char folder[BENCH_FOLDER_MAX]; /* owns: for its files, removed at stop */
};

/* Starts `peer` in a folder of its own and waits until it accepts connections. With a network it
 * is started in the server's namespace, and the calling thread is in the generator's from then
 * on, with whatever it starts. */
int bench_server_start(struct bench_server *server, const struct bench_peer *peer,
	const struct bench_settings *settings, const struct bench_network *network);

/* Makes `server` the gateway that runs at settings->target (http or https). */
int bench_server_use_target(struct bench_server *server, const struct bench_peer *peer,
	const struct bench_settings *settings);

/* Ends the process, if there is one of ours. */
void bench_server_stop(struct bench_server *server);

/* What stands in each request of a client that has no token of its own: `authorization`, or "". */
const char *bench_server_authorization(const struct bench_server *server);

/* A blocking connection to the server, then made non-blocking; -1 with errno. */
int bench_server_connect(const struct bench_server *server);

/* Makes a listening socket on a free port of 127.0.0.1; -1 with errno. */
int bench_listen(uint16_t *port);

#endif
