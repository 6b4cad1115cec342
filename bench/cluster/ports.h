/* Ports: where the gateways of a cluster listen. Each needs a block: its own, its lanes' and its obstacle's behind.
 * Owner: none. Thread: one. Errors: SL_ENOENT, no such ports are free. */
#ifndef SL_BENCH_CLUSTER_PORTS_H
#define SL_BENCH_CLUSTER_PORTS_H

#include <stdint.h>

#define CLUSTER_PORTS_APART 10

/* The first port of the first of `gateways` blocks, CLUSTER_PORTS_APART apart, all free now: `wanted`, or where that
 * is 0 any. */
int cluster_ports_choose(uint16_t wanted, unsigned gateways, uint16_t *first);

#endif
