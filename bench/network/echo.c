#include "bench/network/echo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/network/network.h"
#include "bench/results/statistics.h"
#include "util/err.h"

#define BACKLOG 64
#define PAYLOAD_BYTES 64
#define PIECE_BYTES 65536
#define RETRY_MS 10

static struct sockaddr_in
server_address(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(BENCH_ECHO_PORT),
		.sin_addr.s_addr = inet_addr(BENCH_NETWORK_SERVER) };
}

int
bench_echo_listen(void)
{
	struct sockaddr_in address = server_address();
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return SL_EIO;
		bytes += sent;
		len -= (size_t)sent;
	}
	return 0;
}

static void *
echo(void *argument)
{
	char bytes[PIECE_BYTES];
	int fd = (int)(intptr_t)argument;
	ssize_t len;
	while ((len = recv(fd, bytes, sizeof bytes, 0)) > 0)
		if (send_all(fd, bytes, (size_t)len) != 0)
			break;
	close(fd);
	return NULL;
}

void
bench_echo_serve(int listener)
{
	for (;;) {
		pthread_t thread;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && pthread_create(&thread, NULL, echo, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
		else if (fd >= 0)
			close(fd);
		else /* out of descriptors, say: not again at once */
			nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000 }, NULL);
	}
}

static double
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
take_round(int fd, double *ms)
{
	char bytes[PAYLOAD_BYTES] = { 0 };
	double from_ms = now_ms();
	if (send_all(fd, bytes, sizeof bytes) != 0)
		return SL_EIO;
	ssize_t got = recv(fd, bytes, sizeof bytes, MSG_WAITALL);
	*ms = now_ms() - from_ms;
	if (got >= 0 && got < (ssize_t)sizeof bytes)
		errno = ECONNRESET;
	return got == (ssize_t)sizeof bytes ? 0 : SL_EIO;
}

int
bench_echo_measure(struct bench_echo *echo, unsigned rounds)
{
	struct sockaddr_in address = server_address();
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return SL_EIO;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	double from_ms = now_ms();
	int err = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : SL_EIO;
	echo->connect_ms = now_ms() - from_ms;
	for (echo->rounds = 0; !err && echo->rounds < rounds; echo->rounds += !err)
		err = take_round(fd, &echo->round_ms[echo->rounds]);
	int saved = errno;
	close(fd);
	errno = saved;
	return err;
}

json_t *
bench_echo_json(struct bench_echo *echo)
{
	unsigned rounds = echo->rounds;
	double p50 = bench_percentile(echo->round_ms, rounds, 50);
	double p90 = bench_percentile(echo->round_ms, rounds, 90);
	return json_pack("{s:f, s:i, s:f, s:f, s:f, s:f}", "connect_ms", echo->connect_ms,
		"rounds", (int)rounds, "min_ms", bench_percentile(echo->round_ms, rounds, 0), "p50_ms", p50,
		"p90_ms", p90, "max_ms", bench_percentile(echo->round_ms, rounds, 100));
}
