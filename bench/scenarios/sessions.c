/* Sessions of clients that poll: what one costs, how soon those that were abandoned are gone with their memory, and
 * what a client notices of a flood of them by another one. A session begins with a handshake of Engine.IO, the
 * first request of such a client. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load/exchanges.h"
#include "bench/load/fetch.h"
#include "bench/load/schedule.h"
#include "bench/results/histogram.h"
#include "bench/scenario.h"
#include "util/err.h"

#define SESSIONS 10000
#define QUICK_SESSIONS 1000
#define CONNECTIONS 64
#define GONE_WITHIN_NS UINT64_C(20000000000)
#define LOOK_NS 50000000
#define REST_NS 300000000 /* connections that were closed are freed */

/* The other client opens them one after the other. */
#define HONEST_RATE 100
#define HONEST_S 3.0
#define QUICK_HONEST_S 0.5
#define FLOOD_ADDRESS "127.0.0.2"
#define FLOOD_CONNECTIONS 4
#define FLOOD_PIPELINED 32
#define ID_MAX 64

static json_t *
sessions_cases(const struct bench_settings *settings)
{
	unsigned count = settings->connections ? settings->connections
		: settings->quick ? QUICK_SESSIONS : SESSIONS;
	return json_pack("[{s:s,s:i},{s:s,s:i}]", "sessions", "abandoned", "count", (int)count,
		"sessions", "flood", "count", 0);
}

static int
append_handshake(struct sl_buffer *out, const struct bench_server *server, const char *query)
{
	sl_buffer_printf(out, "GET %s/engine.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
		server->base, query, server->host, bench_server_authorization(server));
	return sl_buffer_status(out);
}

/* How many there are now, by the gateway's own count. */
static int
count_now(struct bench_exchanges *exchanges, uint64_t *now, uint64_t *expired)
{
	json_t *stats;
	int err = bench_fetch_json(exchanges->server, exchanges->tls, "/stats", &stats);
	if (err)
		return err;
	*now = (uint64_t)json_integer_value(json_object_get(stats, "sessions_now"));
	*expired = (uint64_t)json_integer_value(json_object_get(
		json_object_get(stats, "limits"), "sessions_expired"));
	json_decref(stats);
	return 0;
}

/* ---- abandoned ---- */

/* As fast as the gateway answers: one handshake is under way on each connection. */
static int
open_all(struct bench_exchanges *exchanges, unsigned count)
{
	struct sl_buffer request = SL_BUFFER_INIT;
	unsigned asked = 0, answered = 0, index;
	int err = append_handshake(&request, exchanges->server, "&channels=bench.sessions");
	for (; !err && asked < count && asked < exchanges->count; asked++)
		err = bench_exchanges_ask(exchanges, asked, request.bytes, request.len);
	while (!err && answered < count) {
		err = bench_exchanges_await(exchanges, &index);
		if (!err && exchanges->list[index].http.status != 200)
			err = SL_EPROTO;
		answered++;
		if (!err && asked < count) {
			err = bench_exchanges_ask(exchanges, index, request.bytes, request.len);
			asked++;
		}
	}
	sl_buffer_finish(&request);
	return err;
}

static int
await_end(struct bench_exchanges *exchanges, uint64_t *gone_ns, uint64_t *expired)
{
	uint64_t now = 1, until_ns = bench_now_ns() + GONE_WITHIN_NS;
	int err = 0;
	while (!err && now > 0) {
		if (bench_now_ns() > until_ns)
			return SL_EAGAIN;
		bench_wait_until(&exchanges->wait, bench_now_ns() + LOOK_NS);
		err = count_now(exchanges, &now, expired);
	}
	*gone_ns = bench_now_ns();
	return err;
}

static double
get_memory_kib(const struct bench_server *server)
{
	return (double)bench_process_pss_kib(&server->process);
}

/* Opens them and tells what the process has grown to. */
static int
fill(struct bench_exchanges *exchanges, unsigned count, double *kib)
{
	uint64_t now = 0, expired;
	int err = open_all(exchanges, count);
	bench_exchanges_close(exchanges);
	bench_wait_until(&exchanges->wait, bench_now_ns() + REST_NS);
	*kib = get_memory_kib(exchanges->server);
	if (!err)
		err = count_now(exchanges, &now, &expired);
	return !err && now < count ? SL_EPROTO : err;
}

