#include "bench/load/usage.h"

#include <time.h>

#include "bench/load/schedule.h"

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
	return (struct bench_usage){
		.now_ns = bench_now_ns(),
		.server_ns = server->process.pid ? bench_process_cpu_ns(&server->process) : 0,
	};
}

void
bench_usage_set_generator(json_t *repeat, double share, const struct bench_histogram *late,
	bool late_matters)
{
	uint64_t late_ns = bench_histogram_percentile(late, 99);
	json_t *reasons = json_array();
	if (share > BENCH_SATURATED_SHARE)
		json_array_append_new(reasons, json_sprintf("%.0f %% of a core used", 100 * share));
	if (late_matters && late_ns > BENCH_SATURATED_LATE_NS)
		json_array_append_new(reasons,
			json_sprintf("1 %% of the sends were late by %.1f ms or more", (double)late_ns / 1e6));
	json_object_set_new(repeat, "generator", json_pack("{s:f,s:f,s:b,s:o}", "cpu_share", share,
		"late_p99_us", (double)late_ns / 1e3, "saturated", json_array_size(reasons) > 0,
		"reasons", reasons));
}
