#include "bench/load/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/schedule.h"
#include "util/err.h"

#define EVENTS_A_TURN 128
#define OPENING_AT_ONCE 64
#define OPEN_WAIT_NS 30000000000u
#define TICK_NS 1000000u

static const unsigned char close_frame[] = { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8 }; /* 1000 */

int
bench_crowd_init(struct bench_crowd *crowd, const struct bench_server *server,
	struct bench_tls *tls, enum bench_transport transport, unsigned count)
{
	*crowd = (struct bench_crowd){ .server = server, .tls = tls, .transport = transport,
		.clients = calloc(count, sizeof *crowd->clients), .count = count,
		.due_ns = calloc(count, sizeof *crowd->due_ns), .epoll = epoll_create1(EPOLL_CLOEXEC),
		.input = malloc(BENCH_CROWD_INPUT) };
	if (!crowd->clients || !crowd->due_ns || !crowd->input)
		return SL_ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		crowd->clients[i].links[0].stream.fd = crowd->clients[i].links[1].stream.fd = -1;
		crowd->due_ns[i] = UINT64_MAX;
	}
	return crowd->epoll >= 0 ? 0 : SL_EIO;
}

void
bench_crowd_finish(struct bench_crowd *crowd)
{
	for (unsigned i = 0; crowd->clients && i < 2 * crowd->count; i++) {
		struct bench_crowd_client *client = &crowd->clients[i / 2];
		bench_stream_close(&client->links[i % 2].stream);
		bench_http_finish(&client->links[i % 2].http);
		free(client->authorization[i % 2]);
	}
	if (crowd->epoll >= 0)
		close(crowd->epoll);
	free(crowd->clients);
	free(crowd->due_ns);
	free(crowd->input);
	sl_buffer_finish(&crowd->scratch);
}

static int
fail(struct bench_crowd *crowd, const struct bench_crowd_client *client, const char *why,
	unsigned number)
{
	if (!*crowd->why)
		snprintf(crowd->why, sizeof crowd->why, "client %u: %s (%u)",
			(unsigned)(client - crowd->clients), why, number);
	return SL_EPROTO;
}

static int
watch(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which, bool is_new)
{
	struct bench_crowd_link *link = &client->links[which];
	bool wanted = bench_stream_wants_write(&link->stream);
	struct epoll_event event = { .events = EPOLLIN | (wanted ? EPOLLOUT : 0),
		.data.u64 = 2 * (uint64_t)(client - crowd->clients) + which };
	if (!is_new && wanted == link->watched_for_write)
		return 0;
	link->watched_for_write = wanted;
	return epoll_ctl(crowd->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, link->stream.fd, &event)
		== 0 ? 0 : SL_EIO;
}

