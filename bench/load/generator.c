#include "bench/load/generator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/tls.h"
#include "util/err.h"

#define REST_NS 50000000u
#define QUIET_NS 500000u /* of the server's CPU in one rest */
#define RESTS_MAX 40
#define WARM_UP_S 0.15
#define FILES_SPARE 200
#define LEAD_NS 2000000u /* so that all threads are there when a schedule starts */

unsigned
bench_generator_connections(unsigned wanted)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && wanted + FILES_SPARE > files.rlim_cur
		&& files.rlim_cur > 2 * FILES_SPARE)
		return (unsigned)files.rlim_cur - FILES_SPARE;
	return wanted;
}

unsigned
bench_generator_threads(const struct bench_settings *settings)
{
	/* A server on this machine has a core of its own. */
	bool has_server = !settings->target || settings->target_pid;
	unsigned cores = (unsigned)CPU_COUNT(&settings->cores), threads = settings->threads;
	if (threads == 0)
		threads = cores > 1 && has_server ? cores - 1 : cores;
	return threads < BENCH_WORKERS_MAX ? threads : BENCH_WORKERS_MAX;
}

int
bench_generator_core(const struct bench_settings *settings, unsigned index)
{
	unsigned cores = (unsigned)CPU_COUNT(&settings->cores);
	int core = settings->load_core;
	for (unsigned i = 0; i < index && cores > 1; i++)
		do
			core = (core + 1) % CPU_SETSIZE;
		while (!CPU_ISSET((size_t)core, &settings->cores) || core == settings->server_core);
	return core;
}

const char *
bench_generator_must_sleep(const struct bench_settings *settings)
{
	unsigned cores = (unsigned)CPU_COUNT(&settings->cores);
	if (cores < 2)
		return "this run has one core only";
	if (!settings->target && settings->load_core == settings->server_core)
		return "the server is on the same core";
	if (bench_generator_threads(settings) >= cores)
		return "its threads leave no core to the server";
	return NULL;
}

int
bench_generator_init_plans(struct bench_generator *generator, const struct bench_run *run,
	const struct bench_worker_plan *plans, unsigned count)
{
	*generator = (struct bench_generator){ .run = run };
	generator->workers = calloc(count, sizeof *generator->workers);
	int err = generator->workers ? 0 : SL_ENOMEM;
	if (!err)
		err = bench_tls_create(&generator->tls, run->settings, run->server);
	for (unsigned i = 0; i < count && !err; i++) {
		struct bench_worker_plan plan = plans[i];
		plan.server = run->server;
		plan.tls = generator->tls;
		plan.busy_polls = run->busy_polling;
		plan.core = count > 1 ? bench_generator_core(run->settings, i) : -1;
		generator->count = i + 1;
		err = bench_worker_init(&generator->workers[i], &plan);
	}
	return err;
}

void
bench_generator_name_channel(const struct bench_run *run, const char *name, unsigned number,
	char channel[BENCH_CHANNEL_MAX])
{
	if (run->server->is_target)
		snprintf(channel, BENCH_CHANNEL_MAX, "%s%u-%d-%u", name, number,
			(int)getpid(), run->mark);
	else
		snprintf(channel, BENCH_CHANNEL_MAX, "%s%u", name, number);
}

int
bench_generator_init(struct bench_generator *generator, const struct bench_run *run,
	const struct bench_audience *audience)
{
	struct bench_worker_plan plans[BENCH_WORKERS_MAX];
	unsigned threads = bench_generator_threads(run->settings), first = 0;
	if (threads > audience->readers)
		threads = audience->readers;
	for (unsigned i = 0; i < threads; first += plans[i++].readers)
		plans[i] = (struct bench_worker_plan){
			.transport = run->transport,
			.channels = audience->own_channels ? audience->readers : 1, .first_reader = first,
			.readers = audience->readers / threads + (i < audience->readers % threads),
			.own_tokens = audience->own_tokens, .publishes = i == 0, .bursts = audience->bursts,
			.payload_len = audience->payload_len,
			.poll_interval_ns = BENCH_POLL_INTERVAL_NS,
		};
	for (unsigned i = 0; i < threads; i++)
		bench_generator_name_channel(run, "bench", 0, plans[i].channel);
	return bench_generator_init_plans(generator, run, plans, threads);
}

