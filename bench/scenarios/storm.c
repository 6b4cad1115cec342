/* A storm: thousands of idle clients reconnect within seconds, by a schedule that nobody who is late
 * slows, while others are sent messages. The figures are of the others, and of the gateway's turns:
 * the longest of them is what a handshake makes everybody else wait.
 * The others have a thread that goes before the storm's, so that the storm's own work on the
 * generator's core is not in their times. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/fetch.h"
#include "bench/load/generator.h"
#include "bench/load/tls.h"
#include "util/err.h"

#define CONNECTIONS 10000
#define QUICK_CONNECTIONS 300
#define RECONNECTS_PER_S 2000.0
#define OTHERS 100
#define MESSAGES_PER_S 50.0
#define PAYLOAD_BYTES 128
#define LEAD_NS 200000000u /* of the messages before and behind the storm */
#define NICE_VALUE -20

struct storm {
	struct bench_run run;
	struct bench_generator clients, others;
	struct bench_pass pass;     /* of the others */
	struct bench_schedule schedule;
	struct bench_window window; /* of the others: what conclude reports */
	struct bench_usage before, after;
	bool resumes;
	int result;                 /* of the others' thread */
};

/* Of the gateway's own counters. */
struct told {
	double longest_turn_s, full, resumed, failed;
	bool knows_turn, knows_tls;
};

static json_t *
storm_cases(const struct bench_settings *settings)
{
	unsigned connections = settings->connections ? settings->connections
		: settings->quick ? QUICK_CONNECTIONS : CONNECTIONS;
	int count = (int)bench_generator_connections(connections + OTHERS) - OTHERS;
	return json_pack("[{s:s,s:i,s:i},{s:s,s:i,s:i}]",
		"handshake", "full", "connections", count, "subscribers", OTHERS,
		"handshake", "resumed", "connections", count, "subscribers", OTHERS);
}

static int
ask_gateway(const struct storm *storm, struct told *told)
{
	const struct bench_server *server = storm->run.server;
	struct sl_buffer text = SL_BUFFER_INIT;
	*told = (struct told){ 0 };
	if (!server->peer->metrics_path)
		return 0;
	/* The others' context has no session to resume: this handshake is a full one. */
	int err = bench_fetch_text(server, storm->others.tls, server->peer->metrics_path, &text);
	if (!err) {
		told->knows_turn = bench_metric_find(text.bytes, "sluice_turn_longest_seconds",
			&told->longest_turn_s);
		told->knows_tls = bench_metric_find(text.bytes,
			"sluice_tls_handshakes_total{result=\"full\"}", &told->full)
			&& bench_metric_find(text.bytes, "sluice_tls_handshakes_total{result=\"resumed\"}",
				&told->resumed)
			&& bench_metric_find(text.bytes, "sluice_tls_handshakes_total{result=\"failed\"}",
				&told->failed);
	}
	sl_buffer_finish(&text);
	return err;
}

/* Before those of the same priority and class; where the system forbids it, beside them. */
static void
go_before(void)
{
	struct sched_param param;
	int policy;
	if (pthread_getschedparam(pthread_self(), &policy, &param) != 0)
		return;
	if (policy == SCHED_OTHER) {
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE_VALUE);
		return;
	}
	param.sched_priority++;
	pthread_setschedparam(pthread_self(), policy, &param);
}

static void *
deliver(void *argument)
{
	struct storm *storm = argument;
	go_before();
	storm->result = bench_generator_run(&storm->others, &storm->pass);
	return NULL;
}

static int
open_all(struct storm *storm, unsigned connections)
{
	struct bench_worker_plan idle = { .transport = BENCH_WEBSOCKET, .readers = connections };
	struct bench_worker_plan others = { .transport = BENCH_WEBSOCKET, .readers = OTHERS,
		.publishes = true, .payload_len = PAYLOAD_BYTES };
	bench_generator_name_channel(&storm->run, "storm", 0, idle.channel);
	bench_generator_name_channel(&storm->run, "bench", 0, others.channel);
	int err = bench_generator_init_plans(&storm->clients, &storm->run, &idle, 1);
	if (!err)
		err = bench_generator_init_plans(&storm->others, &storm->run, &others, 1);
	if (!err)
		err = bench_generator_open(&storm->clients);
	if (!err && storm->resumes && storm->clients.tls)
		err = bench_tls_remember(storm->clients.tls, storm->clients.workers[0].readers[0].stream.tls);
	/* Thousands of clients make their keys on as many machines, and not on the generator's core. */
	if (!err)
		err = bench_worker_make_links(&storm->clients.workers[0]);
	return err ? err : bench_generator_open(&storm->others);
}

/* The first messages pay for what is set up once. */
static int
warm_up(struct storm *storm)
{
	struct bench_pass pass = { .schedule = {
		.start_ns = bench_now_ns(), .rate = MESSAGES_PER_S, .burst = 1, .count = 10 } };
	storm->others.next_seq = pass.schedule.count;
	int err = bench_generator_run(&storm->others, &pass);
	return err ? err : bench_generator_rest(&storm->others);
}

