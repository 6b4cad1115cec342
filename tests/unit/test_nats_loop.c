/* The library is played here: socket pairs stand for connections. */
#include "bus/nats_loop.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/nats_place.h"

static struct {
	natsEvLoop_Attach attach;
	natsEvLoop_ReadAddRemove read;
	natsEvLoop_WriteAddRemove write;
	natsEvLoop_Detach detach;
	void *loop;
} library;

static int sockets[2]; /* the connection's, and the server's */
static void *watch;
static atomic_uint reads, writes, bytes_read;
static atomic_bool closes_at_end;

natsStatus __wrap_natsOptions_SetEventLoop(natsOptions *options, void *loop, natsEvLoop_Attach attach,
	natsEvLoop_ReadAddRemove read_on, natsEvLoop_WriteAddRemove write_on, natsEvLoop_Detach detach);
void __wrap_natsConnection_ProcessReadEvent(natsConnection *connection);
void __wrap_natsConnection_ProcessWriteEvent(natsConnection *connection);

natsStatus
__wrap_natsOptions_SetEventLoop(natsOptions *options, void *loop, natsEvLoop_Attach attach,
	natsEvLoop_ReadAddRemove read_on, natsEvLoop_WriteAddRemove write_on, natsEvLoop_Detach detach)
{
	library.attach = attach;
	library.read = read_on;
	library.write = write_on;
	library.detach = detach;
	library.loop = loop;
	return NATS_OK;
}

/* As the library closes: it says so first, and says last that it knows the watch no longer. */
static void
close_connection(void)
{
	library.read(watch, false);
	library.write(watch, false);
	close(sockets[0]);
	library.detach(watch);
	watch = NULL;
}

void
__wrap_natsConnection_ProcessReadEvent(natsConnection *connection)
{
	char bytes[16];
	ssize_t got = recv(sockets[0], bytes, sizeof bytes, MSG_DONTWAIT);
	if (got > 0)
		atomic_fetch_add(&bytes_read, (unsigned)got);
	else if (got == 0 && atomic_load(&closes_at_end))
		close_connection();
	atomic_fetch_add(&reads, 1);
}

void
__wrap_natsConnection_ProcessWriteEvent(natsConnection *connection)
{
	library.write(watch, false);
	atomic_fetch_add(&writes, 1);
}

static natsConnection *const connection = (natsConnection *)&library;

static struct sl_nats_loop *
open_loop(void)
{
	struct sl_nats_loop *loop;
	CU_ASSERT_EQUAL_FATAL(sl_nats_loop_create(&loop), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_loop_serve(loop, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	atomic_store(&reads, 0);
	atomic_store(&writes, 0);
	atomic_store(&bytes_read, 0);
	atomic_store(&closes_at_end, true);
	CU_ASSERT_EQUAL_FATAL(library.attach(&watch, library.loop, connection, sockets[0]), NATS_OK);
	return loop;
}

static void
test_nats_loop_reads_what_comes_and_writes_when_asked(void)
{
	struct sl_nats_loop *loop = open_loop();
	CU_ASSERT_TRUE(fcntl(sockets[0], F_GETFD) & FD_CLOEXEC);
	CU_ASSERT_EQUAL(write(sockets[1], "abc", 3), 3);
	place_await(atomic_load(&bytes_read) == 3);
	CU_ASSERT_EQUAL(atomic_load(&writes), 0);
	library.write(watch, true);
	place_await(atomic_load(&writes) == 1);
	close(sockets[1]);
	place_await(atomic_load(&reads) == 2);
	sl_nats_loop_destroy(loop);
}

static void
test_nats_loop_cut_ends_the_connection_on_its_own_thread(void)
{
	char byte;
	struct sl_nats_loop *loop = open_loop();
	sl_nats_loop_cut(loop, connection);
	place_await(atomic_load(&reads) == 1);
	CU_ASSERT_EQUAL(read(sockets[1], &byte, 1), 0);
	sl_nats_loop_cut(loop, connection); /* is gone already */
	sl_nats_loop_cut(loop, NULL);
	close(sockets[1]);
	sl_nats_loop_destroy(loop);
}

static void
count_one(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
test_nats_loop_calls_its_listeners_after_each_read(void)
{
	atomic_uint called = 0, other = 0;
	struct sl_nats_loop *loop = open_loop();
	sl_nats_loop_listen(loop, count_one, &called);
	sl_nats_loop_listen(loop, count_one, &other);
	CU_ASSERT_EQUAL(write(sockets[1], "abc", 3), 3);
	place_await(atomic_load(&called) == 1 && atomic_load(&other) == 1);
	CU_ASSERT_EQUAL(atomic_load(&bytes_read), 3);
	sl_nats_loop_ignore(loop);
	close(sockets[1]);
	place_await(atomic_load(&reads) == 2);
	sl_nats_loop_destroy(loop);
	CU_ASSERT_EQUAL(atomic_load(&called), 1);
}

/* Whoever gets the number of a closed descriptor is not watched, whatever the library says late. */
static void
test_nats_loop_leaves_a_descriptor_s_next_owner_alone(void)
{
	int others[2];
	struct sl_nats_loop *loop = open_loop();
	library.read(watch, false);
	close(sockets[0]);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
	CU_ASSERT_EQUAL_FATAL(others[0], sockets[0]);
	library.write(watch, true);
	library.read(watch, true);
	sl_nats_loop_cut(loop, connection);
	CU_ASSERT_EQUAL(write(others[1], "abc", 3), 3);
	library.detach(watch);
	place_nap();
	CU_ASSERT_EQUAL(atomic_load(&reads), 0);
	CU_ASSERT_EQUAL(atomic_load(&writes), 0);
	char bytes[3];
	CU_ASSERT_EQUAL(recv(others[0], bytes, 3, MSG_DONTWAIT), 3);
	close(others[0]);
	close(others[1]);
	close(sockets[1]);
	sl_nats_loop_destroy(loop);
}

static void
test_nats_loop_that_was_never_made_is_destroyed(void)
{
	sl_nats_loop_destroy(NULL);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_loop_reads_what_comes_and_writes_when_asked),
		UNIT_TEST(test_nats_loop_cut_ends_the_connection_on_its_own_thread),
		UNIT_TEST(test_nats_loop_calls_its_listeners_after_each_read),
		UNIT_TEST(test_nats_loop_leaves_a_descriptor_s_next_owner_alone),
		UNIT_TEST(test_nats_loop_that_was_never_made_is_destroyed),
		{ NULL, NULL },
	};
	return unit_main("nats_loop", tests);
}
