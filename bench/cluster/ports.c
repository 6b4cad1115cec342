#include "bench/cluster/ports.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/server/nats.h"
#include "util/err.h"

#define A_GATEWAY 9 /* its own, six lanes, the obstacle and its control */
#define TRIES 100

static bool
is_free(unsigned port)
{
	int on = 1, fd = port <= UINT16_MAX ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool is_bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return is_bound;
}

static bool
are_free(unsigned first, unsigned gateways)
{
	for (unsigned i = 0; i < gateways * CLUSTER_PORTS_APART; i++)
		if (i % CLUSTER_PORTS_APART < A_GATEWAY && !is_free(first + i))
			return false;
	return true;
}

int
cluster_ports_choose(uint16_t wanted, unsigned gateways, uint16_t *first)
{
	for (int i = 0; i < (wanted ? 1 : TRIES); i++) {
		*first = wanted ? wanted : bench_nats_free_port();
		if (*first && are_free(*first, gateways))
			return 0;
	}
	return SL_ENOENT;
}
