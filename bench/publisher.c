/* Publishing: connections that stay, answers counted, nothing waited for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "util/err.h"

#define MAX_BURST 100

int
bench_publisher_flush(struct bench_publisher *publisher)
{
	struct sl_buffer *pending = &publisher->pending;
	if (sl_buffer_status(pending) != 0)
		return SL_ENOMEM;
	if (pending->len == 0)
		return 0;
	ssize_t sent = send(publisher->fd, pending->bytes, pending->len, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : SL_ECLOSED;
	sl_buffer_consume(pending, (size_t)sent);
	return 0;
}

int
bench_publisher_open(struct bench_load *load, struct bench_publisher *publisher)
{
	const struct bench_peer *peer = load->server->peer;
	bool opens = load->bursts && peer->open_burst;
	publisher->fd = bench_server_connect(load->server);
	if (publisher->fd < 0)
		return SL_EIO;
	publisher->open = !opens;
	if (opens)
		peer->open_burst(&publisher->pending, load->server);
	int err = bench_publisher_flush(publisher);
	return err ? err : bench_load_watch(load, publisher->fd,
		(unsigned)(publisher - load->publishers), true);
}

void
bench_publisher_read(struct bench_load *load, struct bench_publisher *publisher)
{
	ssize_t got = recv(publisher->fd, load->input, BENCH_INPUT_BYTES, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		/* The next flush reports it. */
		close(publisher->fd);
		publisher->fd = -1;
		return;
	}
	if (!publisher->open)
		publisher->open = bench_token_count(&load->publisher_opening,
			&publisher->opening_matched, load->input, (size_t)got) > 0;
	unsigned answers = bench_token_count(&load->publisher_answer, &publisher->answer_matched,
		load->input, (size_t)got);
	publisher->outstanding -= answers < publisher->outstanding ? answers : publisher->outstanding;
}

unsigned
bench_load_draw(struct bench_load *load)
{
	if (!load->own_channels)
		return 0;
	uint32_t x = load->random; /* xorshift32, Marsaglia 2003 */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	load->random = x;
	return x % load->subscriber_count;
}

int
bench_load_publish(struct bench_load *load, unsigned number, unsigned burst)
{
	const struct bench_peer *peer = load->server->peer;
	char channel[24] = "bench", payloads[MAX_BURST * BENCH_PAYLOAD_BYTES];
	if (burst > MAX_BURST || load->published[number] + burst > BENCH_SEQ_MAX)
		return SL_ETOOBIG;
	if (load->own_channels)
		snprintf(channel, sizeof channel, "bench%u", number);
	for (unsigned i = 0; i < burst; i++)
		bench_payload_write(load->published[number]++, payloads + i * BENCH_PAYLOAD_BYTES);
	/* A channel keeps to one connection: over two, its messages may change places. */
	struct bench_publisher *publisher = &load->publishers[number % load->publisher_count];
	if (load->bursts && peer->publish_burst) {
		publisher->outstanding += peer->publish_burst(&publisher->pending, load->server, channel,
			payloads, BENCH_PAYLOAD_BYTES, burst);
	} else {
		for (unsigned i = 0; i < burst; i++)
			peer->publish(&publisher->pending, load->server, channel,
				payloads + i * BENCH_PAYLOAD_BYTES, BENCH_PAYLOAD_BYTES);
		publisher->outstanding += burst;
	}
	load->expected += (uint64_t)burst * (load->own_channels ? 1 : load->subscriber_count);
	return bench_publisher_flush(publisher);
}
