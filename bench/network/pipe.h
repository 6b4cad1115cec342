/* One direction of a link: a queue of bounded size before a rate, then a delay with jitter in which
 * no packet overtakes another, and packets lost by chance. It is told what time it is.
 * Owner: the caller's struct, between init and finish. Thread: one. Errors: SL_ENOMEM. */
#ifndef SL_BENCH_NETWORK_PIPE_H
#define SL_BENCH_NETWORK_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/network/network.h"

#define BENCH_MTU 1500          /* bytes of the largest packet */
#define BENCH_PIPE_PACKETS 32768 /* on their way in one direction; more are dropped */

struct bench_packet {
	uint64_t due_ns; /* when the other end gets it */
	uint16_t len;
	unsigned char bytes[BENCH_MTU];
};

struct bench_pipe {
	uint64_t delay_ns, jitter_ns; /* one way; jitter is the most that is added */
	double loss, byte_ns;         /* share of packets; time of a byte, 0 without a rate */
	uint64_t queue_bytes;         /* that may wait for the rate */
	bool is_cut;                  /* the owner's switch */
	uint64_t chance;              /* state of the generator */
	uint64_t free_ns;             /* when the rate will have sent what it has taken */
	uint64_t last_due_ns;
	struct bench_packet *packets; /* owns: a ring of BENCH_PIPE_PACKETS */
	unsigned first, count;
};

enum bench_pipe_fate { BENCH_PIPE_TAKEN, BENCH_PIPE_CUT, BENCH_PIPE_LOST, BENCH_PIPE_DROPPED };

int bench_pipe_init(struct bench_pipe *pipe, const struct bench_network_kind *kind,
	enum bench_direction direction);
void bench_pipe_finish(struct bench_pipe *pipe);

/* A packet of `len` <= BENCH_MTU bytes enters. A lost one is lost before the queue and takes no
 * part of the rate. Chance is drawn for each packet, also while the link is cut: what becomes of
 * the nth is fixed by the seed. */
enum bench_pipe_fate bench_pipe_push(struct bench_pipe *pipe, uint64_t now_ns, const void *bytes,
	size_t len);

/* Returns borrowed: the packet at the front when it is due, until pop; NULL before. */
const struct bench_packet *bench_pipe_due(const struct bench_pipe *pipe, uint64_t now_ns);
void bench_pipe_pop(struct bench_pipe *pipe);

/* When the front is due; UINT64_MAX when nothing is on its way. */
uint64_t bench_pipe_due_ns(const struct bench_pipe *pipe);

#endif
