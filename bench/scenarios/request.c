/* The baseline: a plain request and its answer, over a new connection each time and over one
 * that is kept. Requests are due by a schedule; one that is late counts from when it was due. */
#include <stdlib.h>
#include <string.h>

#include "bench/load/http.h"
#include "bench/load/schedule.h"
#include "bench/load/stream.h"
#include "bench/load/tls.h"
#include "bench/load/usage.h"
#include "bench/marker.h"
#include "bench/scenario.h"
#include "util/err.h"

#define RATE 400
#define SECONDS 1.0
#define QUICK_SECONDS 0.3
#define WARM_UP 50
#define ANSWER_WAIT_NS 3000000000u
#define INPUT_BYTES 16384
#define PAYLOAD_BYTES 128
/* A SYN and its answer carry 8 bytes of options that later segments do not (MSS, window
 * scale and SACK permitted beside the timestamps); the reset at the end is a segment. */
#define SYN_EXTRA 8

struct traffic {
	uint64_t down, up;
};

struct client {
	const struct bench_server *server;
	struct bench_tls *tls;
	struct bench_stream stream;
	struct bench_http http;
	struct sl_buffer request;
	struct bench_wait wait;
	bool publishes, keeps;
	struct traffic closed; /* of connections that have ended */
	char input[INPUT_BYTES];
};

static json_t *
request_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]",
		"request", "get", "connection", "new", "request", "get", "connection", "kept",
		"request", "publish", "connection", "new", "request", "publish", "connection", "kept");
}

static struct traffic
traffic_of(const struct bench_stream *stream, bool whole)
{
	struct bench_segments segments = bench_stream_segments(stream);
	unsigned once = segments.header_bytes && whole ? SYN_EXTRA : 0;
	uint64_t reset = whole ? segments.header_bytes : 0;
	return (struct traffic){
		.down = stream->wire_in + segments.in * segments.header_bytes + once,
		.up = stream->wire_out + segments.out * segments.header_bytes + once + reset,
	};
}

static int
wait_for_answer(struct client *client)
{
	struct bench_stream *stream = &client->stream;
	struct pollfd socket = { .fd = stream->fd, .events = POLLIN };
	if (bench_stream_wants_write(stream))
		socket.events |= POLLOUT;
	if (bench_wait_socket(&client->wait, &socket, ANSWER_WAIT_NS) == 0)
		return SL_EAGAIN;
	return socket.revents & POLLOUT ? bench_stream_flush(stream) : 0;
}

static int
read_answer(struct client *client)
{
	struct bench_http *http = &client->http;
	bench_http_restart(http);
	while (http->state != BENCH_HTTP_DONE) {
		int got = bench_stream_recv(&client->stream, client->input, sizeof client->input);
		if (got == SL_EAGAIN) {
			int err = wait_for_answer(client);
			if (err)
				return err;
			continue;
		}
		if (got < 0)
			return got;
		for (size_t at = 0, taken; at < (size_t)got; at += taken) {
			int piece = bench_http_next(http, client->input + at, (size_t)got - at, &taken);
			if (piece < 0)
				return piece;
		}
	}
	return http->status / 100 == 2 ? 0 : SL_EPROTO;
}

static void
end_connection(struct client *client)
{
	if (client->stream.fd < 0)
		return;
	struct traffic traffic = traffic_of(&client->stream, true);
	client->closed.down += traffic.down;
	client->closed.up += traffic.up;
	bench_stream_close(&client->stream);
}

static void
compose(struct client *client, uint32_t seq)
{
	const struct bench_peer *peer = client->server->peer;
	char payload[PAYLOAD_BYTES];
	sl_buffer_clear(&client->request);
	bench_payload_fill(seq, payload, sizeof payload);
	if (client->publishes)
		peer->publish(&client->request, client->server, "bench", payload, sizeof payload);
	else
		peer->request(&client->request, client->server, false);
}

static int
do_request(struct client *client, uint32_t seq)
{
	int err = 0;
	compose(client, seq);
	if (client->stream.fd < 0)
		err = bench_stream_open(&client->stream, client->server, client->tls);
	if (!err)
		err = bench_stream_send(&client->stream, client->request.bytes, client->request.len);
	if (!err)
		err = read_answer(client);
	if (err || !client->keeps || bench_http_closes(&client->http))
		end_connection(client);
	return err;
}

struct times {
	struct bench_histogram answer, late;
};