void
bench_generator_finish(struct bench_generator *generator)
{
	for (unsigned i = 0; i < generator->count; i++)
		bench_worker_finish(&generator->workers[i]);
	free(generator->workers);
	bench_tls_destroy(generator->tls);
}

/* ---- one thing done by all workers at once ---- */

struct job {
	struct bench_worker *worker;
	int (*work)(struct bench_worker *worker, const void *argument);
	const void *argument;
	pthread_t thread;
	int result;
};

static void *
run_job(void *argument)
{
	struct job *job = argument;
	prctl(PR_SET_TIMERSLACK, 1);
	if (job->worker->plan.core >= 0)
		bench_pin(job->worker->plan.core);
	job->result = job->work(job->worker, job->argument);
	return NULL;
}

/* `arguments` are `size` bytes apart, one a worker. */
static int
do_all(struct bench_generator *generator,
	int (*work)(struct bench_worker *worker, const void *argument), const void *arguments,
	size_t size)
{
	struct job jobs[BENCH_WORKERS_MAX];
	unsigned begun;
	int err = 0;
	if (generator->count == 1)
		return work(&generator->workers[0], arguments);
	for (begun = 0; begun < generator->count && !err; begun++) {
		jobs[begun] = (struct job){ .worker = &generator->workers[begun], .work = work,
			.argument = (const char *)arguments + begun * size };
		if (pthread_create(&jobs[begun].thread, NULL, run_job, &jobs[begun]) != 0) {
			err = SL_EIO;
			break;
		}
	}
	for (unsigned i = 0; i < begun; i++) {
		pthread_join(jobs[i].thread, NULL);
		if (!err)
			err = jobs[i].result;
	}
	return err;
}

static int
open_worker(struct bench_worker *worker, const void *argument)
{
	return bench_worker_open(worker);
}

static int
run_worker(struct bench_worker *worker, const void *argument)
{
	return bench_worker_run(worker, argument);
}

static int
rest_worker(struct bench_worker *worker, const void *argument)
{
	return bench_worker_rest(worker, *(const uint64_t *)argument);
}

int
bench_generator_open(struct bench_generator *generator)
{
	return do_all(generator, open_worker, NULL, 0);
}

int
bench_generator_run(struct bench_generator *generator, const struct bench_pass *passes)
{
	return do_all(generator, run_worker, passes, sizeof *passes);
}

int
bench_generator_rest(struct bench_generator *generator)
{
	const struct bench_server *server = generator->run->server;
	const struct bench_network *network = server->network;
	uint64_t used = 0, ns = REST_NS;
	if (network)
		ns += (uint64_t)(2e6 * (network->kind.rtt_ms + network->kind.jitter_ms));
	for (unsigned rests = 0; rests == 0 || (used > QUIET_NS && rests < RESTS_MAX); rests++) {
		uint64_t before = bench_usage_take(server).server_ns;
		int err = do_all(generator, rest_worker, &ns, 0);
		if (err)
			return err;
		used = bench_usage_take(server).server_ns - before;
	}
	return 0;
}

/* ---- a window ---- */

