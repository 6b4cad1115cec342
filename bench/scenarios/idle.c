/* Idle connections: memory of one in the server's process and in the kernel, and the CPU that
 * many of them cost by their heartbeats. */
#include "bench/load/generator.h"
#include "util/err.h"

#define CONNECTIONS 2000
#define FULL_CONNECTIONS 10000
/* Memory given back or taken by timers after opening is part of an idle connection. */
#define SETTLE_S 1.0
/* Whole cycles of what an idle connection does: a heartbeat, a hold, polls. */
#define STREAM_S 15.0
#define LONGPOLL_S 25.0
#define POLL_S 4.0

static json_t *
idle_cases(const struct bench_settings *settings)
{
	unsigned connections = settings->connections ? settings->connections
		: settings->full ? FULL_CONNECTIONS : CONNECTIONS;
	return json_pack("[{s:i}]", "connections", (int)bench_generator_connections(connections));
}

struct memory {
	double process, slab, sockets;
};

static struct memory
take_memory(const struct bench_server *server)
{
	return (struct memory){
		.process = (double)bench_process_pss_kib(&server->process),
		.slab = (double)bench_kernel_slab_kib(),
		.sockets = (double)bench_kernel_socket_kib(),
	};
}

static double
seconds_of(const struct bench_run *run)
{
	switch (run->transport) {
	case BENCH_LONGPOLL: return LONGPOLL_S;
	case BENCH_POLL: return POLL_S;
	default: return STREAM_S;
	}
}

static int
hold(struct bench_generator *generator, double seconds, bool measured)
{
	struct bench_pass passes[BENCH_WORKERS_MAX];
	uint64_t now = bench_now_ns();
	for (unsigned i = 0; i < generator->count; i++)
		passes[i] = (struct bench_pass){
			.hold_until_ns = now + (uint64_t)(seconds * 1e9), .poll_from_ns = now,
			.measured = measured,
		};
	return bench_generator_run(generator, passes);
}

/* Both ends are on this machine: the kernel's part is halved. */
static void
set_memory(json_t *figures, const struct memory *before, const struct memory *after,
	unsigned connections)
{
	json_object_set_new(figures, "connections", json_integer(connections));
	json_object_set_new(figures, "process_kib",
		json_real((after->process - before->process) / connections));
	json_object_set_new(figures, "kernel_slab_kib",
		json_real((after->slab - before->slab) / 2 / connections));
	json_object_set_new(figures, "kernel_socket_kib",
		json_real((after->sockets - before->sockets) / 2 / connections));
}

static int
measure(struct bench_generator *generator, unsigned connections, json_t *figures)
{
	const struct bench_run *run = generator->run;
	struct memory before_memory = take_memory(run->server);
	int err = bench_generator_open(generator);
	if (!err)
		err = hold(generator, SETTLE_S, false);
	if (err)
		return err;
	struct memory after_memory = take_memory(run->server);
	set_memory(figures, &before_memory, &after_memory, connections);
	/* Less than a whole cycle of heartbeats says nothing. */
	if (run->settings->quick)
		return 0;
	struct bench_usage before = bench_usage_take(run->server);
	err = hold(generator, seconds_of(run), true);
	struct bench_usage after = bench_usage_take(run->server);
	if (err)
		return err;
	double elapsed_ns = (double)(after.now_ns - before.now_ns), many = connections / 10000.0;
	json_object_set_new(figures, "cpu_share_10000",
		json_real((double)(after.server_ns - before.server_ns) / elapsed_ns / many));
	bench_usage_set_wakeups(figures, "s_10000", bench_generator_wakeups(generator), &before, &after,
		elapsed_ns / 1e9 * many);
	return 0;
}

static int
idle_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct bench_audience audience = {
		.readers = (unsigned)json_integer_value(json_object_get(params, "connections")),
		.payload_len = BENCH_PAYLOAD_MIN,
		.own_tokens = true,
	};
	struct bench_generator generator;
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	int err = bench_generator_init(&generator, run, &audience);
	if (!err)
		err = measure(&generator, audience.readers, figures);
	return bench_generator_conclude(&generator, NULL, false, err, repeat);
}

const struct bench_scenario bench_scenario_idle = {
	.name = "idle",
	.title = "idle: memory of a connection, CPU of ten thousand with heartbeats",
	.busy_polling = true,
	.needs_process = true,
	.cases = idle_cases,
	.measure = idle_measure,
};
