#include "bench/network/network.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/network/carrier.h"
#include "bench/network/space.h"
#include "util/clock.h"
#include "util/err.h"

#define READY_WAIT_MS 10000

const char *
bench_network_missing(void)
{
	return bench_space_missing();
}

static bool
has_ended(const struct bench_process *process)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid;
}

/* A process that cannot run on its core would otherwise be a link that loses everything. */
static int
wait_until_ready(const struct bench_network *network)
{
	uint64_t until = sl_clock_monotonic_ms() + READY_WAIT_MS;
	while (!atomic_load(&network->shared->ready)) {
		if (has_ended(&network->process) || sl_clock_monotonic_ms() > until)
			return SL_EIO;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return 0;
}

static int
share_memory(struct bench_network *network)
{
	void *memory = mmap(NULL, sizeof *network->shared, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return SL_ENOMEM;
	network->shared = memory;
	return 0;
}

/* The namespaces, and the devices in them by the direction of what comes out of them. */
static int
open_spaces(struct bench_network *network, int tuns[BENCH_DIRECTIONS])
{
	if (bench_space_prepare() != 0)
		return SL_EIO;
	network->home_ns = bench_space_current();
	if (network->home_ns < 0)
		return SL_EIO;
	network->server_ns = bench_space_open(BENCH_NETWORK_SERVER, &tuns[BENCH_DOWN]);
	if (network->server_ns >= 0)
		network->client_ns = bench_space_open(BENCH_NETWORK_CLIENT, &tuns[BENCH_UP]);
	int err = bench_space_enter(network->home_ns);
	return err || network->server_ns < 0 || network->client_ns < 0 ? SL_EIO : 0;
}

static int
start_carrier(struct bench_network *network, const int tuns[BENCH_DIRECTIONS], int core)
{
	struct bench_carrier carrier = { .kind = &network->kind, .shared = network->shared,
		.tuns = { tuns[BENCH_DOWN], tuns[BENCH_UP] } };
	int err = bench_process_fork(&network->process, bench_carrier_run, &carrier, core);
	return err ? err : wait_until_ready(network);
}

static void
close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
init(struct bench_network *network, const struct bench_network_kind *kind)
{
	*network = (struct bench_network){ .kind = *kind, .server_ns = -1, .client_ns = -1,
		.home_ns = -1, .process.output = -1 };
	return share_memory(network);
}

/* `err` is what came of opening the devices. */
static int
begin(struct bench_network *network, int err, int tuns[BENCH_DIRECTIONS], int core)
{
	if (!err)
		err = start_carrier(network, tuns, core);
	int saved = errno;
	/* The process has them now; with it the devices go that it was who made them. */
	close_if_open(&tuns[BENCH_DOWN]);
	close_if_open(&tuns[BENCH_UP]);
	if (err)
		bench_network_close(network);
	errno = saved;
	return err;
}

int
bench_network_open(struct bench_network *network, const struct bench_network_kind *kind, int core)
{
	int tuns[BENCH_DIRECTIONS] = { -1, -1 };
	int err = init(network, kind);
	return begin(network, err ? err : open_spaces(network, tuns), tuns, core);
}

int
bench_network_join(struct bench_network *network, const struct bench_network_kind *kind,
	const char *server, const char *client, int core)
{
	int tuns[BENCH_DIRECTIONS] = { -1, -1 };
	int err = init(network, kind);
	if (!err)
		err = bench_space_attach(server, &tuns[BENCH_DOWN]);
	if (!err)
		err = bench_space_attach(client, &tuns[BENCH_UP]);
	return begin(network, err, tuns, core);
}

void
bench_network_close(struct bench_network *network)
{
	bench_process_stop(&network->process);
	close_if_open(&network->server_ns);
	close_if_open(&network->client_ns);
	close_if_open(&network->home_ns);
	if (network->shared)
		munmap(network->shared, sizeof *network->shared);
	network->shared = NULL;
}

int
bench_network_enter_client(const struct bench_network *network)
{
	return bench_space_enter(network->client_ns);
}

int
bench_network_enter_server(const struct bench_network *network)
{
	return bench_space_enter(network->server_ns);
}

int
bench_network_leave(const struct bench_network *network)
{
	return bench_space_enter(network->home_ns);
}

void
bench_network_cut(struct bench_network *network, bool cut)
{
	atomic_store(&network->shared->cut, cut);
}

void
bench_network_count_now(const struct bench_network *network,
	struct bench_network_count out[BENCH_DIRECTIONS])
{
	for (unsigned i = 0; i < BENCH_DIRECTIONS; i++) {
		_Atomic uint64_t *counts = network->shared->counts[i];
		out[i] = (struct bench_network_count){
			.packets = atomic_load(&counts[BENCH_PACKETS]),
			.bytes = atomic_load(&counts[BENCH_BYTES]),
			.retransmitted_packets = atomic_load(&counts[BENCH_RETRANSMITTED_PACKETS]),
			.retransmitted_bytes = atomic_load(&counts[BENCH_RETRANSMITTED_BYTES]),
			.lost_packets = atomic_load(&counts[BENCH_LOST_PACKETS]),
			.dropped_packets = atomic_load(&counts[BENCH_DROPPED_PACKETS]),
			.cut_packets = atomic_load(&counts[BENCH_CUT_PACKETS]),
		};
	}
}

uint64_t
bench_network_cpu_ns(const struct bench_network *network)
{
	return bench_process_cpu_ns(&network->process);
}

uint64_t
bench_network_late_p99_ns(const struct bench_network *network)
{
	struct bench_histogram late = network->shared->late;
	/* The process goes on counting while this copies: the sum must be that of the copy. */
	late.count = 0;
	for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
		late.count += late.counts[i];
	return bench_histogram_percentile(&late, 99);
}

uint64_t
bench_network_evicted_flows(const struct bench_network *network)
{
	return atomic_load(&network->shared->evicted_flows);
}
