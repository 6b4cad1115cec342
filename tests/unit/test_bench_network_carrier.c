/* The process that carries packets, between two sockets that keep messages apart as devices do. */
#include "bench/network/carrier.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "util/clock.h"

#define PACKETS 200
#define PACKET_BYTES 40
#define WAIT_MS 20000 /* for what must come, on a machine however busy */

struct world {
	struct bench_process process;
	struct bench_network_shared *shared;
	int ends[BENCH_DIRECTIONS]; /* where packets of that direction are sent */
};

static int
first_core(void)
{
	cpu_set_t cores;
	int core = 0;
	sched_getaffinity(0, sizeof cores, &cores);
	while (!CPU_ISSET((size_t)core, &cores))
		core++;
	return core;
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void
begin(struct world *world, const struct bench_network_kind *kind)
{
	int down[2], up[2];
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, down), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, up), 0);
	world->shared = mmap(NULL, sizeof *world->shared, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL(world->shared, MAP_FAILED);
	struct bench_carrier carrier = { .kind = kind, .shared = world->shared, .tuns = { down[1], up[1] } };
	CU_ASSERT_EQUAL_FATAL(
		bench_process_fork(&world->process, bench_carrier_run, &carrier, first_core()), 0);
	for (unsigned ms = 0; !atomic_load(&world->shared->ready) && ms < WAIT_MS; ms++)
		nap();
	CU_ASSERT_TRUE_FATAL(atomic_load(&world->shared->ready));
	close(down[1]);
	close(up[1]);
	world->ends[BENCH_DOWN] = down[0];
	world->ends[BENCH_UP] = up[0];
}

static void
end(struct world *world)
{
	bench_process_stop(&world->process);
	close(world->ends[BENCH_DOWN]);
	close(world->ends[BENCH_UP]);
	munmap(world->shared, sizeof *world->shared);
}

static uint64_t
count_of(const struct world *world, enum bench_direction direction, enum bench_carrier_count count)
{
	return atomic_load(&world->shared->counts[direction][count]);
}

static void
send_packet(const struct world *world, enum bench_direction direction, unsigned number)
{
	unsigned char packet[PACKET_BYTES] = { 0x45 };
	memcpy(packet + 20, &number, sizeof number);
	CU_ASSERT_EQUAL_FATAL(send(world->ends[direction], packet, sizeof packet, 0), PACKET_BYTES);
}

/* Sends, and waits until the process has taken it, so that no socket's buffer gets full. */
static void
send_packets(const struct world *world, enum bench_direction direction, unsigned count)
{
	uint64_t before = count_of(world, direction, BENCH_PACKETS);
	for (unsigned i = 0; i < count; i++) {
		send_packet(world, direction, i);
		for (unsigned ms = 0; count_of(world, direction, BENCH_PACKETS) < before + i + 1 && ms < WAIT_MS;
			ms++)
			nap();
	}
	CU_ASSERT_EQUAL_FATAL(count_of(world, direction, BENCH_PACKETS), before + count);
}

/* The number in the next packet of that direction. */
static unsigned
receive(const struct world *world, enum bench_direction direction)
{
	unsigned char packet[2 * PACKET_BYTES];
	unsigned number;
	int end_fd = world->ends[direction == BENCH_DOWN ? BENCH_UP : BENCH_DOWN];
	struct pollfd wait = { .fd = end_fd, .events = POLLIN };
	CU_ASSERT_EQUAL_FATAL(poll(&wait, 1, WAIT_MS), 1);
	CU_ASSERT_EQUAL_FATAL(recv(end_fd, packet, sizeof packet, 0), PACKET_BYTES);
	memcpy(&number, packet + 20, sizeof number);
	return number;
}

static void
test_packets_go_to_the_other_end_in_order_and_are_counted(void)
{
	struct world world;
	begin(&world, &(struct bench_network_kind){ .rtt_ms = 4, .jitter_ms = 2, .seed = 1 });
	for (enum bench_direction direction = BENCH_DOWN; direction < BENCH_DIRECTIONS; direction++) {
		for (unsigned i = 0; i < PACKETS; i += 20) {
			for (unsigned j = 0; j < 20; j++)
				send_packet(&world, direction, i + j);
			for (unsigned j = 0; j < 20; j++)
				CU_ASSERT_EQUAL(receive(&world, direction), i + j);
		}
		CU_ASSERT_EQUAL(count_of(&world, direction, BENCH_PACKETS), PACKETS);
		CU_ASSERT_EQUAL(count_of(&world, direction, BENCH_BYTES), PACKETS * PACKET_BYTES);
		CU_ASSERT_EQUAL(count_of(&world, direction, BENCH_LOST_PACKETS), 0);
	}
	CU_ASSERT_TRUE(world.shared->late.count >= 2 * PACKETS - 1); /* the last may be on its way to it */
	end(&world);
}

