/* permessage-deflate: bytes on the wire and the server's CPU time for messages of JSON, for websockets that
 * offer it and for such that do not, on the same gateway. One message is under way at a time: published, and
 * then awaited by every subscriber. The frames of one subscriber are read to their end, inflated and held against what
 * was published; of the others the frames are counted. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load/exchanges.h"
#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "bench/load/schedule.h"
#include "bench/load/tls.h"
#include "bench/load/usage.h"
#include "util/deflate.h"
#include "util/err.h"

#define MANY 200
#define QUICK_MANY 20
#define SECONDS 1.0
#define QUICK_SECONDS 0.3
#define WARM_UP 3 /* messages */
#define WAIT_NS 3000000000u
#define INPUT_BYTES 65536
#define EVENTS 64
#define OFFER "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
#define TEXT 0x81 /* of a frame's first byte: the last one of a text message */
#define RSV1 0x40

static const unsigned payloads[] = { 256, 1024, 16384 };

/* One subscriber. */
struct listener {
	struct bench_stream stream;
	struct sl_buffer head;  /* owns: of the answer, until it has ended; then of the frame */
	bool is_open;           /* the answer has ended */
	bool is_text, is_compressed;
	uint64_t left;          /* of the frame's payload */
	unsigned frames;        /* of messages, the first object among them */
};

struct deflating {
	struct bench_run *run;
	struct bench_exchanges publisher;
	struct listener *listeners; /* owns */
	unsigned count;
	bool compresses;
	int epoll;
	char *input;                /* owns */
	struct sl_buffer sample;    /* owns: payload of the first subscriber's frame */
	struct sl_deflater *deflater;
	char channel[BENCH_CHANNEL_MAX];
	struct sl_buffer json, request; /* of the message under way */
	size_t payload_len;
	uint32_t seq;
	unsigned wrong;             /* samples that are not what was published */
	uint64_t object_bytes;      /* of the objects, in all */
};

static json_t *
deflate_cases(const struct bench_settings *settings)
{
	unsigned many = settings->subscribers ? settings->subscribers
		: settings->quick ? QUICK_MANY : MANY;
	const unsigned counts[] = { 1, many };
	json_t *cases = json_array();
	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
		for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
			for (unsigned compresses = 0; compresses < 2; compresses++)
				json_array_append_new(cases, json_pack("{s:i,s:i,s:s}", "payload", (int)payloads[i],
					"subscribers", (int)counts[k], "compression", compresses ? "deflate" : "none"));
	return cases;
}

/* ---- messages ---- */

static uint32_t
draw(uint32_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

/* Orders, as a backend may send them: names repeat, numbers do not. Exactly `len` bytes. */
static void
compose_json(struct sl_buffer *out, uint32_t seq, size_t len)
{
	static const char *const symbols[] = { "SIEB", "VOLV", "NOKI", "ASML", "ABBN", "ENEL" };
	static const char *const words[] = { "partly ", "filled ", "at ", "market ", "limit ", "order ",
		"waiting ", "for ", "venue " };
	uint32_t random = seq * 2654435761u + 1;
	sl_buffer_clear(out);
	sl_buffer_printf(out, "{\"seq\":%u,\"orders\":[", seq);
	for (const char *comma = ""; out->len + 150 < len; comma = ",") {
		uint32_t one = draw(&random), other = draw(&random);
		sl_buffer_printf(out, "%s{\"id\":\"%08x\",\"symbol\":\"%s\",\"side\":\"%s\",\"price\":%u.%02u,"
			"\"quantity\":%u,\"time\":17900%08u}", comma, one, symbols[other % 6],
			one & 1 ? "buy" : "sell", other % 900 + 100, one % 100, other >> 20,
			one % 100000000);
	}
	sl_buffer_append_str(out, "],\"note\":\"");
	while (out->len + 2 < len) {
		const char *word = words[draw(&random) % 9];
		size_t room = len - 2 - out->len, word_len = strlen(word);
		sl_buffer_append(out, word, word_len < room ? word_len : room);
	}
	sl_buffer_append_str(out, "\"}");
}

/* The object that subscribers get ends with the payload and a brace. */
static void
check_sample(struct deflating *d, bool is_compressed)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	const struct sl_buffer *object = &d->sample;
	int err = 0;
	if (is_compressed) {
		err = sl_deflater_inflate(d->deflater, d->sample.bytes, d->sample.len, 1 << 20, &text);
		object = &text;
	}
	bool is_right = !err && object->len > d->json.len + 1 && is_compressed == d->compresses &&
		memcmp(object->bytes + object->len - 1 - d->json.len, d->json.bytes, d->json.len) == 0;
	d->wrong += !is_right;
	d->object_bytes += object->len;
	sl_buffer_finish(&text);
}

