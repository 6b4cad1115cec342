/* A network between server and generator: two network namespaces, and a process that carries
 * packets from one to the other with the delay, jitter, loss, rate and queue of its kind.
 * Owner: the caller's struct; close ends the process and lets the namespaces go. Thread: the one
 * that opened it, but for the calls that say any. Errors: SL_EPERM-like ones are told as a message:
 * bench_network_missing() says why there can be no networks here. */
#ifndef SL_BENCH_NETWORK_H
#define SL_BENCH_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/server/process.h"

#define BENCH_NETWORK_NAME_MAX 96
#define BENCH_NETWORK_SERVER "10.97.0.1" /* the server's address */
#define BENCH_NETWORK_CLIENT "10.97.0.2" /* the generator's */

/* How a network behaves. Up is from the generator to the server. */
struct bench_network_kind {
	char name[BENCH_NETWORK_NAME_MAX]; /* "4g", or as it was asked for: "rtt=40,loss=0.5" */
	double rtt_ms;                     /* both ways together, without queueing */
	double jitter_ms;                  /* of the round trip, up to so much more; never reorders */
	double loss;                       /* share of packets lost in each direction, 0..1 */
	double down_mbit, up_mbit;         /* Mbit/s of IP packets; 0: no limit */
	unsigned queue_bytes;              /* of each direction's bounded queue before the rate */
	uint64_t seed;                     /* of loss and jitter */
};

enum bench_direction { BENCH_DOWN, BENCH_UP, BENCH_DIRECTIONS };

/* What passed the link since it was opened. Bytes are those of IP packets, as they entered the
 * link; retransmitted: TCP payload bytes' packets that carried nothing new. */
struct bench_network_count {
	uint64_t packets, bytes;
	uint64_t retransmitted_packets, retransmitted_bytes; /* among them */
	uint64_t lost_packets;    /* by the loss that was asked for */
	uint64_t dropped_packets; /* by the full queue */
	uint64_t cut_packets;     /* while it was cut */
};

struct bench_network {
	struct bench_network_kind kind;
	int server_ns, client_ns, home_ns;  /* owns: namespaces */
	struct bench_process process;       /* that carries */
	struct bench_network_shared *shared; /* owns: counters and the switch */
};

/* NULL when networks can be made here, else why not. */
const char *bench_network_missing(void);

/* The networks there are by name, ended by one without a name. */
extern const struct bench_network_kind bench_network_kinds[];

/* Reads the name of a network, or "rtt=MS[,jitter=MS][,loss=PERCENT][,rate=MBIT[/MBIT]]" (down/up).
 * Errors: SL_EINVAL, `*why` says what is wrong with it. */
int bench_network_parse(struct bench_network_kind *kind, const char *text, const char **why);

/* Makes the namespaces and starts the process on `core`. */
int bench_network_open(struct bench_network *network, const struct bench_network_kind *kind, int core);
void bench_network_close(struct bench_network *network);

/* A link between two TUN devices that there are, with addresses and routes that somebody else gives
 * them: places as bench_space_attach() has them. There is nothing to enter then. */
int bench_network_join(struct bench_network *network, const struct bench_network_kind *kind,
	const char *server, const char *client, int core);

/* Moves the calling thread (threads and children that it starts from then on follow) into the
 * generator's namespace, the server's, or back home. Any thread. */
int bench_network_enter_client(const struct bench_network *network);
int bench_network_enter_server(const struct bench_network *network);
int bench_network_leave(const struct bench_network *network);

/* While it is cut, every packet is lost, in both directions. Any thread. */
void bench_network_cut(struct bench_network *network, bool cut);

/* Any thread. */
void bench_network_count_now(const struct bench_network *network,
	struct bench_network_count out[BENCH_DIRECTIONS]);

/* CPU time of the carrying process in ns, and how late it delivered packets, p99 in ns. */
uint64_t bench_network_cpu_ns(const struct bench_network *network);
uint64_t bench_network_late_p99_ns(const struct bench_network *network);

/* Flows forgotten since more of them passed than the link remembers; what they retransmit next may
 * have counted as new. */
uint64_t bench_network_evicted_flows(const struct bench_network *network);

#endif