static void
test_what_is_lost_is_counted_and_does_not_arrive(void)
{
	struct world world;
	unsigned got = 0;
	begin(&world, &(struct bench_network_kind){ .loss = 0.5, .seed = 1 });
	send_packets(&world, BENCH_UP, PACKETS);
	uint64_t lost = count_of(&world, BENCH_UP, BENCH_LOST_PACKETS);
	CU_ASSERT_TRUE(lost > PACKETS / 4 && lost < PACKETS * 3 / 4);
	for (unsigned last = 0; got < PACKETS - lost; got++) {
		unsigned number = receive(&world, BENCH_UP);
		CU_ASSERT_TRUE(got == 0 || number > last);
		last = number;
	}
	CU_ASSERT_EQUAL(recv(world.ends[BENCH_DOWN], &got, sizeof got, 0), -1);
	CU_ASSERT_EQUAL(count_of(&world, BENCH_DOWN, BENCH_PACKETS), 0);
	end(&world);
}

/* Three packets are on their way when the link is cut. Returns whether that was in time. */
static bool
cut_in_time(struct world *world)
{
	uint64_t from_ms = sl_clock_monotonic_ms();
	send_packets(world, BENCH_DOWN, 3);
	atomic_store(&world->shared->cut, true);
	return sl_clock_monotonic_ms() - from_ms < 1000;
}

static void
test_cut_link_loses_what_enters_and_what_is_on_its_way(void)
{
	struct world world;
	begin(&world, &(struct bench_network_kind){ .rtt_ms = 2000, .seed = 1 });
	while (!cut_in_time(&world)) { /* on a machine that stood still */
		end(&world);
		begin(&world, &(struct bench_network_kind){ .rtt_ms = 2000, .seed = 1 });
	}
	send_packets(&world, BENCH_DOWN, 2);
	for (unsigned ms = 0; count_of(&world, BENCH_DOWN, BENCH_CUT_PACKETS) < 5 && ms < WAIT_MS; ms++)
		nap();
	CU_ASSERT_EQUAL(count_of(&world, BENCH_DOWN, BENCH_CUT_PACKETS), 5);
	atomic_store(&world.shared->cut, false);
	send_packet(&world, BENCH_DOWN, 77);
	CU_ASSERT_EQUAL(receive(&world, BENCH_DOWN), 77);
	CU_ASSERT_EQUAL(count_of(&world, BENCH_DOWN, BENCH_PACKETS), 6);
	CU_ASSERT_EQUAL(count_of(&world, BENCH_DOWN, BENCH_LOST_PACKETS), 0);
	end(&world);
}

static void
test_packets_that_are_not_ipv4_are_not_carried(void)
{
	static const unsigned char version_6[PACKET_BYTES] = { 0x60 };
	struct world world;
	begin(&world, &(struct bench_network_kind){ .rtt_ms = 0 });
	CU_ASSERT_EQUAL(send(world.ends[BENCH_UP], version_6, sizeof version_6, 0), PACKET_BYTES);
	send_packet(&world, BENCH_UP, 5);
	CU_ASSERT_EQUAL(receive(&world, BENCH_UP), 5);
	CU_ASSERT_EQUAL(count_of(&world, BENCH_UP, BENCH_PACKETS), 1);
	end(&world);
}

static void
test_process_ends_when_a_device_is_gone(void)
{
	struct world world;
	int status = -1;
	begin(&world, &(struct bench_network_kind){ .rtt_ms = 0 });
	shutdown(world.ends[BENCH_UP], SHUT_RDWR);
	close(world.ends[BENCH_UP]);
	world.ends[BENCH_UP] = -1;
	for (unsigned ms = 0; ms < WAIT_MS && waitpid(world.process.pid, &status, WNOHANG) == 0; ms++)
		nap();
	CU_ASSERT_TRUE(status >= 0 && WIFEXITED(status));
	world.process.pid = 0;
	end(&world);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_packets_go_to_the_other_end_in_order_and_are_counted),
		UNIT_TEST(test_what_is_lost_is_counted_and_does_not_arrive),
		UNIT_TEST(test_cut_link_loses_what_enters_and_what_is_on_its_way),
		UNIT_TEST(test_packets_that_are_not_ipv4_are_not_carried),
		UNIT_TEST(test_process_ends_when_a_device_is_gone),
		{ NULL, NULL },
	};
	return unit_main("bench network carrier", tests);
}
