/* A nats-server of a test's own: one node with JetStream, on a port that the system chose, with its
 * store in a folder that goes with it.
 * Owner: the caller's struct, from start to stop. Thread: one at a time. Errors: SL_ENOENT (no such
 * program), SL_EIO (it does not come up). */
#ifndef SL_TESTS_NATS_SERVER_H
#define SL_TESTS_NATS_SERVER_H

#include <sys/types.h>

struct nats_server {
	pid_t pid; /* 0: does not run */
	char folder[64], url[64];
};

/* Returns when it takes connections. It is killed should the calling thread end before. */
int nats_server_start(struct nats_server *server);

/* Kills it, and removes its folder. Does nothing when it does not run. */
void nats_server_stop(struct nats_server *server);

/* SIGSTOP and SIGCONT: its sockets stay open, and nobody answers. */
void nats_server_pause(const struct nats_server *server);
void nats_server_resume(const struct nats_server *server);

#endif