/* ---- frames ---- */

/* Moves `*at` behind what belongs to a frame's head; true once that has ended. */
static bool
take_head(struct listener *l, const char **at, const char *end)
{
	while (*at < end) {
		sl_buffer_append(&l->head, (*at)++, 1);
		const unsigned char *head = (const unsigned char *)l->head.bytes;
		if (l->head.len < 2)
			continue;
		size_t len_bytes = head[1] == 127 ? 8 : head[1] == 126 ? 2 : 0;
		if (l->head.len < 2 + len_bytes)
			continue;
		l->left = len_bytes ? 0 : head[1];
		for (size_t i = 0; i < len_bytes; i++)
			l->left = l->left << 8 | head[2 + i];
		l->is_text = (head[0] | RSV1) == (TEXT | RSV1);
		l->is_compressed = head[0] & RSV1;
		return true;
	}
	return false;
}

static void
take_frames(struct deflating *d, struct listener *l, const char *at, const char *end)
{
	bool is_sample = l == d->listeners;
	while (at < end || (l->is_text && l->left == 0)) {
		if (!l->is_text && l->left == 0 && !take_head(l, &at, end))
			return;
		size_t taken = (size_t)(end - at) < l->left ? (size_t)(end - at) : (size_t)l->left;
		if (is_sample && l->is_text)
			sl_buffer_append(&d->sample, at, taken);
		at += taken;
		l->left -= taken;
		if (l->left > 0)
			return;
		if (l->is_text && is_sample && l->frames > 0)
			check_sample(d, l->is_compressed);
		if (is_sample)
			sl_buffer_clear(&d->sample);
		l->frames += l->is_text;
		l->is_text = false;
		sl_buffer_clear(&l->head);
	}
}

/* The answer's head: whether the extension is agreed on as it should be. */
static int
take_answer(struct deflating *d, struct listener *l, const char *bytes, size_t len)
{
	sl_buffer_append(&l->head, bytes, len);
	const char *end = memmem(l->head.bytes, l->head.len, "\r\n\r\n", 4);
	if (!end)
		return sl_buffer_status(&l->head);
	size_t head_len = (size_t)(end - l->head.bytes) + 4;
	static const char field[] = "Sec-WebSocket-Extensions: permessage-deflate";
	bool is_agreed = memmem(l->head.bytes, head_len, field, sizeof field - 1) != NULL;
	bool is_upgraded = head_len > 12 && memcmp(l->head.bytes + 9, "101", 3) == 0;
	if (!is_upgraded || is_agreed != d->compresses)
		return SL_EPROTO;
	struct sl_buffer rest = l->head;
	l->head = (struct sl_buffer)SL_BUFFER_INIT;
	l->is_open = true;
	take_frames(d, l, rest.bytes + head_len, rest.bytes + rest.len);
	sl_buffer_finish(&rest);
	return 0;
}

static int
watch(struct deflating *d, unsigned index, int operation)
{
	struct bench_stream *stream = &d->listeners[index].stream;
	struct epoll_event event = {
		.events = EPOLLIN | (bench_stream_wants_write(stream) ? EPOLLOUT : 0), .data.u32 = index,
	};
	return epoll_ctl(d->epoll, operation, stream->fd, &event) == 0 ? 0 : SL_EIO;
}

static int
read_more(struct deflating *d, unsigned index)
{
	struct listener *l = &d->listeners[index];
	int got, err = 0;
	if (bench_stream_wants_write(&l->stream)) {
		err = bench_stream_flush(&l->stream);
		if (!err)
			err = watch(d, index, EPOLL_CTL_MOD);
	}
	do {
		got = err ? err : bench_stream_recv(&l->stream, d->input, INPUT_BYTES);
		if (got > 0 && l->is_open)
			take_frames(d, l, d->input, d->input + got);
		else if (got > 0)
			err = take_answer(d, l, d->input, (size_t)got);
	} while (!err && got > 0 && bench_stream_reads_on(&l->stream));
	return err || got >= 0 || got == SL_EAGAIN ? err : got;
}