/* With FIN, as a client's own end is; the generator's streams end by a reset otherwise. */
static void
close_link(struct bench_crowd_link *link)
{
	static const struct linger none;
	if (link->stream.fd >= 0)
		setsockopt(link->stream.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	bench_stream_close(&link->stream);
	link->open = link->leaving = false;
}

/* Behind the client's cursor, which is none at first. */
static int
open_link(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which,
	char *authorization)
{
	struct bench_crowd_link *link = &client->links[which];
	struct bench_server own = *crowd->server;
	own.authorization = authorization;
	bench_http_restart(&link->http);
	*link = (struct bench_crowd_link){ .stream.fd = -1, .http = link->http,
		.position = client->number };
	sl_buffer_clear(&crowd->scratch);
	own.peer->subscribe(&crowd->scratch, &own, crowd->transport, crowd->channel, client->cursor);
	int err = sl_buffer_status(&crowd->scratch);
	if (!err)
		err = bench_stream_open(&link->stream, crowd->server, crowd->tls);
	if (!err)
		err = watch(crowd, client, which, true);
	if (!err)
		err = bench_stream_send(&link->stream, crowd->scratch.bytes, crowd->scratch.len);
	return err ? err : watch(crowd, client, which, false);
}

static int
send_close(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which)
{
	struct bench_crowd_link *link = &client->links[which];
	link->leaving = true;
	int err = bench_stream_send(&link->stream, (const char *)close_frame, sizeof close_frame);
	return err && err != SL_ECLOSED ? err : watch(crowd, client, which, false);
}

/* A WebSocket says so, and waits for the gateway to end it. */
static int
let_go(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which)
{
	if (crowd->transport == BENCH_WEBSOCKET)
		return send_close(crowd, client, which);
	close_link(&client->links[which]);
	return 0;
}

/* Once the new link has all that the old one has brought. */
static int
end_renewal(struct bench_crowd *crowd, struct bench_crowd_client *client)
{
	unsigned old = client->current, new = !old;
	if (!client->links[new].open || client->links[new].position < client->links[old].position)
		return 0;
	client->current = new;
	client->renews = false;
	crowd->renewed++;
	return let_go(crowd, client, old);
}

static void
take_message(struct bench_crowd *crowd, struct bench_crowd_client *client,
	struct bench_crowd_link *link)
{
	uint64_t number = bench_cursor_number(link->scan.cursor);
	if (number <= link->position)
		crowd->doubled++;
	else
		link->position = number;
	if (number <= client->number) {
		crowd->overlap++;
		return;
	}
	client->number = number;
	strcpy(client->cursor, link->scan.cursor);
	crowd->delivered += bench_counter_take(&client->counter, link->scan.seq);
}

static void
take_cursor(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which)
{
	struct bench_crowd_link *link = &client->links[which];
	uint64_t number = bench_cursor_number(link->scan.cursor);
	if (number > link->position)
		link->position = number;
	if (which == client->current && number > client->number) {
		client->number = number;
		strcpy(client->cursor, link->scan.cursor);
	}
	if (link->open)
		return;
	link->open = true;
	crowd->open_count += which == client->current;
}

static int
answer_pings(struct bench_crowd_link *link, const char *bytes, size_t len)
{
	const char *end = bytes + len;
	char pong[BENCH_PONG_MAX];
	int err = 0;
	while (!err && bench_frames_next_ping(&link->frames, &bytes, end))
		err = bench_stream_send(&link->stream, pong, bench_frames_write_pong(&link->frames, pong));
	return err;
}

/* The gateway ends the client's stream; it may only as `expects` says. */
static int
note_end(struct bench_crowd *crowd, struct bench_crowd_client *client)
{
	struct bench_crowd_ends *ends = &crowd->ends;
	const struct bench_bye *bye = &client->links[client->current].bye;
	unsigned retry_ms;
	uint64_t now = bench_now_ns();
	if (!bench_bye_is(bye, &crowd->expects, &retry_ms)) {
		ends->wrong++;
		return fail(crowd, client, *bye->text ? bye->text : "its link ended without a bye", retry_ms);
	}
	ends->retry_min_ms = ends->count == 0 || retry_ms < ends->retry_min_ms ? retry_ms
		: ends->retry_min_ms;
	ends->retry_max_ms = retry_ms > ends->retry_max_ms ? retry_ms : ends->retry_max_ms;
	ends->first_ns = ends->count == 0 ? now : ends->first_ns;
	ends->last_ns = now;
	ends->count++;
	crowd->open_count--;
	client->away = true;
	if (crowd->comes_back)
		crowd->due_ns[client - crowd->clients] = now + (uint64_t)retry_ms * 1000000;
	return 0;
}

static int
take_body(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which,
	const char *bytes, size_t len)
{
	struct bench_crowd_link *link = &client->links[which];
	const char *at = bytes, *end = bytes + len;
	enum bench_found found;
	while (!link->leaving && (found = bench_scan_next(&link->scan, &at, end)) != BENCH_FOUND_NOTHING) {
		if (found == BENCH_FOUND_MESSAGE)
			take_message(crowd, client, link);
		else
			take_cursor(crowd, client, which);
	}
	int err = crowd->transport == BENCH_WEBSOCKET ? answer_pings(link, bytes, len) : 0;
	if (!err && !link->leaving && !client->away && which == client->current
		&& bench_bye_take(&link->bye, bytes, len))
		err = note_end(crowd, client);
	if (!err && link->frames.closed && !link->leaving)
		err = send_close(crowd, client, which);
	if (!err && client->renews)
		err = end_renewal(crowd, client);
	return err;
}

static int
take_bytes(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which,
	size_t len)
{
	struct bench_crowd_link *link = &client->links[which];
	int err = 0;
	for (size_t at = 0, taken; at < len && !err; at += taken) {
		/* Behind the end of a chunked answer nothing comes. */
		int piece = bench_http_next(&link->http, crowd->input + at, len - at, &taken);
		if (piece < 0)
			return fail(crowd, client, "what came is not an HTTP answer", link->http.status);
		if (link->http.status >= 400)
			return fail(crowd, client, "refused", link->http.status);
		if (piece == BENCH_PIECE_BODY)
			err = take_body(crowd, client, which, crowd->input + at, taken);
		if (link->stream.fd < 0)
			break;
	}
	return err;
}

/* It ended: as it should, where the client lets it go or was told. */
static int
note_closed(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which)
{
	struct bench_crowd_link *link = &client->links[which];
	bool was_told = link->leaving || (client->away && which == client->current);
	close_link(link);
	return was_told ? 0 : fail(crowd, client, "its link ended without a bye", link->http.status);
}

static int
read_link(struct bench_crowd *crowd, struct bench_crowd_client *client, unsigned which)
{
	struct bench_crowd_link *link = &client->links[which];
	if (link->stream.fd < 0)
		return 0;
	int got, err = bench_stream_flush(&link->stream);
	do {
		got = err ? err : bench_stream_recv(&link->stream, crowd->input, BENCH_CROWD_INPUT);
		if (got > 0)
			err = take_bytes(crowd, client, which, (size_t)got);
	} while (!err && got > 0 && link->stream.fd >= 0 && bench_stream_reads_on(&link->stream));
	if (got == SL_ECLOSED || err == SL_ECLOSED)
		return note_closed(crowd, client, which);
	if (!err && got < 0 && got != SL_EAGAIN)
		err = got;
	return err || link->stream.fd < 0 ? err : watch(crowd, client, which, false);
}

static int
come_back(struct bench_crowd *crowd, struct bench_crowd_client *client)
{
	close_link(&client->links[client->current]);
	client->away = false;
	crowd->returned++;
	return open_link(crowd, client, client->current, client->authorization[1]);
}

static int
do_due(struct bench_crowd *crowd)
{
	uint64_t now = bench_now_ns();
	int err = 0;
	for (unsigned i = 0; i < crowd->count && !err; i++) {
		struct bench_crowd_client *client = &crowd->clients[i];
		if (crowd->due_ns[i] > now)
			continue;
		crowd->due_ns[i] = UINT64_MAX;
		if (client->away) {
			err = come_back(crowd, client);
		} else {
			client->renews = true;
			err = open_link(crowd, client, !client->current, client->authorization[1]);
		}
	}
	return err;
}

static int
turn(struct bench_crowd *crowd)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = bench_wait_events(&crowd->wait, crowd->epoll, events, EVENTS_A_TURN, TICK_NS);
	int err = count < 0 ? SL_EIO : 0;
	for (int i = 0; i < count && !err; i++)
		err = read_link(crowd, &crowd->clients[events[i].data.u64 / 2], events[i].data.u64 % 2);
	return err ? err : do_due(crowd);
}

