#include "bench/load/usage.h"

#include <stdio.h>
#include <time.h>

#include "bench/load/schedule.h"

#define SETTLE_NS 1000000u
#define SETTLE_TRIES 200

uint64_t
bench_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
bench_thread_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

struct bench_usage
bench_usage_take(const struct bench_server *server)
{
	bool seen = server->process.pid;
	return (struct bench_usage){
		.now_ns = bench_now_ns(),
		.server_ns = seen ? bench_process_cpu_ns(&server->process) : 0,
		.server_sleeps = seen ? bench_process_sleeps(&server->process) : 0,
	};
}

void
bench_usage_add(struct bench_usage *sum, const struct bench_usage *before,
	const struct bench_usage *after)
{
	sum->now_ns += after->now_ns - before->now_ns;
	sum->server_ns += after->server_ns - before->server_ns;
	sum->server_sleeps += after->server_sleeps - before->server_sleeps;
}

void
bench_usage_settle(const struct bench_server *server, struct bench_wait *wait)
{
	const struct bench_process *process = &server->process;
	uint64_t before, after = process->pid ? bench_process_cpu_ns(process) : 0;
	unsigned tries = SETTLE_TRIES;
	do {
		before = after;
		bench_wait_until(wait, bench_now_ns() + SETTLE_NS);
		after = process->pid ? bench_process_cpu_ns(process) : 0;
	} while ((after != before || !bench_process_rests(process)) && --tries > 0);
}

void
bench_generator_use_add(struct bench_generator_use *use, const struct bench_effort *effort)
{
	double elapsed = (double)effort->elapsed_ns;
	if (effort->elapsed_ns == 0)
		return;
	double busy = (elapsed - (double)effort->idle_ns) / elapsed;
	double cpu = (double)effort->cpu_ns / elapsed;
	if (busy > use->busy_share)
		use->busy_share = busy;
	if (use->cpu_share == 0 || (use->busy_polls ? cpu < use->cpu_share : cpu > use->cpu_share))
		use->cpu_share = cpu;
	use->wakeups += effort->wakeups;
}

void
bench_usage_set_generator(json_t *repeat, const struct bench_generator_use *use,
	const struct bench_histogram *late, bool late_matters)
{
	uint64_t late_ns = late ? bench_histogram_percentile(late, 99) : 0;
	json_t *reasons = json_array();
	if (use->busy_share > BENCH_SATURATED_SHARE)
		json_array_append_new(reasons, json_sprintf("busy for %.0f %% of the time",
			100 * use->busy_share));
	if (use->busy_polls && use->cpu_share > 0 && use->cpu_share < BENCH_POLLING_SHARE)
		json_array_append_new(reasons, json_sprintf("it had %.0f %% of its core, other programs had the rest",
			100 * use->cpu_share));
	if (late_matters && late_ns > BENCH_SATURATED_LATE_NS)
		json_array_append_new(reasons,
			json_sprintf("1 %% of the sends were late by %.1f ms or more", (double)late_ns / 1e6));
	json_object_set_new(repeat, "generator", json_pack("{s:b,s:f,s:f,s:I,s:f,s:b,s:o}",
		"busy_polling", use->busy_polls, "busy_share", use->busy_share, "cpu_share", use->cpu_share,
		"wakeups", (json_int_t)use->wakeups, "late_p99_us", (double)late_ns / 1e3,
		"saturated", json_array_size(reasons) > 0, "reasons", reasons));
}

void
bench_usage_set_wakeups(json_t *figures, const char *unit, uint64_t wakeups,
	const struct bench_usage *before, const struct bench_usage *after, double count)
{
	char name[64];
	if (count <= 0)
		return;
	snprintf(name, sizeof name, "wakeups_per_%s", unit);
	json_object_set_new(figures, name, json_real((double)wakeups / count));
	if (after->server_ns == 0)
		return;
	snprintf(name, sizeof name, "server_sleeps_per_%s", unit);
	json_object_set_new(figures, name,
		json_real((double)(after->server_sleeps - before->server_sleeps) / count));
}
