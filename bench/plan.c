#include "bench/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/results/progress.h"
#include "bench/together.h"
#include "util/err.h"

#define SLOW_RTT_MS 20.0

void
bench_plan_finish(struct bench_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		json_decref(plan->steps[i].params);
	free(plan->steps);
	*plan = (struct bench_plan){ 0 };
}

int
bench_plan_add(struct bench_plan *plan, const struct bench_step *step)
{
	struct bench_step *steps = reallocarray(plan->steps, plan->count + 1, sizeof *steps);
	if (!steps)
		return SL_ENOMEM;
	plan->steps = steps;
	steps[plan->count] = *step;
	steps[plan->count].params = json_deep_copy(step->params);
	return steps[plan->count++].params ? 0 : SL_ENOMEM;
}

static int
add_or_say_why(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_step *step)
{
	const struct bench_peer *peer = step->peer;
	const char *missing = options->settings.target ? NULL : peer->missing(&options->settings);
	const char *why = bench_scenario_skips(step->scenario, peer, step->transport, &options->settings);
	if (!why && step->network)
		why = step->scenario->why_no_network;
	if (missing)
		bench_report_not_measured(report, "skipped: %s, %s", peer->name, missing);
	else if (why && step->scenario->only_opens == peer->only_opens
		&& !step->scenario->instead_of_transport && !bench_peer_has(peer, step->transport))
		bench_report_not_measured(report, "%s on %s: %s", bench_transport_names[step->transport],
			peer->name, peer->left_out[step->transport] ? peer->left_out[step->transport]
			: "this server has no such transport");
	else if (why)
		bench_report_not_measured(report, "%s on %s: %s", step->scenario->name, peer->name, why);
	else
		return bench_plan_add(plan, step);
	return 0;
}

static int
add_peers(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, struct bench_step *step)
{
	int err = 0;
	for (const struct bench_peer *const *peer = bench_peers; *peer && !err; peer++) {
		step->peer = *peer;
		if (bench_options_want_peer(options, step->scenario, *peer))
			err = add_or_say_why(plan, options, report, step);
	}
	return err;
}

static int
add_case(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_scenario *scenario,
	const struct bench_network_kind *network, json_t *params)
{
	struct bench_step step = { .scenario = scenario, .network = network, .params = params };
	if (scenario->instead_of_transport)
		return add_peers(plan, options, report, &step);
	int err = 0;
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT && !err; i++) {
		step.transport = (enum bench_transport)i;
		if (bench_list_has(options->transports, bench_transport_names[i]))
			err = add_peers(plan, options, report, &step);
	}
	return err;
}

static int
add_scenario(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_scenario *scenario,
	const struct bench_network_kind *network)
{
	json_t *cases = scenario->cases(&options->settings), *params;
	size_t i;
	int err = cases ? 0 : SL_ENOMEM;
	json_array_foreach(cases, i, params) {
		err = add_case(plan, options, report, scenario, network, params);
		if (err)
			break;
	}
	json_decref(cases);
	return err;
}

static int
add_scenarios(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_network_kind *network)
{
	int err = 0;
	for (const struct bench_scenario *const *at = bench_scenarios; *at && !err; at++)
		if (bench_options_want(options, *at))
			err = add_scenario(plan, options, report, *at, network);
	return err;
}

static void
name_left_out(const struct bench_options *options, struct bench_report *report)
{
	char names[256] = "";
	size_t len = 0;
	for (const struct bench_scenario *const *at = bench_scenarios; *at; at++)
		if (!bench_options_want(options, *at) && !(*at)->needs_network && len < sizeof names)
			len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "",
				(*at)->name);
	if (len)
		bench_report_not_measured(report, "%s: only with %s", names, options->network_count
			? "--scenarios and --network" : "--full or --scenarios");
}

int
bench_plan_init(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report)
{
	int err = 0;
	*plan = (struct bench_plan){ 0 };
	for (unsigned i = 0; i < options->network_count && !err; i++)
		err = add_scenarios(plan, options, report, &options->networks[i]);
	if (options->network_count == 0)
		err = add_scenarios(plan, options, report, NULL);
	if (!options->scenarios)
		name_left_out(options, report);
	if (options->command == BENCH_PEERS && !options->peers)
		bench_report_not_measured(report, "uWebSockets.js: it is not in npm's registry");
	if (err)
		bench_plan_finish(plan);
	return err;
}

