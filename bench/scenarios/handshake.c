/* A new connection: what the server pays for one that asks for messages once and ends, in CPU time;
 * under TLS with a handshake, in full or by a session's ticket. As when opening, the server is paused
 * while some dozens of clients connect, so that it finds their first bytes together. */
#include <string.h>

#include "bench/load/exchanges.h"
#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "bench/load/tls.h"
#include "util/err.h"

#define CONNECTIONS 64
#define SECONDS 1.0
#define QUICK_SECONDS 0.3

struct shaking {
	struct bench_exchanges exchanges;
	struct sl_buffer request;
	bool resumes;
	struct bench_usage used;
	uint64_t wakeups;
	unsigned connected, resumed;
};

static json_t *
handshake_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:s,s:i},{s:s,s:i}]", "handshake", "full", "connections", CONNECTIONS,
		"handshake", "resumed", "connections", CONNECTIONS);
}

static int
await_one(struct shaking *shaking)
{
	struct bench_exchanges *exchanges = &shaking->exchanges;
	unsigned index;
	int err = bench_exchanges_await(exchanges, &index);
	if (err)
		return err;
	const struct bench_exchange *exchange = &exchanges->list[index];
	if (exchange->stream.tls)
		shaking->resumed += bench_tls_link_is_resumed(exchange->stream.tls);
	return exchange->http.status == 200 ? 0 : SL_EPROTO;
}

/* All connections at once, which are closed in the end. */
static int
do_round(struct shaking *shaking, unsigned connections)
{
	struct bench_exchanges *exchanges = &shaking->exchanges;
	const struct bench_server *server = exchanges->server;
	int err = 0;
	bench_process_pause(&server->process);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage before = bench_usage_take(server);
	struct bench_effort own = { 0 }, own_before = bench_effort_now(&exchanges->wait);
	for (unsigned i = 0; i < connections && !err; i++)
		err = bench_exchanges_ask(exchanges, i, shaking->request.bytes, shaking->request.len);
	bench_process_resume(&server->process);
	for (unsigned i = 0; i < connections && !err; i++)
		err = await_one(shaking);
	bench_effort_add(&own, &own_before, &exchanges->wait);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage after = bench_usage_take(server);
	bench_usage_add(&shaking->used, &before, &after);
	shaking->wakeups += own.wakeups;
	shaking->connected += connections;
	if (shaking->resumes && exchanges->tls && !err)
		err = bench_tls_remember(exchanges->tls, exchanges->list[0].stream.tls);
	bench_exchanges_close(exchanges);
	return err;
}

/* The first round gets the ticket, the second is for what the server sets up once. */
static int
measure(struct shaking *shaking, double seconds)
{
	int err = do_round(shaking, 1);
	if (!err)
		err = do_round(shaking, CONNECTIONS);
	shaking->used = (struct bench_usage){ 0 };
	shaking->wakeups = shaking->connected = shaking->resumed = 0;
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	while (!err && bench_now_ns() < end)
		err = do_round(shaking, CONNECTIONS);
	return err;
}

static void
set_figures(const struct shaking *shaking, json_t *repeat)
{
	static const struct bench_usage nothing;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(figures, "cpu_us_per_connection",
		json_real((double)shaking->used.server_ns / 1e3 / shaking->connected));
	json_object_set_new(figures, "connections", json_integer(shaking->connected));
	if (shaking->exchanges.tls)
		json_object_set_new(figures, "resumed", json_integer(shaking->resumed));
	bench_usage_set_wakeups(figures, "connection", shaking->wakeups, &nothing, &shaking->used,
		shaking->connected);
}

static int
handshake_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const char *handshake = json_string_value(json_object_get(params, "handshake"));
	struct shaking shaking = { .resumes = strcmp(handshake, "resumed") == 0 };
	char channel[BENCH_CHANNEL_MAX];
	bench_generator_name_channel(run, "bench", 0, channel);
	run->server->peer->subscribe(&shaking.request, run->server, BENCH_POLL, channel, "");
	int err = bench_exchanges_init(&shaking.exchanges, run, CONNECTIONS);
	if (!err)
		err = sl_buffer_status(&shaking.request);
	if (!err)
		err = measure(&shaking, bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS));
	/* One that was not of the kind that is measured would be a figure of something else. */
	if (!err && shaking.exchanges.tls
		&& shaking.resumed != (shaking.resumes ? shaking.connected : 0))
		err = SL_EPROTO;
	if (!err)
		set_figures(&shaking, repeat);
	bench_exchanges_finish(&shaking.exchanges);
	sl_buffer_finish(&shaking.request);
	return err;
}

const struct bench_scenario bench_scenario_handshake = {
	.name = "handshake",
	.title = "handshake: the server's CPU time for a new connection with one poll",
	.by_name = true,
	.busy_polling = true,
	.instead_of_transport = "http",
	.needs = BENCH_HAS(BENCH_POLL),
	.why_no_target = "the bench cannot pause a target",
	.cases = handshake_cases,
	.measure = handshake_measure,
};
