#include "bench/network/carrier.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/network/flows.h"
#include "bench/network/pipe.h"

#define LEAD_FIRST_NS 50000
#define LEAD_STEP_NS 1000
#define LEAD_MAX_NS 150000
#define TURN_PACKETS 64 /* read of one direction before what is due is delivered */

/* All that the process has. */
struct carrying {
	const struct bench_carrier *carrier;
	struct bench_pipe pipes[BENCH_DIRECTIONS];
	struct bench_flows flows[BENCH_DIRECTIONS];
	uint64_t lead_ns; /* by which timers are set early: the median of how late they wake here */
};

static uint64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
add(struct carrying *carrying, unsigned direction, enum bench_carrier_count count, uint64_t n)
{
	atomic_fetch_add_explicit(&carrying->carrier->shared->counts[direction][count], n,
		memory_order_relaxed);
}

static bool
is_cut(const struct carrying *carrying)
{
	return atomic_load_explicit(&carrying->carrier->shared->cut, memory_order_relaxed);
}

static void
note(struct carrying *carrying, unsigned direction, const unsigned char *bytes, size_t len)
{
	struct bench_flows *flows = &carrying->flows[direction];
	uint64_t evicted = flows->evicted;
	add(carrying, direction, BENCH_PACKETS, 1);
	add(carrying, direction, BENCH_BYTES, len);
	if (bench_flows_is_repeat(flows, bytes, len)) {
		add(carrying, direction, BENCH_RETRANSMITTED_PACKETS, 1);
		add(carrying, direction, BENCH_RETRANSMITTED_BYTES, len);
	}
	if (flows->evicted > evicted)
		atomic_fetch_add_explicit(&carrying->carrier->shared->evicted_flows, 1, memory_order_relaxed);
}

static void
take(struct carrying *carrying, unsigned direction, const unsigned char *bytes, size_t len)
{
	struct bench_pipe *pipe = &carrying->pipes[direction];
	note(carrying, direction, bytes, len);
	pipe->is_cut = is_cut(carrying);
	switch (bench_pipe_push(pipe, now_ns(), bytes, len)) {
	case BENCH_PIPE_CUT:
		add(carrying, direction, BENCH_CUT_PACKETS, 1);
		break;
	case BENCH_PIPE_LOST:
		add(carrying, direction, BENCH_LOST_PACKETS, 1);
		break;
	case BENCH_PIPE_DROPPED:
		add(carrying, direction, BENCH_DROPPED_PACKETS, 1);
		break;
	case BENCH_PIPE_TAKEN:
		break;
	}
}

/* IPv4 only: of anything else nothing is known and nothing is asked. */
static void
take_all(struct carrying *carrying, unsigned direction)
{
	unsigned char bytes[BENCH_MTU];
	for (unsigned i = 0; i < TURN_PACKETS; i++) {
		ssize_t len = read(carrying->carrier->tuns[direction], bytes, sizeof bytes);
		if (len <= 0)
			return;
		if (bytes[0] >> 4 == 4)
			take(carrying, direction, bytes, (size_t)len);
	}
}

/* What is due while the link is cut is lost like what enters it. */
static void
deliver(struct carrying *carrying, unsigned direction)
{
	const struct bench_packet *packet;
	struct bench_pipe *pipe = &carrying->pipes[direction];
	int tun = carrying->carrier->tuns[direction == BENCH_DOWN ? BENCH_UP : BENCH_DOWN];
	while ((packet = bench_pipe_due(pipe, now_ns()))) {
		if (is_cut(carrying))
			add(carrying, direction, BENCH_CUT_PACKETS, 1);
		else if (write(tun, packet->bytes, packet->len) == packet->len)
			bench_histogram_record(&carrying->carrier->shared->late, now_ns() - packet->due_ns);
		bench_pipe_pop(pipe);
	}
}

/* A sleep that a timer ends is late: by 80 us in a virtual machine whose core went idle. So the
 * timer is set early by the median of that, and in the few microseconds that may then be left the
 * process does not sleep. */
static void
learn_lead(struct carrying *carrying, uint64_t wake_ns)
{
	uint64_t late_ns = now_ns() - wake_ns;
	if (late_ns > carrying->lead_ns && carrying->lead_ns < LEAD_MAX_NS)
		carrying->lead_ns += LEAD_STEP_NS;
	else if (late_ns < carrying->lead_ns)
		carrying->lead_ns -= LEAD_STEP_NS;
}

static void
wait_for_packets(struct carrying *carrying)
{
	struct pollfd wait[BENCH_DIRECTIONS];
	struct timespec left = { 0 };
	uint64_t due_ns = UINT64_MAX, now = now_ns();
	for (unsigned i = 0; i < BENCH_DIRECTIONS; i++) {
		uint64_t pipe_due_ns = bench_pipe_due_ns(&carrying->pipes[i]);
		due_ns = pipe_due_ns < due_ns ? pipe_due_ns : due_ns;
		wait[i] = (struct pollfd){ .fd = carrying->carrier->tuns[i], .events = POLLIN };
	}
	uint64_t wake_ns = due_ns - carrying->lead_ns;
	if (wake_ns > now && due_ns != UINT64_MAX) {
		left.tv_sec = (time_t)((wake_ns - now) / 1000000000u);
		left.tv_nsec = (long)((wake_ns - now) % 1000000000u);
	}
	int ready = ppoll(wait, BENCH_DIRECTIONS, due_ns == UINT64_MAX ? NULL : &left, NULL);
	for (unsigned i = 0; i < BENCH_DIRECTIONS; i++)
		if (ready > 0 && wait[i].revents & (POLLERR | POLLHUP | POLLNVAL))
			_exit(1); /* somebody took the device away */
	if (ready == 0 && wake_ns > now)
		learn_lead(carrying, wake_ns);
}

/* The bench's other descriptors are not held open here. */
static void
close_others(const struct bench_carrier *carrier)
{
	int low = carrier->tuns[0], high = carrier->tuns[1];
	if (low > high) {
		low = carrier->tuns[1];
		high = carrier->tuns[0];
	}
	close_range(STDERR_FILENO + 1, (unsigned)low - 1, 0);
	close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0u, 0);
}

void
bench_carrier_take_precedence(void)
{
	struct sched_param param = { 0 };
	sched_getparam(0, &param);
	param.sched_priority += 1;
	sched_setscheduler(0, SCHED_FIFO, &param);
	prctl(PR_SET_TIMERSLACK, 1);
}

void
bench_carrier_run(const void *argument)
{
	const struct bench_carrier *carrier = argument;
	struct carrying *carrying = calloc(1, sizeof *carrying);
	if (!carrying)
		_exit(1);
	carrying->carrier = carrier;
	carrying->lead_ns = LEAD_FIRST_NS;
	for (unsigned i = 0; i < BENCH_DIRECTIONS; i++)
		if (bench_pipe_init(&carrying->pipes[i], carrier->kind, i) != 0)
			_exit(1);
	close_others(carrier);
	bench_carrier_take_precedence();
	atomic_store(&carrier->shared->ready, true);
	for (;;) {
		wait_for_packets(carrying);
		for (unsigned i = 0; i < BENCH_DIRECTIONS; i++) {
			take_all(carrying, i);
			deliver(carrying, i);
		}
	}
}
