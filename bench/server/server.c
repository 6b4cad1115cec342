/* Starting in a folder, stopping, connecting. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/network/network.h"
#include "bench/peer.h"
#include "bench/server/server.h"
#include "bench/server/signer.h"
#include "util/clock.h"
#include "util/err.h"

#define START_WAIT_MS 15000
#define BACKLOG 4096

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int
bench_listen(uint16_t *port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0
		|| getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

int
bench_server_connect(const struct bench_server *server)
{
	int on = 1, fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* A send timeout bounds connect() as well; on close the port is free at once, without
	 * TIME_WAIT, so that runs of many connections do not use up the ports. */
	struct timeval limit = { .tv_sec = 5 };
	struct linger abort_on_close = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_on_close, sizeof abort_on_close);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (const struct sockaddr *)&server->address, server->address_len) != 0
		|| fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
set_address(struct bench_server *server)
{
	struct sockaddr_in address = loopback(server->port);
	inet_pton(AF_INET, server->ip, &address.sin_addr);
	memcpy(&server->address, &address, sizeof address);
	server->address_len = sizeof address;
	snprintf(server->host, sizeof server->host, "%s:%u", server->ip, server->port);
}

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static bool
is_ready(const struct bench_server *server)
{
	int fd = bench_server_connect(server);
	if (fd < 0)
		return false;
	close(fd);
	return !server->peer->is_ready || server->peer->is_ready(server);
}

static int
wait_until_ready(const struct bench_server *server)
{
	uint64_t until = sl_clock_monotonic_ms() + START_WAIT_MS;
	while (sl_clock_monotonic_ms() < until) {
		if (is_ready(server))
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	return SL_EIO;
}

/* What a server that did not start had to say goes to standard error. */
static void
show_log(const struct bench_server *server)
{
	char path[BENCH_FOLDER_MAX + 16], line[512];
	snprintf(path, sizeof path, "%s/stderr.log", server->folder);
	FILE *log = fopen(path, "re");
	for (int lines = 0; log && lines < 20 && fgets(line, sizeof line, log); lines++)
		fprintf(stderr, "%s: %s", server->peer->name, line);
	if (log)
		fclose(log);
}

int
bench_server_start(struct bench_server *server, const struct bench_peer *peer,
	const struct bench_settings *settings, const struct bench_network *network)
{
	*server = (struct bench_server){ .peer = peer, .process.output = -1, .network = network,
		.ip = network ? BENCH_NETWORK_SERVER : "127.0.0.1", .folder = "/tmp/sluice-bench.XXXXXX" };
	if (!mkdtemp(server->folder))
		return SL_EIO;
	/* Workers that gave up root must get in as well. */
	int err = chmod(server->folder, 0755) == 0 ? 0 : SL_EIO;
	if (!err && network)
		err = bench_network_enter_server(network);
	if (!err)
		err = peer->start(server, settings);
	set_address(server);
	if (!err)
		err = wait_until_ready(server);
	if (!err && network)
		err = bench_network_enter_client(network);
	if (err) {
		show_log(server);
		bench_server_stop(server);
		return err;
	}
	/* Workers and first allocations settle before anything is measured. */
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	bench_process_find_children(&server->process);
	return 0;
}

void
bench_server_stop(struct bench_server *server)
{
	if (server->is_target)
		return;
	bench_process_stop(&server->process);
	if (server->folder[0])
		nftw(server->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	server->folder[0] = '\0';
	bench_signer_destroy(server->signer);
	free(server->authorization);
	server->signer = NULL;
	server->authorization = NULL;
}

const char *
bench_server_authorization(const struct bench_server *server)
{
	return server->authorization ? server->authorization : "";
}
