/* The process that carries packets from one end of the link to the other.
 * Owner: see each. Thread: the carrying process has one; what it shares is atomic, and it alone
 * writes it, but for `cut`. Errors: none, it ends by a signal. */
#ifndef SL_BENCH_NETWORK_CARRIER_H
#define SL_BENCH_NETWORK_CARRIER_H

#include <stdatomic.h>

#include "bench/network/network.h"
#include "bench/results/histogram.h"

/* As in struct bench_network_count. */
enum bench_carrier_count {
	BENCH_PACKETS, BENCH_BYTES, BENCH_RETRANSMITTED_PACKETS, BENCH_RETRANSMITTED_BYTES,
	BENCH_LOST_PACKETS, BENCH_DROPPED_PACKETS, BENCH_CUT_PACKETS, BENCH_CARRIER_COUNTS,
};

/* In memory that is shared with the process. */
struct bench_network_shared {
	atomic_bool ready, cut;
	_Atomic uint64_t counts[BENCH_DIRECTIONS][BENCH_CARRIER_COUNTS];
	_Atomic uint64_t evicted_flows; /* whose retransmissions may have counted as new */
	/* How late packets left: its sums may be older than its counts. */
	struct bench_histogram late;
};

struct bench_carrier {
	const struct bench_network_kind *kind; /* borrows */
	struct bench_network_shared *shared;   /* borrows */
	int tuns[BENCH_DIRECTIONS]; /* where packets of that direction come in; owned by the process */
};

/* The link is to be like hardware beside the programs on its core: where the system allows it, the
 * calling process comes before them, and its timers are exact. */
void bench_carrier_take_precedence(void);

/* Never returns; `argument` is a struct bench_carrier. For bench_process_fork(). */
void bench_carrier_run(const void *argument);

#endif