/* Both at once. */
static int
reconnect_and_deliver(struct storm *storm)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, deliver, storm) != 0)
		return SL_EIO;
	storm->before = bench_usage_take(storm->run.server);
	int err = bench_worker_reopen_by(&storm->clients.workers[0], &storm->schedule);
	storm->after = bench_usage_take(storm->run.server);
	pthread_join(thread, NULL);
	return err ? err : storm->result;
}

static int
rage(struct storm *storm)
{
	struct bench_worker *worker = &storm->clients.workers[0];
	double seconds = worker->plan.readers / RECONNECTS_PER_S + 2 * LEAD_NS / 1e9;
	uint64_t delivered = storm->others.workers[0].delivered;
	uint64_t expected = storm->others.workers[0].expected;
	storm->pass = (struct bench_pass){ .measured = true, .schedule = {
		.start_ns = bench_now_ns() + LEAD_NS / 4, .rate = MESSAGES_PER_S, .burst = 1,
		.first = storm->others.next_seq, .count = (uint32_t)(seconds * MESSAGES_PER_S) } };
	storm->schedule = (struct bench_schedule){ .start_ns = storm->pass.schedule.start_ns + LEAD_NS,
		.rate = RECONNECTS_PER_S, .burst = 1, .count = worker->plan.readers };
	int err = reconnect_and_deliver(storm);
	storm->window.expected = storm->others.workers[0].expected - expected;
	storm->window.deliveries = storm->others.workers[0].delivered - delivered;
	return err;
}

static void
set_figures(const struct storm *storm, const struct told *before, const struct told *after,
	json_t *repeat)
{
	const struct bench_worker *worker = &storm->clients.workers[0];
	json_t *figures = json_object();
	double elapsed_ns = (double)(storm->after.now_ns - storm->before.now_ns);
	json_object_set_new(repeat, "figures", figures);
	json_object_set_new(figures, "connections", json_integer(worker->open_count));
	json_object_set_new(figures, "storm_us",
		json_real((double)(storm->after.now_ns - storm->schedule.start_ns) / 1e3));
	if (storm->after.server_ns)
		json_object_set_new(figures, "server_cpu_share", json_real(
			(double)(storm->after.server_ns - storm->before.server_ns) / elapsed_ns));
	bench_usage_set_wakeups(figures, "delivery", bench_generator_wakeups(&storm->others),
		&storm->before, &storm->after, (double)storm->window.deliveries);
	if (after->knows_turn)
		json_object_set_new(figures, "longest_turn_us", json_real(after->longest_turn_s * 1e6));
	if (!storm->clients.tls || !after->knows_tls)
		return;
	/* The one that asked is left out. */
	json_object_set_new(figures, "full", json_real(after->full - before->full - 1));
	json_object_set_new(figures, "resumed", json_real(after->resumed - before->resumed));
	json_object_set_new(figures, "failed", json_real(after->failed - before->failed));
}

/* The generator that may be saturated is the storm's. */
static void
report_clients(const struct storm *storm, json_t *repeat)
{
	const struct bench_tally *tally = storm->clients.workers[0].tally;
	struct bench_generator_use use = { 0 };
	bench_generator_use_add(&use, &tally->effort);
	bench_usage_set_generator(repeat, &use, &tally->late, false);
}

static int
measure(struct storm *storm, unsigned connections, json_t *repeat)
{
	struct told before, after;
	int err = open_all(storm, connections);
	if (!err)
		err = bench_worker_prepare(&storm->others.workers[0], 0);
	if (!err)
		err = warm_up(storm);
	if (!err)
		err = ask_gateway(storm, &before);
	if (!err)
		err = rage(storm);
	if (!err)
		err = ask_gateway(storm, &after);
	if (!err)
		set_figures(storm, &before, &after, repeat);
	return err;
}

static int
storm_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const char *handshake = json_string_value(json_object_get(params, "handshake"));
	unsigned connections = (unsigned)json_integer_value(json_object_get(params, "connections"));
	struct storm storm = { .run = *run, .resumes = strcmp(handshake, "resumed") == 0 };
	/* Two threads share the core: one that polls would take it from the other. */
	storm.run.busy_polling = false;
	int err = measure(&storm, connections, repeat);
	bench_generator_conclude(&storm.others, &storm.window, true, err, repeat);
	if (!err)
		report_clients(&storm, repeat);
	bench_generator_finish(&storm.clients);
	return err;
}

const struct bench_scenario bench_scenario_storm = {
	.name = "storm",
	.title = "storm: thousands reconnect while others receive messages",
	.by_name = true,
	.instead_of_transport = "websocket",
	.needs = BENCH_HAS(BENCH_WEBSOCKET),
	.needs_publish = true,
	.why_no_target = "the storm would hit the users of a target",
	.cases = storm_cases,
	.measure = storm_measure,
};
