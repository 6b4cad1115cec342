/* Opening: what the server pays for one connection that waits for messages, in CPU time. The server
 * is paused while some dozens of clients connect and ask, so that it finds them all together: it
 * neither sleeps between them, which would cost a fast server more often than a slow one, nor
 * depends on how fast the clients are. A long-poll is opened by the request that is held, as it is
 * in use: it asks behind a cursor. */
#include <string.h>

#include "bench/load/generator.h"
#include "util/err.h"

#define CONNECTIONS 64 /* at a time: no accept queue is shorter */
#define SECONDS 1.0
#define QUICK_SECONDS 0.3

/* What all rounds of a repeat share, and what they add up to. */
struct opening {
	const struct bench_run *run;
	struct bench_worker_plan plan;
	struct bench_wait wait;
	char cursor[BENCH_CURSOR_MAX];
	struct bench_usage used;
	uint64_t wakeups;
	unsigned opened;
};

static json_t *
opening_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i}]", "connections", CONNECTIONS);
}

/* From where on a poll is held: the cursor of one that asked without. */
static int
read_cursor(struct opening *opening)
{
	struct bench_worker_plan plan = opening->plan;
	struct bench_generator generator;
	plan.readers = 1;
	plan.held = false;
	plan.cursor = NULL;
	int err = bench_generator_init_plans(&generator, opening->run, &plan, 1);
	if (!err)
		err = bench_generator_open(&generator);
	if (!err)
		strcpy(opening->cursor, generator.workers[0].readers[0].cursor);
	bench_generator_finish(&generator);
	return err;
}

/* A poll that was answered has asked again: that is not what is measured. */
static int
check_held(struct bench_generator *generator)
{
	const struct bench_worker *worker = &generator->workers[0];
	int err = bench_generator_rest(generator);
	for (unsigned i = 0; i < worker->plan.readers && !err; i++)
		err = worker->readers[i].heads_in > 0 ? SL_EPROTO : 0;
	return err;
}

static void
add(struct opening *opening, const struct bench_generator *generator,
	const struct bench_usage *before, const struct bench_usage *after)
{
	bench_usage_add(&opening->used, before, after);
	opening->wakeups += generator->workers[0].opening.wakeups;
	opening->opened += opening->plan.readers;
}

/* Opens them, and closes them in the end. The server comes to rest before it is paused, so that
 * what those of the round before have left is done. */
static int
do_round(struct opening *opening, bool measured, json_t *repeat)
{
	const struct bench_server *server = opening->run->server;
	struct bench_generator generator;
	int err = bench_generator_init_plans(&generator, opening->run, &opening->plan, 1);
	bench_usage_settle(server, &opening->wait);
	bench_process_pause(&server->process);
	bench_usage_settle(server, &opening->wait);
	struct bench_usage before = bench_usage_take(server);
	if (!err)
		err = bench_worker_begin(&generator.workers[0]);
	bench_process_resume(&server->process);
	if (!err)
		err = bench_worker_await(&generator.workers[0]);
	bench_usage_settle(server, &opening->wait);
	struct bench_usage after = bench_usage_take(server);
	if (!err && measured)
		add(opening, &generator, &before, &after);
	else if (!err && opening->plan.held)
		err = check_held(&generator);
	return bench_generator_conclude(&generator, NULL, false, err, repeat);
}

static int
measure(struct opening *opening, json_t *repeat)
{
	double seconds = bench_scenario_seconds(opening->run->settings, SECONDS, QUICK_SECONDS);
	int err = opening->plan.held ? read_cursor(opening) : 0;
	/* The first ones pay for what a server and the kernel set up once. */
	if (!err)
		err = do_round(opening, false, repeat);
	uint64_t end = bench_now_ns() + (uint64_t)(seconds * 1e9);
	while (!err && bench_now_ns() < end)
		err = do_round(opening, true, repeat);
	return err;
}

static int
opening_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	static const struct bench_usage nothing;
	struct opening opening = { .run = run, .wait.busy_polls = run->busy_polling };
	json_t *figures = json_object();
	opening.plan = (struct bench_worker_plan){
		.transport = run->transport,
		.readers = (unsigned)json_integer_value(json_object_get(params, "connections")),
		.held = run->transport == BENCH_LONGPOLL && run->server->peer->resumes,
		.cursor = opening.cursor,
	};
	bench_generator_name_channel(run, "bench", 0, opening.plan.channel);
	json_object_set_new(repeat, "figures", figures);
	int err = measure(&opening, repeat);
	if (err)
		return err;
	json_object_set_new(figures, "cpu_us_per_connection",
		json_real((double)opening.used.server_ns / 1e3 / opening.opened));
	bench_usage_set_wakeups(figures, "connection", opening.wakeups, &nothing, &opening.used,
		opening.opened);
	return 0;
}

const struct bench_scenario bench_scenario_opening = {
	.name = "opening",
	.title = "opening: the server's CPU time for a connection that waits for messages",
	.busy_polling = true,
	.why_no_target = "the bench cannot pause a target",
	.only_opens = true,
	.leaves_out = BENCH_HAS(BENCH_POLL),
	.why_left_out = "a short poll does not wait",
	.cases = opening_cases,
	.measure = opening_measure,
};
