/* The delivery checker: readers hop between all transports at random, cut hard and often in
 * the middle of a message, while several publishers go on on several channels. Every message
 * must reach every reader once and in order. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/generator.h"
#include "bench/load/hopper.h"
#include "util/err.h"

#define READERS 100
#define FULL_READERS 200
#define RATE 15.0 /* messages a second of each channel */
#define SECONDS 3.0
#define FULL_SECONDS 10.0
#define QUICK_SECONDS 1.0
#define PAYLOAD_BYTES 96
/* After the last message it goes on for a while; then nobody is cut any more, and for as long
 * again it is seen whether something comes twice. */
#define UNREST_NS 300000000u
#define LIMIT_NS 15000000000u
#define TICK_NS 2000000
#define EVENTS_A_TURN 128
#define INPUT_BYTES 65536

struct checker {
	struct bench_generator publishers;
	struct bench_pass passes[BENCH_HOP_CHANNELS];
	struct bench_hop_world world;
	struct bench_hopper *hoppers; /* owns */
	unsigned count;
	uint32_t messages;            /* of each channel */
	struct bench_wait wait;
	struct bench_effort effort;
	char channels[BENCH_HOP_CHANNELS * BENCH_CHANNEL_MAX];
	char input[INPUT_BYTES];
};

static json_t *
switch_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i,s:i,s:f}]", "readers", settings->full ? FULL_READERS : READERS,
		"channels", BENCH_HOP_CHANNELS, "rate", RATE * BENCH_HOP_CHANNELS);
}

/* A publisher a channel; every second one publishes by WebSocket. */
static int
init_publishers(struct checker *checker, const struct bench_run *run, double seconds)
{
	struct bench_worker_plan plans[BENCH_HOP_CHANNELS];
	uint64_t start = bench_now_ns() + 300000000;
	checker->messages = (uint32_t)(RATE * seconds);
	for (unsigned i = 0; i < BENCH_HOP_CHANNELS; i++) {
		plans[i] = (struct bench_worker_plan){
			.transport = BENCH_WEBSOCKET, .publishes = true, .bursts = i % 2,
			.payload_len = PAYLOAD_BYTES,
		};
		bench_generator_name_channel(run, "switch", i, plans[i].channel);
		strcat(strcat(checker->channels, i ? "," : ""), plans[i].channel);
		checker->passes[i] = (struct bench_pass){
			.schedule = { .start_ns = start + i * 7000000, .rate = RATE, .burst = 1,
				.first = i * BENCH_HOP_CHANNEL_STEP, .count = checker->messages },
			.measured = true,
		};
	}
	return bench_generator_init_plans(&checker->publishers, run, plans, BENCH_HOP_CHANNELS);
}

static bool
is_complete(const struct checker *checker)
{
	for (unsigned i = 0; i < checker->count; i++)
		if (checker->hoppers[i].delivered < (uint64_t)checker->messages * BENCH_HOP_CHANNELS)
			return false;
	return true;
}

static int
serve(struct checker *checker)
{
	struct epoll_event events[EVENTS_A_TURN];
	int count = bench_wait_events(&checker->wait, checker->world.epoll, events, EVENTS_A_TURN,
		TICK_NS);
	if (count < 0)
		return SL_EIO;
	uint64_t now = bench_now_ns();
	for (int i = 0; i < count; i++) {
		struct bench_hopper *hopper = &checker->hoppers[events[i].data.u64];
		if (hopper->stream.fd >= 0)
			bench_hopper_read(hopper, checker->input, sizeof checker->input, now);
	}
	for (unsigned i = 0; i < checker->count; i++)
		bench_hopper_tick(&checker->hoppers[i], now);
	return 0;
}

static int
hop_until_complete(struct checker *checker)
{
	const struct bench_pass *last = &checker->passes[BENCH_HOP_CHANNELS - 1];
	uint64_t end = bench_schedule_due(&last->schedule, last->schedule.count);
	struct bench_effort before = bench_effort_now(&checker->wait);
	int err = 0;
	uint64_t now = bench_now_ns();
	while (!err && now < end + (is_complete(checker) ? 2 * UNREST_NS : LIMIT_NS)) {
		err = serve(checker);
		now = bench_now_ns();
		checker->world.calm = now > end + UNREST_NS;
	}
	bench_effort_add(&checker->effort, &before, &checker->wait);
	return err;
}

static void *
publish(void *argument)
{
	struct checker *checker = argument;
	int err = bench_generator_run(&checker->publishers, checker->passes);
	return (void *)(intptr_t)err;
}

