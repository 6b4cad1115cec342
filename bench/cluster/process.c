#include "bench/cluster/process.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/server/nats.h"

#define FAILURES_MAX 3
#define AGAIN_MS 1000 /* one that ended by itself */
#define STOP_MS 4000

void
cluster_process_add(struct cluster_process *process, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, format);
	int len = process->argument_count < CLUSTER_ARGUMENTS ? vasprintf(&text, format, args) : -1;
	va_end(args);
	if (len < 0) {
		fprintf(stderr, "sluice-cluster: there are too many arguments, or memory is out\n");
		exit(1);
	}
	process->argv[process->argument_count++] = text;
}

/* As a power cut does: without a word. Only a child of ours that has not been waited for, so its number is its
 * own. */
static void
kill_now(struct cluster_process *process)
{
	kill(process->child.pid, SIGKILL);
	sl_child_stop(&process->child, STOP_MS);
}

static void
start(struct cluster_process *process, uint64_t now_ms)
{
	process->next_start_ms = now_ms + AGAIN_MS;
	if (sl_child_start(&process->child, process->argv, false) != 0) {
		fprintf(stderr, "sluice-cluster: cannot start %s; it tries again\n", process->argv[0]);
		return;
	}
	sl_cluster_count_start(process->node);
	sl_cluster_set_state(process->node, SL_CLUSTER_STARTING);
}

bool
cluster_process_is_hopeless(const struct cluster_process *process)
{
	return process->failures >= FAILURES_MAX;
}

bool
cluster_process_run(struct cluster_process *process, uint64_t now_ms)
{
	bool is_wanted = sl_cluster_is_wanted(process->node), has_ended = false;
	int status;
	if (sl_child_has_ended(&process->child, &status)) {
		fprintf(stderr, "sluice-cluster: %s has ended with status 0x%x\n", sl_cluster_name(process->node),
			(unsigned)status);
		process->failures += !process->was_ready;
		has_ended = true;
	}
	if (!is_wanted && process->child.pid != 0) {
		kill_now(process);
		has_ended = true;
	}
	if (has_ended)
		sl_cluster_set_state(process->node, SL_CLUSTER_DOWN);
	if (is_wanted && process->child.pid == 0 && now_ms >= process->next_start_ms)
		start(process, now_ms);
	return has_ended;
}

bool
cluster_process_look(struct cluster_process *process)
{
	bool is_gateway = sl_cluster_kind(process->node) == SL_CLUSTER_GATEWAY;
	uint16_t port = is_gateway ? sl_cluster_port(process->node) : process->monitor;
	unsigned status = 0;
	if (process->child.pid == 0)
		return false;
	enum sl_cluster_state state = SL_CLUSTER_STARTING;
	if (bench_nats_ask(port, is_gateway ? "/readyz" : "/healthz", &status, NULL) == 0)
		state = status == 200 ? SL_CLUSTER_READY : SL_CLUSTER_AWAY;
	/* A NATS server is not well either until it has found the others. */
	if (!is_gateway && !process->was_ready && state == SL_CLUSTER_AWAY)
		state = SL_CLUSTER_STARTING;
	sl_cluster_set_state(process->node, state);
	bool is_first = state == SL_CLUSTER_READY && !process->was_ready;
	process->was_ready |= is_first;
	return is_first;
}

void
cluster_process_stop(struct cluster_process *process)
{
	sl_child_stop(&process->child, STOP_MS);
	while (process->argument_count > 0)
		free(process->argv[--process->argument_count]);
}
