/* Addresses: what HOST:PORT stands for, one name's all, and sockets that listen there.
 * Owner: values. Thread: any. Errors: SL_EINVAL, SL_EIO with errno. */
#ifndef SL_BENCH_OBSTACLE_ADDRESS_H
#define SL_BENCH_OBSTACLE_ADDRESS_H

#include <sys/socket.h>

#define OB_ADDRESSES_MAX 8 /* of a name; more are left out */

struct ob_address {
	struct sockaddr_storage sockaddr;
	socklen_t len;
};

struct ob_addresses {
	struct ob_address list[OB_ADDRESSES_MAX]; /* all of one port */
	unsigned count;
};

/* PORT (on 127.0.0.1), HOST:PORT or [v6]:PORT, the port being digits. localhost is 127.0.0.1 and
 * ::1, as for the gateway. Errors: SL_EINVAL, `*why` says what is wrong. */
int ob_addresses_parse(struct ob_addresses *addresses, const char *text, const char **why);

/* Opens a listening socket that does not block at each address, all at one port; addresses that
 * this machine does not have are passed over. `*count` is how many there are. Errors: SL_EIO. */
int ob_addresses_listen(const struct ob_addresses *addresses, int fds[OB_ADDRESSES_MAX],
	unsigned *count);

#endif
