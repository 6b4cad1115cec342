/* What the workers saw, merged, as a repeat tells it. */
#include <stdlib.h>

#include "bench/load/generator.h"
#include "util/err.h"

#define LATE_SHARE 0.05

struct losses {
	uint64_t lost, doubled, reordered;
};

static void
add_losses(struct losses *losses, const struct bench_worker *worker)
{
	for (unsigned i = 0; i < worker->plan.readers; i++) {
		const struct bench_counter *counter = &worker->readers[i].counter;
		uint32_t owed = bench_worker_owes(worker, &worker->readers[i]);
		losses->lost += counter->skipped;
		losses->lost += owed > counter->next ? owed - counter->next : 0;
		losses->doubled += counter->doubled;
		losses->reordered += counter->reordered;
	}
}

bool
bench_generator_late_matters(const struct bench_run *run, const struct bench_histogram *late)
{
	double rtt_ns = run->network ? 1e6 * run->network->kind.rtt_ms : 0;
	return (double)bench_histogram_percentile(late, 99) > LATE_SHARE * rtt_ns;
}

/* Sets lost, doubled, reordered and generator in `repeat`. */
static void
report(const struct bench_generator *generator, json_t *repeat, bool late_matters)
{
	struct losses losses = { 0 };
	struct bench_histogram *late = calloc(1, sizeof *late);
	struct bench_generator_use use = { .busy_polls = generator->run->busy_polling };
	if (!late)
		return;
	for (unsigned i = 0; i < generator->count; i++) {
		const struct bench_worker *worker = &generator->workers[i];
		const struct bench_tally *tally = worker->tally;
		add_losses(&losses, worker);
		bench_histogram_merge(late, &tally->late);
		bench_generator_use_add(&use, &tally->effort);
	}
	json_object_set_new(repeat, "lost", json_integer((json_int_t)losses.lost));
	json_object_set_new(repeat, "doubled", json_integer((json_int_t)losses.doubled));
	json_object_set_new(repeat, "reordered", json_integer((json_int_t)losses.reordered));
	bench_usage_set_generator(repeat, &use, late,
		late_matters && bench_generator_late_matters(generator->run, late));
	free(late);
}

static json_t *
make_timeline(const struct bench_generator *generator)
{
	json_t *timeline = json_array();
	for (unsigned step = 0; step < BENCH_TIMELINE_STEPS; step++) {
		uint64_t count = 0;
		for (unsigned i = 0; i < generator->count; i++)
			count += generator->workers[i].tally->timeline[step];
		if (count)
			json_array_append_new(timeline, json_pack("[i,I]",
				(int)(step * (BENCH_TIMELINE_STEP_NS / 1000000u)), (json_int_t)count));
	}
	return timeline;
}

void
bench_generator_add_latency(const struct bench_generator *generator,
	struct bench_histogram *latency)
{
	for (unsigned i = 0; i < generator->count; i++)
		bench_histogram_merge(latency, &generator->workers[i].tally->latency);
}

static int
set_latency(const struct bench_generator *generator, json_t *repeat)
{
	struct bench_histogram *latency = calloc(1, sizeof *latency);
	if (!latency)
		return SL_ENOMEM;
	bench_generator_add_latency(generator, latency);
	bench_histogram_set_figures(latency, json_object_get(repeat, "figures"));
	json_object_set_new(repeat, "histogram", bench_histogram_json(latency));
	free(latency);
	return 0;
}

static void
report_window(const struct bench_generator *generator, const struct bench_window *window,
	json_t *repeat, bool with_latency)
{
	json_object_set_new(repeat, "expected", json_integer((json_int_t)window->expected));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)window->deliveries));
	json_object_set_new(repeat, "timeline", make_timeline(generator));
	if (with_latency)
		set_latency(generator, repeat);
}

static void
report_error(const struct bench_generator *generator, int err, json_t *repeat)
{
	unsigned open = 0, wanted = 0, closed = 0;
	uint64_t refused = 0;
	for (unsigned i = 0; i < generator->count; i++) {
		const struct bench_worker *worker = &generator->workers[i];
		open += worker->open_count;
		wanted += worker->plan.readers;
		closed += worker->closed_count;
		refused += worker->publisher.refused;
	}
	json_object_set_new(repeat, "error",
		json_sprintf("%s (%u of %u open, %u closed, %u publishes refused)", sl_strerror(err), open,
			wanted, closed, (unsigned)refused));
}

int
bench_generator_conclude(struct bench_generator *generator, const struct bench_window *window,
	bool timed, int err, json_t *repeat)
{
	if (err) {
		report_error(generator, err, repeat);
	} else {
		if (window)
			report_window(generator, window, repeat, timed);
		report(generator, repeat, timed);
	}
	bench_generator_finish(generator);
	return err;
}
