/* Process: one of a cluster, run as the board says it should (demo/cluster.h).
 * Owner: the struct is the caller's; stop ends what run began. Thread: one, which outlives the processes.
 * Errors: none; what does not start is tried again. */
#ifndef SL_BENCH_CLUSTER_PROCESS_H
#define SL_BENCH_CLUSTER_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "demo/child.h"
#include "demo/cluster.h"

#define CLUSTER_ARGUMENTS 96
#define CLUSTER_TEXT (PATH_MAX + 32)

struct cluster_process {
	struct sl_cluster_node *node; /* borrows */
	struct sl_child child;
	char *argv[CLUSTER_ARGUMENTS + 1];
	unsigned argument_count;
	uint16_t monitor; /* of a NATS server */
	uint64_t next_start_ms;
	bool was_ready;
	unsigned failures; /* ends before it was ready for the first time */
};

/* Copies; ends the program without memory. */
void cluster_process_add(struct cluster_process *process, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One that ends again and again without ever having been ready will not do better. */
bool cluster_process_is_hopeless(const struct cluster_process *process);

/* Kills or starts it as the board wants, and notes whether it runs. Returns true when it was killed or has ended. */
bool cluster_process_run(struct cluster_process *process, uint64_t now_ms);

/* Asks it how it is and writes that on the board. Returns true when it became ready for the first time. */
bool cluster_process_look(struct cluster_process *process);

/* In order: SIGTERM, SIGKILL later. Frees the arguments. */
void cluster_process_stop(struct cluster_process *process);

#endif
