/* One subscriber: opens, reads, counts; a long-poll asks again after each answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "util/err.h"

static void
close_subscriber(struct bench_load *load, struct bench_subscriber *subscriber)
{
	close(subscriber->fd);
	subscriber->fd = -1;
	load->closed_count++;
}

static int
send_request(struct bench_load *load, struct bench_subscriber *subscriber)
{
	char channel[24] = "bench";
	if (load->own_channels)
		snprintf(channel, sizeof channel, "bench%u", (unsigned)(subscriber - load->subscribers));
	struct sl_buffer *request = &load->scratch;
	sl_buffer_clear(request);
	load->server->peer->subscribe(request, load->server, load->transport, channel, subscriber->cursor);
	if (sl_buffer_status(request) != 0)
		return SL_ENOMEM;
	ssize_t sent = send(subscriber->fd, request->bytes, request->len, MSG_NOSIGNAL);
	return sent == (ssize_t)request->len ? 0 : SL_EIO;
}

int
bench_subscriber_open(struct bench_load *load, unsigned index)
{
	struct bench_subscriber *subscriber = &load->subscribers[index];
	subscriber->fd = bench_server_connect(load->server);
	if (subscriber->fd < 0)
		return SL_EIO;
	int err = send_request(load, subscriber);
	if (!err)
		err = bench_load_watch(load, subscriber->fd, index, false);
	if (!err && !load->server->peer->opened[load->transport]) {
		subscriber->open = true;
		load->open_count++;
	}
	return err;
}

static void
count_deliveries(struct bench_load *load, struct bench_subscriber *subscriber,
	const char *bytes, size_t len)
{
	unsigned fresh = bench_counter_feed(&subscriber->counter, bytes, len);
	if (fresh) {
		load->delivered += fresh;
		load->last_delivery_ns = bench_now_ns();
	}
}

static void
read_stream(struct bench_load *load, struct bench_subscriber *subscriber, size_t len)
{
	if (!subscriber->open && bench_token_count(&load->subscriber_opening, &subscriber->matched,
		load->input, len)) {
		subscriber->open = true;
		load->open_count++;
	}
	count_deliveries(load, subscriber, load->input, len);
}

static int
take_answer(struct bench_load *load, struct bench_subscriber *subscriber,
	const struct bench_answer *answer)
{
	if (answer->status != 200)
		return SL_EPROTO;
	count_deliveries(load, subscriber, answer->body, answer->body_len);
	int is_open = load->server->peer->take_cursor(answer, subscriber->cursor);
	if (is_open < 0)
		return is_open;
	if (is_open && !subscriber->open) {
		subscriber->open = true;
		load->open_count++;
	}
	return send_request(load, subscriber);
}

/* An answer mostly comes in one piece and is then read where it lies. */
static int
read_answers(struct bench_load *load, struct bench_subscriber *subscriber, size_t len)
{
	const char *bytes = load->input;
	struct sl_buffer *rest = &subscriber->rest;
	struct bench_answer answer;
	int found, err = 0;
	if (rest->len) {
		sl_buffer_append(rest, bytes, len);
		bytes = rest->bytes;
		len = rest->len;
	}
	size_t used = 0;
	while ((found = bench_answer_parse(&answer, bytes + used, len - used)) > 0 && !err) {
		err = take_answer(load, subscriber, &answer);
		used += answer.head_len + answer.body_len;
	}
	if (rest->len)
		sl_buffer_consume(rest, used);
	else
		sl_buffer_append(rest, bytes + used, len - used);
	return found < 0 ? found : err ? err : sl_buffer_status(rest);
}

void
bench_subscriber_read(struct bench_load *load, struct bench_subscriber *subscriber)
{
	ssize_t got = recv(subscriber->fd, load->input, BENCH_INPUT_BYTES, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close_subscriber(load, subscriber);
	} else if (load->transport != BENCH_LONGPOLL) {
		read_stream(load, subscriber, (size_t)got);
	} else if (read_answers(load, subscriber, (size_t)got) != 0) {
		close_subscriber(load, subscriber);
	}
}
