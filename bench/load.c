#include "bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "util/err.h"

#define EVENTS_A_TURN 128
#define OPENING_AT_ONCE 64
#define OPEN_WAIT_NS 10000000000u
#define STALL_NS 1000000000u
#define PUBLISHER_BIT ((uint64_t)1 << 32)

int
bench_load_init(struct bench_load *load, const struct bench_server *server,
	enum bench_transport transport, bool own_channels)
{
	const char *opened = server->peer->opened[transport];
	*load = (struct bench_load){
		.server = server, .transport = transport, .own_channels = own_channels,
		.random = 2463534242u,
	};
	bench_token_init(&load->subscriber_opening, opened ? opened : "\r\n\r\n");
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->input = malloc(BENCH_INPUT_BYTES);
	return load->epoll >= 0 && load->input ? 0 : SL_EIO;
}

void
bench_load_finish(struct bench_load *load)
{
	for (unsigned i = 0; i < load->subscriber_count; i++) {
		if (load->subscribers[i].fd >= 0)
			close(load->subscribers[i].fd);
		sl_buffer_finish(&load->subscribers[i].rest);
	}
	for (unsigned i = 0; i < load->publisher_count; i++) {
		if (load->publishers[i].fd >= 0)
			close(load->publishers[i].fd);
		sl_buffer_finish(&load->publishers[i].pending);
	}
	if (load->epoll >= 0)
		close(load->epoll);
	sl_buffer_finish(&load->scratch);
	free(load->subscribers);
	free(load->published);
	free(load->input);
}

int
bench_load_watch(struct bench_load *load, int fd, unsigned index, bool is_publisher)
{
	struct epoll_event event = {
		.events = EPOLLIN, .data.u64 = index | (is_publisher ? PUBLISHER_BIT : 0),
	};
	return epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : SL_EIO;
}

static int
flush_publishers(struct bench_load *load)
{
	int err = 0;
	for (unsigned i = 0; i < load->publisher_count && !err; i++)
		err = bench_publisher_flush(&load->publishers[i]);
	return err;
}

/* One look at the sockets, waiting for at most `wait_ns`. */
static int
turn(struct bench_load *load, uint64_t wait_ns)
{
	struct epoll_event events[EVENTS_A_TURN];
	struct timespec wait = {
		.tv_sec = (time_t)(wait_ns / 1000000000u), .tv_nsec = (long)(wait_ns % 1000000000u),
	};
	int count = epoll_pwait2(load->epoll, events, EVENTS_A_TURN, &wait, NULL);
	if (count < 0 && errno != EINTR)
		return SL_EIO;
	for (int i = 0; i < count; i++) {
		uint32_t index = (uint32_t)events[i].data.u64;
		if (events[i].data.u64 & PUBLISHER_BIT)
			bench_publisher_read(load, &load->publishers[index]);
		else
			bench_subscriber_read(load, &load->subscribers[index]);
	}
	return flush_publishers(load);
}

int
bench_load_serve_until(struct bench_load *load, uint64_t deadline_ns)
{
	for (;;) {
		uint64_t now = bench_now_ns();
		int err = turn(load, now < deadline_ns ? deadline_ns - now : 0);
		if (err || bench_now_ns() >= deadline_ns)
			return err;
	}
}

static bool
is_settled(const struct bench_load *load)
{
	uint64_t outstanding = 0;
	for (unsigned i = 0; i < load->publisher_count; i++)
		outstanding += load->publishers[i].outstanding;
	return load->delivered >= load->expected && outstanding == 0;
}

int
bench_load_drain(struct bench_load *load, double limit_s)
{
	uint64_t start = bench_now_ns(), end = start + (uint64_t)(limit_s * 1e9);
	int err = 0;
	while (!is_settled(load) && !err) {
		uint64_t now = bench_now_ns();
		uint64_t since = load->last_delivery_ns > start ? load->last_delivery_ns : start;
		load->gave_up = now >= end;
		if (load->gave_up || now > since + STALL_NS)
			break;
		err = turn(load, 10000000);
	}
	return err;
}

/* Where a subscriber being open cannot be seen, the next ones wait until the server is
 * through with these, so that its accept queue never overflows. */
static void
wait_idle_server(const struct bench_load *load)
{
	uint64_t before, after = bench_process_cpu_ns(&load->server->process);
	unsigned tries = 200;
	do {
		before = after;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		after = bench_process_cpu_ns(&load->server->process);
	} while (after != before && --tries > 0);
}

static int
wait_open(struct bench_load *load, unsigned open_count)
{
	uint64_t deadline = bench_now_ns() + OPEN_WAIT_NS;
	while (load->open_count < open_count) {
		int err = turn(load, 100000000);
		if (err)
			return err;
		if (load->closed_count)
			return SL_ECLOSED;
		if (bench_now_ns() > deadline)
			return SL_EAGAIN;
	}
	return 0;
}

int
bench_load_subscribe(struct bench_load *load, unsigned count)
{
	bool visible = load->server->peer->opened[load->transport] != NULL;
	load->subscribers = calloc(count, sizeof *load->subscribers);
	load->published = calloc(load->own_channels ? count : 1, sizeof *load->published);
	if (!load->subscribers || !load->published)
		return SL_ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		load->subscribers[i].fd = -1;
		load->subscriber_count = i + 1;
		int err = bench_subscriber_open(load, i);
		if (!err && i >= OPENING_AT_ONCE)
			err = wait_open(load, i + 1 - OPENING_AT_ONCE);
		if (err)
			return err;
		if (!visible && i % OPENING_AT_ONCE == OPENING_AT_ONCE - 1)
			wait_idle_server(load);
	}
	return wait_open(load, count);
}

int
bench_load_open_publishers(struct bench_load *load, unsigned count, bool bursts)
{
	const struct bench_peer *peer = load->server->peer;
	load->bursts = bursts;
	bool own_answer = bursts && peer->burst_answer;
	bench_token_init(&load->publisher_answer, own_answer ? peer->burst_answer : "HTTP/1.1 2");
	if (bursts && peer->open_burst)
		bench_token_init(&load->publisher_opening, peer->burst_opened);
	for (unsigned i = 0; i < count && i < BENCH_PUBLISHERS_MAX; i++) {
		struct bench_publisher *publisher = &load->publishers[i];
		publisher->fd = -1;
		load->publisher_count = i + 1;
		int err = bench_publisher_open(load, publisher);
		uint64_t deadline = bench_now_ns() + OPEN_WAIT_NS;
		while (!err && !publisher->open)
			err = bench_now_ns() < deadline ? turn(load, 10000000) : SL_EAGAIN;
		if (err)
			return err;
	}
	return 0;
}

void
bench_load_settle(struct bench_load *load)
{
	uint64_t before, after = bench_process_cpu_ns(&load->server->process);
	unsigned tries = 100;
	do {
		before = after;
		if (bench_load_serve_until(load, bench_now_ns() + 50000000) != 0)
			return;
		after = bench_process_cpu_ns(&load->server->process);
	} while (after - before > 500000 && --tries > 0);
}