/* A process keeps what it has freed: that it was freed shows when as many come again. */
static int
measure_abandoned(struct bench_exchanges *exchanges, unsigned count, json_t *figures)
{
	double before_kib, full_kib, again_kib;
	uint64_t expired, gone_ns, start_ns;
	int err = fill(exchanges, exchanges->count, &before_kib); /* what there is once */
	if (!err)
		err = fill(exchanges, count, &full_kib);
	start_ns = bench_now_ns() - REST_NS;
	if (!err)
		err = await_end(exchanges, &gone_ns, &expired);
	if (!err)
		err = fill(exchanges, count, &again_kib);
	if (err)
		return err;
	json_object_set_new(figures, "count", json_integer(count));
	json_object_set_new(figures, "process_kib", json_real((full_kib - before_kib) / count));
	json_object_set_new(figures, "again_kib", json_real((again_kib - full_kib) / count));
	json_object_set_new(figures, "gone_us", json_real((double)(gone_ns - start_ns) / 1e3));
	json_object_set_new(figures, "expired", json_integer((json_int_t)expired));
	return 0;
}

/* ---- a flood ---- */

struct flood {
	const struct bench_server *server;
	pthread_t thread;
	_Atomic bool is_over;
	uint64_t answers, refused; /* by their status */
	uint64_t sessions;         /* that it had at the end, by the gateway's own count */
};