static int
add_repeat(struct bench_report *report, const struct bench_step *step, json_t *repeat)
{
	const struct bench_result_key key = {
		.scenario = step->scenario->name, .server = step->peer->name, .network = step->network,
		.transport = bench_scenario_transport(step->scenario, step->transport),
		.params = step->params,
	};
	return repeat ? bench_report_add(report, &key, repeat) : SL_ENOMEM;
}

static bool
differ_by_peer(const struct bench_step *one, const struct bench_step *other)
{
	return one->scenario == other->scenario && one->network == other->network
		&& (one->scenario->instead_of_transport || one->transport == other->transport)
		&& json_equal(one->params, other->params);
}

size_t
bench_plan_step(const struct bench_plan *plan, unsigned repeat, size_t place)
{
	const struct bench_step *steps = plan->steps;
	size_t from = place, to = place;
	if (!plan->in_pairs || repeat % 2 == 0)
		return place;
	while (from > 0 && differ_by_peer(&steps[from - 1], &steps[place]))
		from--;
	while (to + 1 < plan->count && differ_by_peer(&steps[to + 1], &steps[place]))
		to++;
	return from + to - place;
}

static bool
goes_with(const struct bench_step *first, const struct bench_step *other)
{
	const struct bench_scenario *one = first->scenario, *two = other->scenario;
	if (!one->side_by_side || !two->side_by_side || first->network != other->network)
		return false;
	bool is_slow = first->network && first->network->rtt_ms >= SLOW_RTT_MS;
	if (one != two)
		return is_slow && one->is_light && two->is_light;
	return is_slow || one->is_light || json_equal(first->params, other->params);
}

/* How many steps from `place` on are measured at the same time. */
static size_t
count_together(const struct bench_plan *plan, size_t place)
{
	size_t count = 1;
	while (place + count < plan->count && count < BENCH_TOGETHER_MAX
		&& goes_with(&plan->steps[place], &plan->steps[place + count]))
		count++;
	return count;
}

static void
show_step(struct bench_progress *progress, const struct bench_options *options,
	const struct bench_step *step)
{
	char what[BENCH_NETWORK_NAME_MAX + 96];
	bool names_peer = options->command != BENCH_MEASURE;
	snprintf(what, sizeof what, "%s%s%s %s%s%s", step->network ? step->network->name : "",
		step->network ? ": " : "", step->scenario->name,
		bench_scenario_transport(step->scenario, step->transport), names_peer ? " " : "",
		names_peer ? step->peer->name : "");
	bench_progress_step(progress, what);
}

/* `count` steps at the same time. */
static int
run_steps(const struct bench_step *steps, size_t count, const struct bench_options *options,
	unsigned repeat, struct bench_report *report)
{
	json_t *repeats[BENCH_TOGETHER_MAX] = { NULL };
	int err = 0;
	if (count > 1)
		err = bench_together_measure(steps, count, &options->settings, repeat, repeats);
	else
		repeats[0] = bench_scenario_measure(steps, &options->settings, repeat);
	for (size_t i = 0; i < count && !err; i++)
		err = add_repeat(report, &steps[i], repeats[i]);
	return err;
}

int
bench_plan_run(const struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report)
{
	struct bench_progress progress;
	size_t count;
	int err = 0;
	bench_progress_begin(&progress, options->repeats * (unsigned)plan->count, options->quiet);
	for (unsigned repeat = 0; repeat < options->repeats; repeat++)
		for (size_t i = 0; i < plan->count && !err; i += count) {
			const struct bench_step *steps = &plan->steps[bench_plan_step(plan, repeat, i)];
			count = count_together(plan, i);
			for (size_t shown = 0; shown < count; shown++)
				show_step(&progress, options, &steps[shown]);
			err = run_steps(steps, count, options, repeat, report);
		}
	bench_progress_end(&progress);
	return err;
}
