/* Tokens: what the server pays for a request over a kept connection, a poll or a publish, whose token it
 * has seen before, and for one whose token is new, in CPU time. As when publishing, the server is paused
 * while some dozens of clients send, so that it finds their requests together. On a server without tokens
 * the same requests go without. */
#include <stdlib.h>
#include <string.h>

#include "bench/load/exchanges.h"
#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "bench/load/usage.h"
#include "bench/marker.h"
#include "util/err.h"

#define CONNECTIONS 64
#define PAYLOAD_BYTES 128
#define SECONDS 1.0
#define QUICK_SECONDS 0.3
#define WARM_UP 3 /* rounds: what a server sets up for a connection that is kept */
#define TOKEN_S 3600

struct asking {
	struct bench_run *run;
	struct bench_exchanges exchanges;
	struct sl_buffer requests[CONNECTIONS]; /* owns: of one round */
	char channel[BENCH_CHANNEL_MAX], cursor[BENCH_CURSOR_MAX];
	bool publishes, renews;
	uint32_t seq; /* of the next message */
	struct bench_usage used;
	uint64_t wakeups;
	unsigned asked;
};

/* By the gateway's own count. */
struct identified {
	double verified, cached;
};

static json_t *
token_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]",
		"request", "poll", "token", "seen", "request", "poll", "token", "new",
		"request", "publish", "token", "seen", "request", "publish", "token", "new");
}

static void
compose(struct asking *asking, struct sl_buffer *request, const struct bench_server *server)
{
	const struct bench_peer *peer = server->peer;
	char payload[PAYLOAD_BYTES];
	sl_buffer_clear(request);
	if (asking->publishes) {
		bench_payload_fill(asking->seq++ % BENCH_SEQ_MAX, payload, sizeof payload);
		peer->publish(request, server, asking->channel, payload, sizeof payload);
	} else {
		peer->subscribe(request, server, BENCH_POLL, asking->channel, asking->cursor);
	}
}

static int
compose_with_new_token(struct asking *asking, struct sl_buffer *request)
{
	struct bench_server own = *asking->run->server;
	int64_t now_s = bench_wall_clock_s();
	const struct bench_grant grant = { .subject = "bench", .issued_s = now_s,
		.expires_s = now_s + TOKEN_S, .channels = "*" };
	own.authorization = bench_signer_make_field(own.signer, &grant);
	if (!own.authorization)
		return SL_ENOMEM;
	compose(asking, request, &own);
	free(own.authorization);
	return sl_buffer_status(request);
}

/* Before the server is paused: signing takes longer than all the rest. */
static int
compose_all(struct asking *asking)
{
	int err = 0;
	for (unsigned i = 0; i < CONNECTIONS && !err; i++) {
		struct sl_buffer *request = &asking->requests[i];
		if (asking->renews && asking->run->server->signer) {
			err = compose_with_new_token(asking, request);
		} else {
			compose(asking, request, asking->run->server);
			err = sl_buffer_status(request);
		}
	}
	return err;
}

static int
await_one(struct asking *asking)
{
	unsigned index;
	int err = bench_exchanges_await(&asking->exchanges, &index);
	if (err)
		return err;
	struct bench_answer answer = bench_http_answer(&asking->exchanges.list[index].http);
	if (answer.status / 100 != 2)
		return SL_EPROTO;
	if (asking->publishes)
		return 0;
	int is_open = asking->run->server->peer->take_cursor(&answer, asking->cursor);
	return is_open < 0 ? is_open : 0;
}

/* One request on each connection. */
static int
do_round(struct asking *asking)
{
	struct bench_exchanges *exchanges = &asking->exchanges;
	const struct bench_server *server = exchanges->server;
	int err = compose_all(asking);
	bench_process_pause(&server->process);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage before = bench_usage_take(server);
	struct bench_effort own = { 0 }, own_before = bench_effort_now(&exchanges->wait);
	for (unsigned i = 0; i < CONNECTIONS && !err; i++)
		err = bench_exchanges_ask(exchanges, i, asking->requests[i].bytes, asking->requests[i].len);
	bench_process_resume(&server->process);
	for (unsigned i = 0; i < CONNECTIONS && !err; i++)
		err = await_one(asking);
	bench_effort_add(&own, &own_before, &exchanges->wait);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage after = bench_usage_take(server);
	bench_usage_add(&asking->used, &before, &after);
	asking->wakeups += own.wakeups;
	asking->asked += CONNECTIONS;
	return err;
}

static int
ask_gateway(const struct asking *asking, struct identified *identified)
{
	const struct bench_server *server = asking->run->server;
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = server->signer ? bench_fetch_text(server, asking->exchanges.tls,
		server->peer->metrics_path, &text) : 0;
	if (!err && server->signer
		&& (!bench_metric_find(text.bytes, "sluice_principals_total{result=\"verified\"}",
			&identified->verified) || !bench_metric_find(text.bytes,
			"sluice_principals_total{result=\"cached\"}", &identified->cached)))
		err = SL_EPROTO;
	sl_buffer_finish(&text);
	return err;
}

static int
measure(struct asking *asking, double seconds, struct identified *before, struct identified *after)
{
	int err = 0;
	for (unsigned i = 0; i < WARM_UP && !err; i++)
		err = do_round(asking);
	if (!err)
		err = ask_gateway(asking, before);
	asking->used = (struct bench_usage){ 0 };
	asking->wakeups = asking->asked = 0;
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	while (!err && bench_now_ns() < end)
		err = do_round(asking);
	return err ? err : ask_gateway(asking, after);
}

/* The one that asked the second time is left out: its token was seen before. */
static void
set_figures(const struct asking *asking, const struct identified *before,
	const struct identified *after, json_t *repeat)
{
	static const struct bench_usage nothing;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(figures, "cpu_us_per_request",
		json_real((double)asking->used.server_ns / 1e3 / asking->asked));
	bench_usage_set_wakeups(figures, "request", asking->wakeups, &nothing, &asking->used,
		asking->asked);
	json_object_set_new(figures, "requests", json_integer(asking->asked));
	if (!asking->run->server->signer)
		return;
	json_object_set_new(figures, "verified", json_real(after->verified - before->verified));
	json_object_set_new(figures, "cached", json_real(after->cached - before->cached - 1));
}

static int
token_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const char *request = json_string_value(json_object_get(params, "request"));
	const char *token = json_string_value(json_object_get(params, "token"));
	struct identified before = { 0 }, after = { 0 };
	struct asking asking = { .run = run, .publishes = strcmp(request, "publish") == 0,
		.renews = strcmp(token, "new") == 0 };
	bench_generator_name_channel(run, "bench", 0, asking.channel);
	int err = bench_exchanges_init(&asking.exchanges, run, CONNECTIONS);
	if (!err)
		err = measure(&asking, bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS), &before,
			&after);
	if (!err)
		set_figures(&asking, &before, &after, repeat);
	bench_exchanges_finish(&asking.exchanges);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		sl_buffer_finish(&asking.requests[i]);
	return err;
}

const struct bench_scenario bench_scenario_token = {
	.name = "token",
	.title = "token: the server's CPU time for a request, with a known or a new token",
	.by_name = true,
	.busy_polling = true,
	.instead_of_transport = "http",
	.needs = BENCH_HAS(BENCH_POLL),
	.needs_publish = true,
	.why_no_target = "the bench cannot pause a target",
	.cases = token_cases,
	.measure = token_measure,
};
