#include "bus/nats_loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/err.h"

#define EVENTS_MAX 16

/* A server that takes no bytes for so long is given up: the library would wait inside a TLS record. */
#define USER_TIMEOUT_MS 5000

/* One socket. It is freed by the loop's thread alone, after the events that were fetched with it. */
struct watch {
	struct watch *next;
	struct sl_nats_loop *loop;
	natsConnection *connection;
	int fd;
	bool is_removed; /* the descriptor is closed, or about to be: it may be anybody's soon */
	bool is_dead;    /* the library knows the watch no longer */
};

struct sl_nats_loop {
	pthread_t thread;
	int epoll_fd, wake_fd;
	pthread_mutex_t lock; /* the innermost: the library calls with its own held */
	bool is_stopping;     /* covered by the lock, as what follows */
	struct watch *watches;
	unsigned listener_count;
	struct listener {
		void (*on_read)(void *arg);
		void *arg;
	} listeners[SL_NATS_LISTENERS_MAX];
};

/* ---- what newer libraries leave to whoever polls: closing the descriptor, and letting the connection go ---- */

#if NATS_VERSION_NUMBER >= 0x030a00
static void
close_socket(natsSock fd)
{
	natsConnection_ProcessCloseEvent(&fd);
}
#else
static void
close_socket(natsSock fd)
{
}
#endif

#if NATS_VERSION_NUMBER >= 0x030b00
static void
let_go(natsConnection *connection)
{
	natsConnection_ProcessDetachedEvent(connection);
}
#else
static void
let_go(natsConnection *connection)
{
}
#endif

/* ---- what the library calls, from any thread ---- */

/* The only place that adds a descriptor: a late call for one that is closed would add whatever has got its
 * number. */
static natsStatus
attach(void **out, void *arg, natsConnection *connection, natsSock fd)
{
	struct sl_nats_loop *loop = arg;
	struct watch *watch = calloc(1, sizeof *watch);
	unsigned timeout_ms = USER_TIMEOUT_MS;
	if (!watch)
		return NATS_NO_MEMORY;
	watch->loop = loop;
	watch->connection = connection;
	watch->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };
	pthread_mutex_lock(&loop->lock);
	int result = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	if (result == 0) {
		watch->next = loop->watches;
		loop->watches = watch;
	}
	pthread_mutex_unlock(&loop->lock);
	if (result != 0) {
		free(watch);
		return NATS_SYS_ERROR;
	}
	*out = watch;
	return NATS_OK;
}

/* The library asks for it only before it closes the descriptor. */
static natsStatus
change_reading(void *arg, bool is_on)
{
	struct watch *watch = arg;
	pthread_mutex_lock(&watch->loop->lock);
	if (!is_on && !watch->is_removed) {
		epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
		watch->is_removed = true;
		close_socket(watch->fd);
	}
	pthread_mutex_unlock(&watch->loop->lock);
	return NATS_OK;
}

static natsStatus
change_writing(void *arg, bool is_on)
{
	struct watch *watch = arg;
	struct epoll_event event = { .events = EPOLLIN | (is_on ? EPOLLOUT : 0), .data.ptr = watch };
	pthread_mutex_lock(&watch->loop->lock);
	if (!watch->is_removed)
		epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
	pthread_mutex_unlock(&watch->loop->lock);
	return NATS_OK;
}

