/* Which TCP segments carry nothing new: the highest sequence number that each flow has had.
 * Owner: the caller's struct; zeroed it is empty. Thread: one. Errors: none. A flow that finds no
 * room takes the place of the one that was silent longest, of the eight that it may be among; what
 * the evicted flow retransmits next counts as new, and `evicted` counts the evictions. */
#ifndef SL_BENCH_NETWORK_FLOWS_H
#define SL_BENCH_NETWORK_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_FLOW_SETS 1024
#define BENCH_FLOW_WAYS 8

/* One direction of a connection. */
struct bench_flow {
	uint32_t source, destination; /* addresses, as on the wire */
	uint32_t ports;               /* both, as on the wire */
	uint32_t first, highest;      /* sequence numbers: of the SYN, and behind the last byte seen */
	uint64_t used;                /* when it was last used, in packets; 0 for no flow */
};

struct bench_flows {
	struct bench_flow flows[BENCH_FLOW_SETS][BENCH_FLOW_WAYS];
	uint64_t packets, evicted;
};

/* Notes an IPv4 packet. Returns whether it is a TCP segment with a SYN, a FIN or data, all of which
 * this flow has had (RFC 9293, section 3.4). Segments without any of these are never counted, and
 * parts of IP fragments neither. */
bool bench_flows_is_repeat(struct bench_flows *flows, const unsigned char *packet, size_t len);

#endif
