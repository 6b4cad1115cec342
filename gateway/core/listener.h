/* Listener: one address, a socket for each shard.
 * Owner: the app. Thread: open and finish on main's, accept on the shard's. Errors:
 * SL_EIO with errno.
 *
 * Each shard has a listening socket of its own, so that the kernel spreads connections
 * and no lock is shared. The first binds without SO_REUSEPORT and sets it afterwards, its
 * siblings bind with it: a second gateway on the port gets EADDRINUSE instead of half the
 * clients, here or when it is to listen. Unix sockets and those that systemd passed are one descriptor in all shards. */
#ifndef SL_CORE_LISTENER_H
#define SL_CORE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "config/listen_address.h"

struct sl_listener {
	struct sl_listen_address address; /* with the real port */
	int *fds;                         /* owns; one a shard, or one for all */
	unsigned count;
	bool is_shared;
	bool unlink_path; /* a Unix socket of our own making */
	bool is_secure;   /* whoever opened it says so: its clients speak TLS */
	bool is_admin;    /* the same: it is for admins */
};

/* Binds. Nobody can connect before sl_listener_listen(), but to a Unix socket: its clients wait, as those of sockets
 * that systemd passed. */
int sl_listener_open(struct sl_listener *listener, const struct sl_listen_address *address,
	unsigned shards);

/* Whether a program could listen on this port of 127.0.0.1 now; any number may be asked. */
bool sl_listener_port_is_free(unsigned port);

/* From now on clients can connect. Errors: EADDRINUSE too, another program was quicker. */
int sl_listener_listen(const struct sl_listener *listener);

/* Opens `listeners`, one at each of `count` addresses that one name has, all at one port: where
 * that is 0, at one that is free at each. An address that this machine does not have (no IPv6,
 * say) is passed over, its listener has a `count` of 0 then. Errors: also SL_EIO where no address is
 * there; nothing is open then, and `*failed` is the place of the one that it was. */
int sl_listener_open_name(struct sl_listener *listeners, const struct sl_listen_address *addresses,
	size_t count, unsigned shards, size_t *failed);

/* Takes a descriptor that listens already (systemd). Errors: also SL_EINVAL, not such. */
int sl_listener_adopt(struct sl_listener *listener, int fd);

/* Stops listening; a Unix socket's path is removed. */
void sl_listener_finish(struct sl_listener *listener);

/* The shard's descriptor. */
int sl_listener_get_fd(const struct sl_listener *listener, unsigned shard);

/* Accepts one connection: returns its descriptor, which does not block, or -1 with errno (EAGAIN:
 * none waits). */
int sl_listener_accept(const struct sl_listener *listener, unsigned shard,
	struct sockaddr_storage *peer);

#endif
