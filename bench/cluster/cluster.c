/* sluice-cluster: three NATS servers and two gateways on loopback, for scripts/demo --cluster. It runs until SIGINT
 * or SIGTERM, and ends all that it started; should it be killed, the kernel ends them (demo/child.h). The gateways
 * and it share a board (demo/cluster.h), on which the page's buttons write what should run. */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/cluster/ports.h"
#include "bench/cluster/process.h"
#include "bench/server/nats.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/span.h"

#define NATS 3
#define GATEWAYS 2
#define ALL (NATS + GATEWAYS)
#define BUS "demo"
#define TURN_MS 50
#define LOOK_MS 250
#define FILE_BYTES (UINT64_C(256) << 20) /* the stream reserves twice the history's 32 MiB on each server */

struct cluster {
	char folder[PATH_MAX];
	uint16_t port;      /* of the first gateway */
	char **more;        /* of the gateways */
	struct bench_nats_place places[NATS];
	struct sl_cluster *board;
	struct cluster_process processes[ALL]; /* gateways first, as on the board */
	uint64_t next_look_ms;
};

static int
fail(const char *words, const char *about)
{
	fprintf(stderr, "sluice-cluster: %s%s\n", words, about);
	return -1;
}

/* ---- what is run ---- */

static int
find_gateway(char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	path[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 8 - path) > size)
		return SL_ENOENT;
	strcpy(slash + 1, "sluice");
	return access(path, X_OK) == 0 ? 0 : SL_ENOENT;
}

static void
describe_gateway(struct cluster *cluster, struct cluster_process *process, const char *program)
{
	char urls[256];
	bench_nats_format_urls(cluster->places, NATS, urls, sizeof urls);
	cluster_process_add(process, "%s", program);
	cluster_process_add(process, "--demo");
	cluster_process_add(process, "--demo-cluster=%s/board", cluster->folder);
	cluster_process_add(process, "--listen=127.0.0.1:%u", sl_cluster_port(process->node));
	cluster_process_add(process, "--backend=nats");
	cluster_process_add(process, "--nats=%s", urls);
	cluster_process_add(process, "--nats-bus=" BUS);
	cluster_process_add(process, "--secret=%s/secret", cluster->folder);
	cluster_process_add(process, "--history-total=32M");
	cluster_process_add(process, "--drain=1");
	cluster_process_add(process, "--log-level=warning");
	for (char **more = cluster->more; *more; more++)
		cluster_process_add(process, "%s", *more);
}