static int
run_pass(struct bench_generator *generator, const struct bench_window *window, double seconds,
	bool measured, struct bench_schedule *schedule)
{
	struct bench_pass passes[BENCH_WORKERS_MAX];
	*schedule = (struct bench_schedule){
		.start_ns = bench_now_ns() + LEAD_NS, .rate = window->rate, .burst = window->burst,
		.first = generator->next_seq, .count = (uint32_t)(window->rate * seconds + 0.999),
	};
	for (unsigned i = 0; i < generator->count; i++)
		passes[i] = (struct bench_pass){
			.schedule = *schedule, .measured = measured,
			.poll_from_ns = schedule->start_ns
				+ (measured && window->polls_late ? BENCH_POLL_INTERVAL_NS : 0),
		};
	generator->next_seq += bench_schedule_messages(schedule);
	return bench_generator_run(generator, passes);
}

static void
sum_deliveries(const struct bench_generator *generator, uint64_t *expected, uint64_t *delivered)
{
	*expected = *delivered = 0;
	for (unsigned i = 0; i < generator->count; i++) {
		*expected += generator->workers[i].expected;
		*delivered += generator->workers[i].delivered;
	}
}

static void
count_link(const struct bench_generator *generator,
	struct bench_network_count counts[BENCH_DIRECTIONS])
{
	memset(counts, 0, BENCH_DIRECTIONS * sizeof *counts);
	if (generator->run->network)
		bench_network_count_now(generator->run->network, counts);
}

static void
subtract_link(struct bench_network_count counts[BENCH_DIRECTIONS],
	const struct bench_network_count before[BENCH_DIRECTIONS])
{
	for (unsigned i = 0; i < BENCH_DIRECTIONS; i++) {
		counts[i].packets -= before[i].packets;
		counts[i].bytes -= before[i].bytes;
		counts[i].retransmitted_packets -= before[i].retransmitted_packets;
		counts[i].retransmitted_bytes -= before[i].retransmitted_bytes;
		counts[i].lost_packets -= before[i].lost_packets;
		counts[i].dropped_packets -= before[i].dropped_packets;
		counts[i].cut_packets -= before[i].cut_packets;
	}
}

int
bench_generator_measure(struct bench_generator *generator, struct bench_window *window)
{
	uint64_t expected, delivered;
	uint32_t writes = (uint32_t)(window->rate * window->seconds + 0.999);
	struct bench_schedule warm_up;
	int err = 0;
	for (unsigned i = 0; i < generator->count && !err; i++)
		err = bench_worker_prepare(&generator->workers[i], writes);
	/* The first messages pay for what a server sets up once: a channel's history, caches. */
	if (!err)
		err = run_pass(generator, window, window->warm_up_s > 0 ? window->warm_up_s : WARM_UP_S, false,
			&warm_up);
	if (!err)
		err = bench_generator_rest(generator);
	if (err)
		return err;
	sum_deliveries(generator, &expected, &delivered);
	struct bench_account before = bench_generator_account(generator);
	struct bench_network_count linked[BENCH_DIRECTIONS];
	count_link(generator, linked);
	window->carried_from_ns = bench_now_ns();
	window->before = bench_usage_take(generator->run->server);
	err = run_pass(generator, window, window->seconds, true, &window->schedule);
	window->after = bench_usage_take(generator->run->server);
	if (!err)
		err = bench_generator_rest(generator);
	window->carried_to_ns = bench_now_ns();
	count_link(generator, window->linked);
	subtract_link(window->linked, linked);
	struct bench_account after = bench_generator_account(generator);
	window->carried = bench_account_between(&before, &after);
	sum_deliveries(generator, &window->expected, &window->deliveries);
	window->expected -= expected;
	window->deliveries -= delivered;
	return err;
}

struct bench_account
bench_generator_account(const struct bench_generator *generator)
{
	struct bench_account account = { 0 };
	for (unsigned i = 0; i < generator->count; i++)
		bench_worker_add_account(&generator->workers[i], &account);
	return account;
}

uint64_t
bench_generator_wakeups(const struct bench_generator *generator)
{
	uint64_t wakeups = 0;
	for (unsigned i = 0; i < generator->count; i++)
		wakeups += generator->workers[i].tally->effort.wakeups;
	return wakeups;
}