int
bench_crowd_open(struct bench_crowd *crowd)
{
	uint64_t limit = bench_now_ns() + OPEN_WAIT_NS;
	int err = 0;
	for (unsigned i = 0; i < crowd->count && !err; i++) {
		err = open_link(crowd, &crowd->clients[i], 0, crowd->clients[i].authorization[0]);
		while (!err && crowd->open_count + OPENING_AT_ONCE <= i)
			err = bench_now_ns() < limit ? turn(crowd) : SL_EAGAIN;
	}
	while (!err && crowd->open_count < crowd->count)
		err = bench_now_ns() < limit ? turn(crowd) : SL_EAGAIN;
	return err;
}

int
bench_crowd_serve(struct bench_crowd *crowd,
	bool (*is_done)(const struct bench_crowd *crowd, const void *argument), const void *argument,
	uint64_t until_ns)
{
	int err = 0;
	while (!err) {
		if (is_done && is_done(crowd, argument))
			return 0;
		if (bench_now_ns() >= until_ns)
			return is_done ? SL_EAGAIN : 0;
		err = turn(crowd);
	}
	return err;
}

uint64_t
bench_crowd_lost(const struct bench_crowd *crowd, uint32_t published, bool is_whole)
{
	uint64_t lost = 0;
	for (unsigned i = 0; i < crowd->count; i++) {
		const struct bench_counter *counter = &crowd->clients[i].counter;
		lost += counter->skipped;
		lost += is_whole && published > counter->next ? published - counter->next : 0;
	}
	return lost;
}
