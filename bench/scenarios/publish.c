/* Publishing: what the server pays for one message that is posted over a connection which is kept,
 * in CPU time. As when opening, the server is paused while some dozens of publishers send, so that
 * it finds their requests together and does not sleep between them. */
#include "bench/load/exchanges.h"
#include "bench/load/schedule.h"
#include "bench/load/usage.h"
#include "bench/marker.h"
#include "bench/scenario.h"
#include "util/err.h"

#define CONNECTIONS 64
#define PAYLOAD_BYTES 128
#define SECONDS 1.0
#define QUICK_SECONDS 0.3
#define WARM_UP 3 /* rounds: what a server sets up for a connection that is kept */

struct publishing {
	struct bench_exchanges exchanges;
	struct sl_buffer request;
	uint32_t seq; /* of the next message */
	struct bench_usage used;
	uint64_t wakeups;
	unsigned published;
};

static json_t *
publish_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i,s:i}]", "connections", CONNECTIONS, "payload", PAYLOAD_BYTES);
}

static int
send_one(struct publishing *publishing, unsigned index)
{
	const struct bench_server *server = publishing->exchanges.server;
	struct sl_buffer *request = &publishing->request;
	char payload[PAYLOAD_BYTES];
	sl_buffer_clear(request);
	bench_payload_fill(publishing->seq++ % BENCH_SEQ_MAX, payload, sizeof payload);
	server->peer->publish(request, server, "bench", payload, sizeof payload);
	int err = sl_buffer_status(request);
	return err ? err
		: bench_exchanges_ask(&publishing->exchanges, index, request->bytes, request->len);
}

static int
await_one(struct publishing *publishing)
{
	unsigned index;
	int err = bench_exchanges_await(&publishing->exchanges, &index);
	return !err && publishing->exchanges.list[index].http.status / 100 != 2 ? SL_EBACKEND : err;
}

/* One message on each connection. */
static int
do_round(struct publishing *publishing)
{
	struct bench_exchanges *exchanges = &publishing->exchanges;
	const struct bench_server *server = exchanges->server;
	int err = 0;
	bench_process_pause(&server->process);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage before = bench_usage_take(server);
	struct bench_effort own = { 0 }, own_before = bench_effort_now(&exchanges->wait);
	for (unsigned i = 0; i < CONNECTIONS && !err; i++)
		err = send_one(publishing, i);
	bench_process_resume(&server->process);
	for (unsigned i = 0; i < CONNECTIONS && !err; i++)
		err = await_one(publishing);
	bench_effort_add(&own, &own_before, &exchanges->wait);
	bench_usage_settle(server, &exchanges->wait);
	struct bench_usage after = bench_usage_take(server);
	bench_usage_add(&publishing->used, &before, &after);
	publishing->wakeups += own.wakeups;
	publishing->published += CONNECTIONS;
	return err;
}

static int
measure(struct publishing *publishing, double seconds)
{
	int err = 0;
	for (unsigned i = 0; i < WARM_UP && !err; i++)
		err = do_round(publishing);
	publishing->used = (struct bench_usage){ 0 };
	publishing->wakeups = publishing->published = 0;
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	while (!err && bench_now_ns() < end)
		err = do_round(publishing);
	return err;
}

static int
publish_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	static const struct bench_usage nothing;
	struct publishing publishing = { 0 };
	int err = bench_exchanges_init(&publishing.exchanges, run, CONNECTIONS);
	if (!err)
		err = measure(&publishing, bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS));
	if (!err) {
		json_t *figures = json_object();
		json_object_set_new(repeat, "figures", figures);
		json_object_set_new(figures, "cpu_us_per_publish",
			json_real((double)publishing.used.server_ns / 1e3 / publishing.published));
		bench_usage_set_wakeups(figures, "publish", publishing.wakeups, &nothing,
			&publishing.used, publishing.published);
	}
	bench_exchanges_finish(&publishing.exchanges);
	sl_buffer_finish(&publishing.request);
	return err;
}

const struct bench_scenario bench_scenario_publish = {
	.name = "publish",
	.title = "publish: the server's CPU time for a message posted over a kept connection",
	.busy_polling = true,
	.instead_of_transport = "http",
	.needs_publish = true,
	.why_no_target = "the bench cannot pause a target",
	.cases = publish_cases,
	.measure = publish_measure,
};