static int
describe_nats(struct cluster *cluster, unsigned n, const char *program)
{
	struct cluster_process *process = &cluster->processes[GATEWAYS + n];
	char path[PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/%s", cluster->folder, sl_cluster_name(process->node));
	process->monitor = cluster->places[n].monitor;
	cluster_process_add(process, "%s", program);
	cluster_process_add(process, "--config");
	cluster_process_add(process, "%s", path);
	return bench_nats_write(cluster->places, NATS, n, path, FILE_BYTES);
}

static int
make_board(struct cluster *cluster)
{
	static const char *const names[ALL] = { "a", "b", "n1", "n2", "n3" };
	char path[PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/board", cluster->folder);
	int err = sl_cluster_create(&cluster->board, path);
	for (unsigned i = 0; err == 0 && i < ALL; i++) {
		bool is_gateway = i < GATEWAYS;
		err = sl_cluster_add(cluster->board, names[i], is_gateway ? SL_CLUSTER_GATEWAY : SL_CLUSTER_NATS,
			is_gateway ? (uint16_t)(cluster->port + i * CLUSTER_PORTS_APART) :
			cluster->places[i - GATEWAYS].client);
		cluster->processes[i].node = sl_cluster_at(cluster->board, i);
	}
	return err;
}

static int
prepare(struct cluster *cluster, uint16_t wanted)
{
	static char gateway[PATH_MAX];
	const char *temporary = getenv("TMPDIR"), *nats = bench_nats_find();
	if (!nats)
		return fail("nats-server is not installed; run scripts/setup cluster", "");
	if (find_gateway(gateway, sizeof gateway) != 0)
		return fail("there is no program sluice beside this one; use the folder of the build", "");
	if (cluster_ports_choose(wanted, GATEWAYS, &cluster->port) != 0)
		return fail("the ports of the gateways are in use (each takes 9; the second begins 10 higher); use another first port "
			"with ", "--port N");
	snprintf(cluster->folder, sizeof cluster->folder, "%s/sluice-cluster.XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(cluster->folder))
		return fail("cannot make a temporary folder: ", strerror(errno));
	int err = bench_nats_choose(cluster->places, NATS);
	if (err == 0)
		err = make_board(cluster);
	for (unsigned i = 0; err == 0 && i < GATEWAYS; i++)
		describe_gateway(cluster, &cluster->processes[i], gateway);
	for (unsigned n = 0; err == 0 && n < NATS; n++)
		err = describe_nats(cluster, n, nats);
	return err == 0 ? 0 : fail("cannot prepare the servers: ", sl_strerror(err));
}

/* ---- running ---- */

/* Two gateways may have been told in the same moment to end: one stays, for somebody has to start the other. */
static void
keep_a_gateway(struct cluster *cluster)
{
	for (unsigned i = 0; i < GATEWAYS; i++)
		if (sl_cluster_is_wanted(cluster->processes[i].node))
			return;
	for (unsigned i = 0; i < GATEWAYS; i++) {
		const char *name = sl_cluster_name(cluster->processes[i].node);
		if (cluster->processes[i].child.pid != 0 || i == GATEWAYS - 1) {
			sl_cluster_want(cluster->board, (struct sl_span){ name, strlen(name) }, true);
			return;
		}
	}
}

static void
find_leader(struct cluster *cluster)
{
	struct sl_cluster_node *leader = NULL;
	for (unsigned i = GATEWAYS; i < ALL && !leader; i++) {
		char name[64];
		if (sl_cluster_state(cluster->processes[i].node) != SL_CLUSTER_READY || bench_nats_find_leader(
				cluster->processes[i].monitor, "sluice-" BUS, name, sizeof name) != 0)
			continue;
		for (unsigned j = GATEWAYS; j < ALL; j++) {
			struct sl_cluster_node *node = cluster->processes[j].node;
			/* A server names the leader that it last knew, for as long as nobody is elected. */
			if (strcmp(sl_cluster_name(node), name) == 0 && sl_cluster_state(node) == SL_CLUSTER_READY)
				leader = node;
		}
	}
	sl_cluster_set_leader(cluster->board, leader);
}

static void
take_turn(struct cluster *cluster)
{
	uint64_t now_ms = sl_clock_monotonic_ms();
	bool has_changed = false;
	keep_a_gateway(cluster);
	for (unsigned i = 0; i < ALL; i++)
		has_changed |= cluster_process_run(&cluster->processes[i], now_ms);
	if (has_changed)
		find_leader(cluster);
	if (now_ms < cluster->next_look_ms)
		return;
	cluster->next_look_ms = now_ms + LOOK_MS;
	for (unsigned i = 0; i < ALL; i++)
		if (cluster_process_look(&cluster->processes[i]) && i < GATEWAYS) {
			printf("listening http://127.0.0.1:%u/\n", sl_cluster_port(cluster->processes[i].node));
			fflush(stdout);
		}
	find_leader(cluster);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

/* The gateways first: without NATS they would only wait for it. */
static void
finish(struct cluster *cluster)
{
	for (unsigned i = 0; i < GATEWAYS; i++)
		if (cluster->processes[i].child.pid != 0)
			kill(cluster->processes[i].child.pid, SIGTERM);
	for (unsigned i = 0; i < ALL; i++)
		cluster_process_stop(&cluster->processes[i]);
	sl_cluster_close(cluster->board);
	if (cluster->folder[0])
		nftw(cluster->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int
run(struct cluster *cluster, const sigset_t *signals)
{
	const struct timespec turn = { .tv_nsec = TURN_MS * 1000000L };
	do {
		take_turn(cluster);
		for (unsigned i = 0; i < ALL; i++)
			if (cluster_process_is_hopeless(&cluster->processes[i]))
				return fail("this process failed to start too often: ", sl_cluster_name(cluster->processes[i].node));
	} while (sigtimedwait(signals, NULL, &turn) < 0);
	return 0;
}

static int
parse(int argc, char **argv, uint16_t *port)
{
	static const struct option options[] = { { "port", required_argument, NULL, 'p' }, { NULL, 0, NULL, 0 } };
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		uint64_t number;
		if (option != 'p' || !sl_span_to_number((struct sl_span){ optarg, strlen(optarg) }, UINT16_MAX, &number)) {
			fprintf(stderr, "usage: sluice-cluster [--port N] [-- OPTION OF THE GATEWAYS...]\n");
			return -1;
		}
		*port = (uint16_t)number;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct cluster cluster;
	uint16_t port = 8080;
	sigset_t signals;
	for (unsigned i = 0; i < ALL; i++)
		cluster.processes[i].child.output = -1;
	if (parse(argc, argv, &port) != 0)
		return 2;
	cluster.more = argv + optind;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int err = prepare(&cluster, port);
	if (err == 0)
		err = run(&cluster, &signals);
	finish(&cluster);
	return err == 0 ? 0 : 1;
}