static void
wake(struct sl_nats_loop *loop)
{
	uint64_t one = 1;
	while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static natsStatus
detach(void *arg)
{
	struct watch *watch = arg;
	struct sl_nats_loop *loop = watch->loop;
	change_reading(watch, false);
	pthread_mutex_lock(&loop->lock);
	watch->is_dead = true;
	pthread_mutex_unlock(&loop->lock);
	wake(loop);
	return NATS_OK;
}

int
sl_nats_loop_serve(struct sl_nats_loop *loop, natsOptions *options)
{
	return natsOptions_SetEventLoop(options, loop, attach, change_reading, change_writing,
		detach) == NATS_OK ? 0 : SL_EINVAL;
}

void
sl_nats_loop_listen(struct sl_nats_loop *loop, void (*on_read)(void *arg), void *arg)
{
	pthread_mutex_lock(&loop->lock);
	assert(loop->listener_count < SL_NATS_LISTENERS_MAX);
	loop->listeners[loop->listener_count++] = (struct listener){ on_read, arg };
	pthread_mutex_unlock(&loop->lock);
}

void
sl_nats_loop_ignore(struct sl_nats_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->listener_count = 0;
	pthread_mutex_unlock(&loop->lock);
}

void
sl_nats_loop_cut(struct sl_nats_loop *loop, const natsConnection *connection)
{
	pthread_mutex_lock(&loop->lock);
	for (struct watch *watch = loop->watches; watch; watch = watch->next)
		if ((!connection || watch->connection == connection) && !watch->is_removed)
			shutdown(watch->fd, SHUT_RDWR);
	pthread_mutex_unlock(&loop->lock);
}

/* ---- the thread ---- */

static bool
is_removed(struct watch *watch)
{
	pthread_mutex_lock(&watch->loop->lock);
	bool removed = watch->is_removed;
	pthread_mutex_unlock(&watch->loop->lock);
	return removed;
}

static void
tell_listeners(struct sl_nats_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	unsigned count = loop->listener_count;
	pthread_mutex_unlock(&loop->lock);
	for (unsigned i = 0; i < count; i++)
		loop->listeners[i].on_read(loop->listeners[i].arg);
}

/* The lock is not held: the library takes its own and calls back. */
static void
dispatch(struct watch *watch, uint32_t events)
{
	if (events & EPOLLOUT && !is_removed(watch))
		natsConnection_ProcessWriteEvent(watch->connection);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !is_removed(watch)) {
		natsConnection_ProcessReadEvent(watch->connection);
		tell_listeners(watch->loop);
	}
}

/* Takes one out that the library knows no longer, or returns NULL. */
static struct watch *
take_dead(struct sl_nats_loop *loop)
{
	struct watch *dead = NULL;
	pthread_mutex_lock(&loop->lock);
	for (struct watch **at = &loop->watches; *at && !dead;) {
		if ((*at)->is_dead) {
			dead = *at;
			*at = dead->next;
		} else {
			at = &(*at)->next;
		}
	}
	pthread_mutex_unlock(&loop->lock);
	return dead;
}

static void
free_dead(struct sl_nats_loop *loop)
{
	struct watch *dead;
	while ((dead = take_dead(loop))) {
		let_go(dead->connection);
		free(dead);
	}
}

static bool
is_stopping(struct sl_nats_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	bool stopping = loop->is_stopping;
	pthread_mutex_unlock(&loop->lock);
	return stopping;
}

static void *
run(void *arg)
{
	struct sl_nats_loop *loop = arg;
	struct epoll_event events[EVENTS_MAX];
	while (!is_stopping(loop)) {
		int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			uint64_t times;
			if (events[i].data.ptr)
				dispatch(events[i].data.ptr, events[i].events);
			else if (read(loop->wake_fd, &times, sizeof times) < 0)
				continue; /* somebody else's wake-up */
		}
		free_dead(loop);
	}
	return NULL;
}

/* ---- from start to end ---- */

static void
close_files(struct sl_nats_loop *loop)
{
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
}

int
sl_nats_loop_create(struct sl_nats_loop **out)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct sl_nats_loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return SL_ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&loop->lock, NULL);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
			epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0 ||
			pthread_create(&loop->thread, NULL, run, loop) != 0) {
		close_files(loop);
		pthread_mutex_destroy(&loop->lock);
		free(loop);
		return SL_EIO;
	}
	*out = loop;
	return 0;
}

void
sl_nats_loop_destroy(struct sl_nats_loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->is_stopping = true;
	pthread_mutex_unlock(&loop->lock);
	wake(loop);
	pthread_join(loop->thread, NULL);
	free_dead(loop);
	close_files(loop);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}