/* Until each subscriber has `frames` of them. */
static int
await_frames(struct deflating *d, unsigned frames)
{
	unsigned complete = 0;
	for (unsigned i = 0; i < d->count; i++)
		complete += d->listeners[i].frames >= frames;
	while (complete < d->count) {
		struct epoll_event events[EVENTS];
		int count = bench_wait_events(&d->publisher.wait, d->epoll, events, EVENTS, WAIT_NS);
		if (count <= 0)
			return count == 0 ? SL_EAGAIN : SL_EIO;
		for (int i = 0; i < count; i++) {
			struct listener *l = &d->listeners[events[i].data.u32];
			bool was_complete = l->frames >= frames;
			int err = read_more(d, events[i].data.u32);
			if (err)
				return err;
			complete += !was_complete && l->frames >= frames;
		}
	}
	return 0;
}

/* ---- one repeat ---- */

static int
open_listeners(struct deflating *d)
{
	const struct bench_server *server = d->run->server;
	struct sl_buffer *request = &d->request;
	char channel[BENCH_CHANNEL_MAX + 16];
	/* No heartbeat falls into a window as short as this. */
	snprintf(channel, sizeof channel, "%s&heartbeat=60", d->channel);
	sl_buffer_clear(request);
	server->peer->subscribe(request, server, BENCH_WEBSOCKET, channel, "");
	if (d->compresses) {
		request->len -= 2; /* the empty line */
		sl_buffer_append_str(request, OFFER "\r\n");
	}
	int err = sl_buffer_status(request);
	for (unsigned i = 0; i < d->count && !err; i++) {
		struct bench_stream *stream = &d->listeners[i].stream;
		err = bench_stream_open(stream, server, d->publisher.tls);
		if (!err)
			err = bench_stream_send(stream, request->bytes, request->len);
		if (!err)
			err = watch(d, i, EPOLL_CTL_ADD);
	}
	return err ? err : await_frames(d, 1);
}

/* So that a publish is one write, also under TLS. */
static int
open_publisher(struct deflating *d)
{
	const struct bench_server *server = d->run->server;
	unsigned index;
	sl_buffer_clear(&d->request);
	server->peer->request(&d->request, server, false);
	int err = sl_buffer_status(&d->request);
	if (!err)
		err = bench_exchanges_ask(&d->publisher, 0, d->request.bytes, d->request.len);
	return err ? err : bench_exchanges_await(&d->publisher, &index);
}

static int
do_message(struct deflating *d)
{
	const struct bench_server *server = d->run->server;
	unsigned index;
	compose_json(&d->json, d->seq++, d->payload_len);
	sl_buffer_clear(&d->request);
	sl_buffer_printf(&d->request, "POST %s/publish?channel=%s HTTP/1.1\r\nHost: %s\r\n%s"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", server->base, d->channel,
		server->host, bench_server_authorization(server), d->json.len);
	sl_buffer_append(&d->request, d->json.bytes, d->json.len);
	int err = sl_buffer_status(&d->request);
	if (!err)
		err = bench_exchanges_ask(&d->publisher, 0, d->request.bytes, d->request.len);
	if (!err)
		err = await_frames(d, d->seq + 1);
	if (!err)
		err = bench_exchanges_await(&d->publisher, &index);
	return !err && d->publisher.list[0].http.status != 200 ? SL_EBACKEND : err;
}

static uint64_t
sum_wire(const struct deflating *d)
{
	uint64_t wire = 0;
	for (unsigned i = 0; i < d->count; i++)
		wire += d->listeners[i].stream.wire_in;
	return wire;
}

static int
count_compressed(const struct deflating *d, double *compressed)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	const struct bench_server *server = d->run->server;
	int err = bench_fetch_text(server, d->publisher.tls, server->peer->metrics_path, &text);
	if (!err && !bench_metric_find(text.bytes, "sluice_deflate_messages_total", compressed))
		err = SL_EPROTO;
	sl_buffer_finish(&text);
	return err;
}

/* What a window of messages cost. */
struct window {
	struct bench_usage before, after;
	struct bench_effort effort;
	uint64_t wire;
	double compressed;
	unsigned messages;
};

static int
measure_window(struct deflating *d, double seconds, struct window *w)
{
	double compressed_before = 0;
	int err = count_compressed(d, &compressed_before);
	if (err)
		return err;
	bench_usage_settle(d->run->server, &d->publisher.wait);
	w->before = bench_usage_take(d->run->server);
	w->wire = sum_wire(d);
	w->messages = d->seq;
	d->object_bytes = 0;
	struct bench_effort before = bench_effort_now(&d->publisher.wait);
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	while (!err && bench_now_ns() < end)
		err = do_message(d);
	bench_effort_add(&w->effort, &before, &d->publisher.wait);
	bench_usage_settle(d->run->server, &d->publisher.wait);
	w->after = bench_usage_take(d->run->server);
	w->wire = sum_wire(d) - w->wire;
	w->messages = d->seq - w->messages;
	if (!err)
		err = count_compressed(d, &w->compressed);
	w->compressed -= compressed_before;
	return err;
}

