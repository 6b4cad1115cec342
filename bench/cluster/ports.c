#include "bench/cluster/ports.h"

#include <stdbool.h>

#include "bench/server/nats.h"
#include "core/listener.h"
#include "util/err.h"

#define A_GATEWAY 9 /* its own, six lanes, the obstacle and its control */
#define TRIES 100

static bool
are_free(unsigned first, unsigned gateways)
{
	for (unsigned i = 0; i < gateways * CLUSTER_PORTS_APART; i++)
		if (i % CLUSTER_PORTS_APART < A_GATEWAY && !sl_listener_port_is_free(first + i))
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