static int
run_checker(struct checker *checker)
{
	pthread_t thread;
	void *result;
	int err = bench_generator_open(&checker->publishers);
	if (err)
		return err;
	checker->world.tls = checker->publishers.tls;
	checker->world.channels = checker->channels;
	for (unsigned i = 0; i < checker->count; i++)
		bench_hopper_init(&checker->hoppers[i], &checker->world, i);
	if (pthread_create(&thread, NULL, publish, checker) != 0)
		return SL_EIO;
	err = hop_until_complete(checker);
	pthread_join(thread, &result);
	return err ? err : (int)(intptr_t)result;
}

struct verdict {
	uint64_t hops, delivered, lost, doubled, reordered, cut_inside, failed;
};

static struct verdict
judge(const struct checker *checker)
{
	struct verdict verdict = { 0 };
	for (unsigned i = 0; i < checker->count; i++) {
		const struct bench_hopper *hopper = &checker->hoppers[i];
		verdict.hops += hopper->hops;
		verdict.delivered += hopper->delivered;
		verdict.reordered += hopper->out_of_order;
		verdict.cut_inside += hopper->cut_inside;
		verdict.failed += hopper->failed;
		verdict.lost += (uint64_t)checker->messages * BENCH_HOP_CHANNELS - hopper->delivered;
		for (unsigned channel = 0; channel < BENCH_HOP_CHANNELS; channel++) {
			verdict.doubled += hopper->counters[channel].doubled;
			verdict.reordered += hopper->counters[channel].reordered;
		}
	}
	return verdict;
}

static void
report(const struct checker *checker, json_t *repeat)
{
	struct verdict verdict = judge(checker);
	json_int_t lost = (json_int_t)verdict.lost, doubled = (json_int_t)verdict.doubled;
	json_int_t reordered = (json_int_t)verdict.reordered;
	json_int_t delivered = (json_int_t)verdict.delivered;
	json_object_set_new(repeat, "figures", json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"hops", (json_int_t)verdict.hops, "delivered", delivered, "lost", lost,
		"doubled", doubled, "reordered", reordered,
		"cut_inside", (json_int_t)verdict.cut_inside, "failed", (json_int_t)verdict.failed));
	json_object_set_new(repeat, "expected", json_integer(
		(json_int_t)checker->messages * BENCH_HOP_CHANNELS * checker->count));
	json_object_set_new(repeat, "deliveries", json_integer(delivered));
	json_object_set_new(repeat, "lost", json_integer(lost));
	json_object_set_new(repeat, "doubled", json_integer(doubled));
	json_object_set_new(repeat, "reordered", json_integer(reordered));
	struct bench_generator_use use = { 0 };
	bench_generator_use_add(&use, &checker->effort);
	bench_usage_set_generator(repeat, &use, &checker->publishers.workers[0].tally->late, false);
}

static int
switch_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const struct bench_settings *settings = run->settings;
	double seconds = settings->seconds > 0 ? settings->seconds
		: settings->quick ? QUICK_SECONDS : settings->full ? FULL_SECONDS : SECONDS;
	struct checker *checker = calloc(1, sizeof *checker);
	if (!checker)
		return SL_ENOMEM;
	checker->count = (unsigned)json_integer_value(json_object_get(params, "readers"));
	checker->hoppers = calloc(checker->count, sizeof *checker->hoppers);
	checker->world.server = run->server;
	checker->world.epoll = epoll_create1(EPOLL_CLOEXEC);
	int err = checker->hoppers && checker->world.epoll >= 0 ? 0 : SL_ENOMEM;
	if (!err)
		err = init_publishers(checker, run, seconds);
	if (!err)
		err = run_checker(checker);
	if (!err)
		report(checker, repeat);
	for (unsigned i = 0; checker->hoppers && i < checker->count; i++)
		if (checker->hoppers[i].world)
			bench_hopper_finish(&checker->hoppers[i]);
	bench_generator_finish(&checker->publishers);
	if (checker->world.epoll >= 0)
		close(checker->world.epoll);
	free(checker->hoppers);
	free(checker);
	return err;
}

const struct bench_scenario bench_scenario_switch = {
	.name = "switch",
	.title = "switch: every message once and in order, across cuts",
	.instead_of_transport = "all",
	.needs = BENCH_HAS_ALL,
	.needs_resuming = true,
	.cases = switch_cases,
	.measure = switch_measure,
};