static int
run(struct client *client, const struct bench_schedule *schedule, struct times *times)
{
	int err = 0;
	uint64_t free_ns = 0; /* late is the timer's fault only when nothing else held us up */
	for (uint32_t i = 0; i < schedule->count && !err; i++) {
		uint64_t due = bench_schedule_due(schedule, i);
		bench_wait_until(&client->wait, due);
		uint64_t woke = bench_now_ns();
		bench_histogram_record(&times->late, free_ns > due ? woke - free_ns : woke - due);
		err = do_request(client, schedule->first + i);
		free_ns = bench_now_ns();
		bench_histogram_record(&times->answer, free_ns - due);
	}
	return err;
}

static struct traffic
traffic_so_far(const struct client *client)
{
	struct traffic traffic = { 0 };
	if (client->stream.fd >= 0)
		traffic = traffic_of(&client->stream, false);
	traffic.down += client->closed.down;
	traffic.up += client->closed.up;
	return traffic;
}

static void
set_figures(json_t *repeat, const struct times *times, double count,
	const struct traffic *before, const struct traffic *after)
{
	json_t *figures = json_object();
	bench_histogram_set_figures(&times->answer, figures);
	json_object_set_new(repeat, "histogram", bench_histogram_json(&times->answer));
	json_object_set_new(figures, "down_total", json_real((double)(after->down - before->down) / count));
	json_object_set_new(figures, "up_total", json_real((double)(after->up - before->up) / count));
	json_object_set_new(repeat, "figures", figures);
}

static int
measure_window(struct client *client, const struct bench_settings *settings, struct times *times,
	json_t *repeat)
{
	double seconds = bench_scenario_seconds(settings, SECONDS, QUICK_SECONDS);
	struct bench_schedule warm_up = {
		.start_ns = bench_now_ns(), .rate = 1e6, .count = WARM_UP, .burst = 1,
	};
	struct bench_schedule window = {
		.rate = RATE, .first = WARM_UP, .count = (uint32_t)(RATE * seconds) + 1, .burst = 1,
	};
	int err = run(client, &warm_up, times);
	if (err)
		return err;
	*times = (struct times){ 0 };
	struct traffic traffic_before = traffic_so_far(client);
	struct bench_usage before = bench_usage_take(client->server);
	struct bench_effort own = { 0 }, own_before = bench_effort_now(&client->wait);
	window.start_ns = bench_now_ns();
	err = run(client, &window, times);
	bench_effort_add(&own, &own_before, &client->wait);
	struct bench_usage after = bench_usage_take(client->server);
	struct traffic traffic_after = traffic_so_far(client);
	if (err)
		return err;
	set_figures(repeat, times, window.count, &traffic_before, &traffic_after);
	json_t *figures = json_object_get(repeat, "figures");
	if (client->server->process.pid)
		json_object_set_new(figures, "cpu_us_per_request",
			json_real((double)(after.server_ns - before.server_ns) / 1e3 / window.count));
	bench_usage_set_wakeups(figures, "request", own.wakeups, &before, &after, window.count);
	struct bench_generator_use use = { .busy_polls = client->wait.busy_polls };
	bench_generator_use_add(&use, &own);
	bench_usage_set_generator(repeat, &use, &times->late, true);
	return 0;
}

static int
request_measure(struct bench_run *run_, const json_t *params, json_t *repeat)
{
	const char *request = json_string_value(json_object_get(params, "request"));
	const char *connection = json_string_value(json_object_get(params, "connection"));
	struct client *client = calloc(1, sizeof *client);
	struct times *times = calloc(1, sizeof *times);
	int err = client && times ? 0 : SL_ENOMEM;
	if (err)
		goto out;
	client->server = run_->server;
	client->stream.fd = -1;
	client->wait.busy_polls = run_->busy_polling;
	client->publishes = strcmp(request, "publish") == 0;
	client->keeps = strcmp(connection, "kept") == 0;
	err = bench_tls_create(&client->tls, run_->settings, run_->server);
	if (!err)
		err = measure_window(client, run_->settings, times, repeat);
	bench_stream_close(&client->stream);
	bench_http_finish(&client->http);
	bench_tls_destroy(client->tls);
	sl_buffer_finish(&client->request);
out:
	free(client);
	free(times);
	return err;
}

const struct bench_scenario bench_scenario_request = {
	.name = "request",
	.title = "plain requests: the baseline",
	.busy_polling = true,
	.instead_of_transport = "http",
	.needs_request = true,
	.why_no_network = "it asks 400 times per second, each time after the previous answer",
	.cases = request_cases,
	.measure = request_measure,
};
