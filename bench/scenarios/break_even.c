/* The rate of messages at which long-poll and short poll cost the same bytes: below it a
 * short poll asks in vain too often, above it each message costs a long-poll a whole cycle.
 * Several rates are measured in one window, each on a channel of its own with one subscriber
 * of either kind. */
#include "bench/load/break_even.h"
#include "bench/load/generator.h"
#include "util/err.h"

#define PAYLOAD_BYTES 128
#define SECONDS 2.0 /* a multiple of the poll interval, and of the time between messages */
#define FULL_SECONDS 20.0

/* Messages a second. */
static const double rates[] = { 0.5, 1, 1.5, 2, 3, 5, 10 };
#define RATES (sizeof rates / sizeof *rates)

static json_t *
break_even_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i,s:f}]", "payload", PAYLOAD_BYTES, "interval_s",
		(double)BENCH_POLL_INTERVAL_NS / 1e9);
}

static void
make_plans(const struct bench_run *run, struct bench_worker_plan *plans)
{
	for (size_t i = 0; i < 2 * RATES; i++) {
		plans[i] = (struct bench_worker_plan){
			.transport = i < RATES ? BENCH_LONGPOLL : BENCH_POLL, .readers = 1, .publishes = true,
			.payload_len = PAYLOAD_BYTES, .poll_interval_ns = BENCH_POLL_INTERVAL_NS,
		};
		bench_generator_name_channel(run, "bench", (unsigned)i, plans[i].channel);
	}
}

static void
make_passes(struct bench_pass *passes, double seconds)
{
	uint64_t start = bench_now_ns() + 5000000;
	for (size_t i = 0; i < 2 * RATES; i++)
		passes[i] = (struct bench_pass){
			.schedule = { .start_ns = start, .rate = rates[i % RATES], .burst = 1,
				.count = (uint32_t)(rates[i % RATES] * seconds + 0.5) },
			.hold_until_ns = start + (uint64_t)(seconds * 1e9),
			.poll_from_ns = start + BENCH_POLL_INTERVAL_NS,
			.measured = true,
		};
}

static double
bytes_of(const struct bench_worker *worker)
{
	struct bench_account account = { 0 };
	bench_worker_add_account(worker, &account);
	return (double)bench_account_total(&account);
}

static void
set_figures(const struct bench_generator *generator, const double *before, double seconds,
	json_t *repeat)
{
	double longpoll[RATES], poll[RATES], rate;
	json_t *figures = json_object(), *curve = json_array();
	for (size_t i = 0; i < RATES; i++) {
		longpoll[i] = (bytes_of(&generator->workers[i]) - before[i]) / seconds;
		poll[i] = (bytes_of(&generator->workers[i + RATES]) - before[i + RATES]) / seconds;
		json_array_append_new(curve, json_pack("[f,f,f]", rates[i], longpoll[i], poll[i]));
	}
	if (bench_break_even(rates, longpoll, poll, RATES, &rate))
		json_object_set_new(figures, "rate_per_s", json_real(rate));
	json_object_set_new(repeat, "figures", figures);
	/* [messages a second, bytes a second by long-poll, the same by short poll] */
	json_object_set_new(repeat, "curve", curve);
}

static int
measure(struct bench_generator *generator, double seconds, json_t *repeat)
{
	struct bench_pass passes[2 * RATES];
	double before[2 * RATES];
	int err = bench_generator_open(generator);
	if (!err)
		err = bench_generator_rest(generator);
	if (err)
		return err;
	for (size_t i = 0; i < 2 * RATES; i++)
		before[i] = bytes_of(&generator->workers[i]);
	make_passes(passes, seconds);
	err = bench_generator_run(generator, passes);
	if (!err)
		err = bench_generator_rest(generator);
	if (!err)
		set_figures(generator, before, seconds, repeat);
	return err;
}

static int
break_even_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	const struct bench_settings *settings = run->settings;
	struct bench_worker_plan plans[2 * RATES];
	struct bench_generator generator;
	make_plans(run, plans);
	int err = bench_generator_init_plans(&generator, run, plans, 2 * RATES);
	if (!err)
		err = measure(&generator, settings->full ? FULL_SECONDS : SECONDS, repeat);
	return bench_generator_conclude(&generator, NULL, false, err, repeat);
}

const struct bench_scenario bench_scenario_break_even = {
	.name = "break-even",
	.title = "break-even: the rate at which long-poll and short poll cost the same bytes",
	.in_default = true,
	.instead_of_transport = "longpoll+poll",
	.needs = BENCH_HAS(BENCH_LONGPOLL) | BENCH_HAS(BENCH_POLL),
	.cases = break_even_cases,
	.measure = break_even_measure,
};