static int
connect_from(const struct bench_server *server, const char *address)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct timeval limit = { .tv_usec = 200000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, address, &from.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 &&
			connect(fd, (const struct sockaddr *)&server->address, server->address_len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Answers are told by their first lines, wherever reads end but for one that is cut, which is not counted. */
static void
count_answers(struct flood *flood, const char *text)
{
	for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")); at += 9) {
		flood->answers++;
		flood->refused += strncmp(at + 9, "200", 3) != 0;
	}
}

static void *
run_flood(void *argument)
{
	struct flood *flood = argument;
	struct sl_buffer requests = SL_BUFFER_INIT;
	char input[65536];
	int fds[FLOOD_CONNECTIONS] = { -1, -1, -1, -1 };
	for (int i = 0; i < FLOOD_PIPELINED; i++)
		append_handshake(&requests, flood->server, "");
	for (unsigned i = 0; !flood->is_over; i = (i + 1) % FLOOD_CONNECTIONS) {
		ssize_t got = -1;
		if (fds[i] < 0)
			fds[i] = connect_from(flood->server, FLOOD_ADDRESS);
		if (fds[i] >= 0 && send(fds[i], requests.bytes, requests.len, MSG_NOSIGNAL) > 0)
			got = recv(fds[i], input, sizeof input - 1, 0);
		if (got > 0) {
			input[got] = '\0';
			count_answers(flood, input);
		} else if (fds[i] >= 0) {
			close(fds[i]);
			fds[i] = -1;
		}
	}
	for (unsigned i = 0; i < FLOOD_CONNECTIONS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	sl_buffer_finish(&requests);
	return NULL;
}

struct honest {
	struct bench_exchanges exchanges;
	struct bench_histogram opening;
	unsigned opened, lost;
	char (*ids)[ID_MAX];
};

/* 0{"sid":"...", the only answer that is of use. */
static bool
read_id(const struct bench_http *http, char id[ID_MAX])
{
	char body[BENCH_BODY_KEPT + 1];
	snprintf(body, sizeof body, "%.*s", (int)http->body_kept, http->body);
	const char *at = strstr(body, "\"sid\":\"");
	return http->status == 200 && at && sscanf(at + 7, "%63[^\"]", id) == 1;
}

static int
exchange(struct honest *honest, const struct sl_buffer *request)
{
	unsigned index;
	int err = sl_buffer_status(request);
	if (!err)
		err = bench_exchanges_ask(&honest->exchanges, 0, request->bytes, request->len);
	return err ? err : bench_exchanges_await(&honest->exchanges, &index);
}

static int
open_by_schedule(struct honest *honest, unsigned count)
{
	struct sl_buffer request = SL_BUFFER_INIT;
	uint64_t start_ns = bench_now_ns();
	int err = append_handshake(&request, honest->exchanges.server, "");
	for (unsigned i = 0; !err && i < count; i++) {
		uint64_t due_ns = start_ns + (uint64_t)i * 1000000000u / HONEST_RATE;
		bench_wait_until(&honest->exchanges.wait, due_ns);
		err = exchange(honest, &request);
		bench_histogram_record(&honest->opening, bench_now_ns() - due_ns);
		if (!err && read_id(&honest->exchanges.list[0].http, honest->ids[honest->opened]))
			honest->opened++;
	}
	sl_buffer_finish(&request);
	return err;
}

/* Each says something: a session that was evicted would be unknown. */
static int
look_for_lost(struct honest *honest)
{
	const struct bench_server *server = honest->exchanges.server;
	struct sl_buffer request = SL_BUFFER_INIT;
	int err = 0;
	for (unsigned i = 0; !err && i < honest->opened; i++) {
		sl_buffer_clear(&request);
		sl_buffer_printf(&request, "POST %s/engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\n"
			"Host: %s\r\n%sContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\n\r\n4x",
			server->base, honest->ids[i], server->host, bench_server_authorization(server));
		err = exchange(honest, &request);
		honest->lost += !err && honest->exchanges.list[0].http.status != 200;
	}
	sl_buffer_finish(&request);
	return err;
}

static int
attend(struct honest *honest, const struct bench_run *run, struct flood *flood, unsigned count)
{
	uint64_t now, expired;
	int err = bench_exchanges_init(&honest->exchanges, run, 1);
	if (!err)
		err = pthread_create(&flood->thread, NULL, run_flood, flood) == 0 ? 0 : SL_EIO;
	if (err)
		return err;
	err = open_by_schedule(honest, count);
	if (!err)
		err = count_now(&honest->exchanges, &now, &expired);
	if (!err)
		err = look_for_lost(honest);
	flood->is_over = true;
	pthread_join(flood->thread, NULL);
	flood->sessions = !err && now > honest->opened ? now - honest->opened : 0;
	return err;
}

static void
set_flood_figures(const struct honest *honest, const struct flood *flood, unsigned count, json_t *repeat)
{
	json_t *figures = json_object_get(repeat, "figures");
	bench_histogram_set_figures(&honest->opening, figures);
	json_object_set_new(repeat, "histogram", bench_histogram_json(&honest->opening));
	json_object_set_new(figures, "count", json_integer(honest->opened));
	json_object_set_new(figures, "refused", json_integer(count - honest->opened));
	json_object_set_new(figures, "lost", json_integer(honest->lost));
	json_object_set_new(figures, "flood_sessions", json_integer((json_int_t)flood->sessions));
	json_object_set_new(figures, "flood_asked", json_integer((json_int_t)flood->answers));
	json_object_set_new(figures, "flood_refused", json_integer((json_int_t)flood->refused));
}

/* A gateway as operators have it: the bench's own has no limits. */
static int
start_limited(struct bench_server *server, const struct bench_settings *settings)
{
	char log[BENCH_FOLDER_MAX + 24];
	const char *argv[] = { settings->sluice_path, "--listen", "127.0.0.1:0", "--shards", "1", NULL };
	snprintf(log, sizeof log, "%s/limited.log", server->folder);
	server->process = (struct bench_process){ .output = -1 };
	int err = bench_process_start(&server->process, argv, settings->server_core, log);
	if (!err)
		err = bench_process_read_port(&server->process, &server->port);
	((struct sockaddr_in *)&server->address)->sin_port = htons(server->port);
	snprintf(server->host, sizeof server->host, "127.0.0.1:%u", server->port);
	return err;
}

static int
measure_flood(const struct bench_run *run, json_t *repeat)
{
	const struct bench_settings *settings = run->settings;
	unsigned count = (unsigned)(HONEST_RATE *
		bench_scenario_seconds(settings, HONEST_S, QUICK_HONEST_S));
	struct bench_server server = *run->server;
	struct bench_run own = *run;
	struct honest *honest = calloc(1, sizeof *honest);
	struct flood flood = { .server = &server };
	if (!honest || !(honest->ids = calloc(count, sizeof *honest->ids))) {
		free(honest);
		return SL_ENOMEM;
	}
	own.server = &server;
	int err = start_limited(&server, settings);
	if (!err)
		err = attend(honest, &own, &flood, count);
	if (!err)
		set_flood_figures(honest, &flood, count, repeat);
	bench_exchanges_finish(&honest->exchanges);
	bench_process_stop(&server.process);
	free(honest->ids);
	free(honest);
	return err;
}

static int
sessions_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	unsigned count = (unsigned)json_integer_value(json_object_get(params, "count"));
	struct bench_exchanges exchanges;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	if (count == 0)
		return measure_flood(run, repeat);
	int err = bench_exchanges_init(&exchanges, run, CONNECTIONS);
	if (!err)
		err = measure_abandoned(&exchanges, count, figures);
	bench_exchanges_finish(&exchanges);
	return err;
}

const struct bench_scenario bench_scenario_sessions = {
	.name = "sessions",
	.title = "sessions: thousands that clients abandon, and a flood of them by one client",
	.by_name = true,
	.instead_of_transport = "polling",
	.needs_request = true,
	.needs_process = true,
	.why_no_target = "it opens more sessions than a gateway allows a client",
	.why_no_network = "it asks in turn on a few connections",
	.cases = sessions_cases,
	.measure = sessions_measure,
};
