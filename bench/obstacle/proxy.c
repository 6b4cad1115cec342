#include "bench/obstacle/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/obstacle/connection.h"
#include "util/err.h"

void
ob_print_address(const char *word, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0
		|| getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	printf(address.ss_family == AF_INET6 ? "%s [%s]:%s\n" : "%s %s:%s\n", word, host, port);
	fflush(stdout);
}

/* splitmix64. */
static uint64_t
next_random(struct ob_proxy *proxy)
{
	uint64_t z = proxy->random += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

bool
ob_proxy_draw(struct ob_proxy *proxy, uint32_t share)
{
	if (share == 0 || share >= OB_MILLION)
		return share != 0;
	return next_random(proxy) % OB_MILLION < share;
}

static void
handle_accept(struct sl_watch *watch, uint32_t events)
{
	struct ob_proxy *proxy = ((struct ob_listener *)(void *)watch)->proxy;
	int fd;
	while ((fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (proxy->open >= proxy->settings.connections_max) {
			proxy->counts.refused++;
			close(fd);
			continue;
		}
		proxy->counts.connections++;
		ob_connection_open(proxy, fd);
	}
}

static int
open_listeners(struct ob_proxy *proxy, const struct ob_addresses *addresses)
{
	int fds[OB_ADDRESSES_MAX];
	int err = ob_addresses_listen(addresses, fds, &proxy->listener_count);
	for (unsigned i = 0; i < proxy->listener_count; i++) {
		struct ob_listener *listener = &proxy->listeners[i];
		listener->proxy = proxy;
		listener->watch = (struct sl_watch){ .on_ready = handle_accept, .fd = -1 };
		if (err == 0)
			err = sl_loop_add(&proxy->loop, &listener->watch, fds[i], EPOLLIN);
		if (listener->watch.fd < 0)
			close(fds[i]);
	}
	return err;
}

int
ob_proxy_open(struct ob_proxy *proxy, const struct ob_settings *settings,
	const struct ob_addresses *addresses, struct ob_fault_set *faults, uint64_t seed)
{
	memset(proxy, 0, sizeof *proxy);
	proxy->settings = *settings;
	proxy->faults = faults;
	proxy->random = seed;
	proxy->last = &proxy->first;
	if (sl_loop_init(&proxy->loop) != 0)
		return SL_EIO;
	for (unsigned i = 0; i < faults->count; i++)
		faults->faults[i].set_ms = proxy->loop.now_ms;
	return open_listeners(proxy, addresses);
}

void
ob_proxy_close(struct ob_proxy *proxy)
{
	while (proxy->first)
		ob_connection_close(proxy->first);
	for (unsigned i = 0; i < proxy->listener_count; i++)
		if (proxy->listeners[i].watch.fd >= 0)
			close(proxy->listeners[i].watch.fd);
	sl_loop_finish(&proxy->loop);
	ob_fault_set_unref(proxy->faults);
	ob_cache_finish(&proxy->cache);
	sl_buffer_finish(&proxy->content);
	sl_buffer_finish(&proxy->wire);
}

void
ob_proxy_set_faults(struct ob_proxy *proxy, struct ob_fault_set *faults)
{
	struct ob_connection *next;
	ob_fault_set_unref(proxy->faults);
	proxy->faults = faults;
	for (struct ob_connection *conn = proxy->first; conn; conn = next) {
		next = conn->next;
		ob_connection_change_faults(conn);
	}
}