static void
set_figures(const struct deflating *d, const struct window *w, json_t *repeat)
{
	json_t *figures = json_object();
	double deliveries = (double)w->messages * d->count;
	double server_us = (double)(w->after.server_ns - w->before.server_ns) / 1e3;
	unsigned late = 0, many = 0;
	for (unsigned i = 0; i < d->count; i++) {
		late += d->listeners[i].frames < d->seq + 1;
		many += d->listeners[i].frames > d->seq + 1;
	}
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(repeat, "expected", json_integer((json_int_t)deliveries));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)deliveries));
	json_object_set_new(repeat, "lost", json_integer(late));
	json_object_set_new(repeat, "doubled", json_integer(many));
	json_object_set_new(repeat, "reordered", json_integer(d->wrong));
	json_object_set_new(figures, "object_bytes", json_real((double)d->object_bytes / w->messages));
	json_object_set_new(figures, "wire_per_delivery", json_real((double)w->wire / deliveries));
	json_object_set_new(figures, "wire_share",
		json_real((double)w->wire / ((double)d->object_bytes * d->count)));
	json_object_set_new(figures, "compressed_per_message", json_real(w->compressed / w->messages));
	json_object_set_new(figures, "samples", json_integer(w->messages));
	if (server_us > 0) {
		json_object_set_new(figures, "cpu_us_per_message", json_real(server_us / w->messages));
		json_object_set_new(figures, "cpu_us_per_delivery", json_real(server_us / deliveries));
	}
	bench_usage_set_wakeups(figures, "message", w->effort.wakeups, &w->before, &w->after, w->messages);
}

static int
begin(struct deflating *d, struct bench_run *run, const json_t *params)
{
	*d = (struct deflating){
		.run = run, .epoll = -1,
		.payload_len = (size_t)json_integer_value(json_object_get(params, "payload")),
		.count = bench_generator_connections(
			(unsigned)json_integer_value(json_object_get(params, "subscribers"))),
		.compresses = strcmp(json_string_value(json_object_get(params, "compression")), "none") != 0,
	};
	bench_generator_name_channel(run, "bench", 0, d->channel);
	int err = bench_exchanges_init(&d->publisher, run, 1);
	if (!err)
		err = sl_deflater_create(&d->deflater);
	if (err)
		return err;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->input = malloc(INPUT_BYTES);
	d->listeners = calloc(d->count, sizeof *d->listeners);
	if (!d->input || !d->listeners)
		return SL_ENOMEM;
	for (unsigned i = 0; i < d->count; i++)
		d->listeners[i].stream.fd = -1;
	return d->epoll >= 0 ? 0 : SL_EIO;
}

static void
finish(struct deflating *d)
{
	for (unsigned i = 0; d->listeners && i < d->count; i++) {
		bench_stream_close(&d->listeners[i].stream);
		sl_buffer_finish(&d->listeners[i].head);
	}
	if (d->epoll >= 0)
		close(d->epoll);
	bench_exchanges_finish(&d->publisher);
	sl_deflater_destroy(d->deflater);
	sl_buffer_finish(&d->sample);
	sl_buffer_finish(&d->json);
	sl_buffer_finish(&d->request);
	free(d->listeners);
	free(d->input);
}

static int
deflate_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct deflating d;
	struct window w = { 0 };
	int err = begin(&d, run, params);
	if (!err)
		err = open_listeners(&d);
	if (!err)
		err = open_publisher(&d);
	for (unsigned i = 0; i < WARM_UP && !err; i++)
		err = do_message(&d);
	if (!err)
		err = measure_window(&d, bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS), &w);
	if (!err && (d.wrong || w.messages == 0))
		err = SL_EPROTO; /* figures of something else */
	if (!err)
		set_figures(&d, &w, repeat);
	finish(&d);
	return err;
}

const struct bench_scenario bench_scenario_deflate = {
	.name = "deflate",
	.title = "deflate: bytes and the server's CPU time for JSON with permessage-deflate and without",
	.by_name = true,
	.busy_polling = true,
	.instead_of_transport = "websocket",
	.needs = BENCH_HAS(BENCH_WEBSOCKET),
	.needs_request = true,
	.needs_compression = true,
	.why_no_target = "a target may compress nothing, or no small messages",
	.cases = deflate_cases,
	.measure = deflate_measure,
};
