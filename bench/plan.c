#include "bench/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/results/progress.h"
#include "util/err.h"

void
bench_plan_finish(struct bench_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		json_decref(plan->steps[i].params);
	free(plan->steps);
	*plan = (struct bench_plan){ 0 };
}

int
bench_plan_add(struct bench_plan *plan, const struct bench_scenario *scenario,
	const struct bench_peer *peer, enum bench_transport transport, const json_t *params)
{
	struct bench_step *steps = reallocarray(plan->steps, plan->count + 1, sizeof *steps);
	if (!steps)
		return SL_ENOMEM;
	plan->steps = steps;
	steps[plan->count] = (struct bench_step){
		.scenario = scenario, .peer = peer, .transport = transport, .params = json_deep_copy(params),
	};
	return steps[plan->count++].params ? 0 : SL_ENOMEM;
}

static int
add_or_say_why(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_step *step)
{
	const struct bench_peer *peer = step->peer;
	const char *missing = options->settings.target ? NULL : peer->missing(&options->settings);
	const char *why = bench_scenario_skips(step->scenario, peer, step->transport, &options->settings);
	if (missing)
		bench_report_not_measured(report, "skipped: %s, %s", peer->name, missing);
	else if (why && step->scenario->only_opens == peer->only_opens
		&& !step->scenario->instead_of_transport && !bench_peer_has(peer, step->transport))
		bench_report_not_measured(report, "%s on %s: %s", bench_transport_names[step->transport],
			peer->name, peer->left_out[step->transport] ? peer->left_out[step->transport]
			: "it has no such transport");
	else if (why)
		bench_report_not_measured(report, "%s on %s: %s", step->scenario->name, peer->name, why);
	else
		return bench_plan_add(plan, step->scenario, peer, step->transport, step->params);
	return 0;
}

static int
add_peers(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, struct bench_step *step)
{
	int err = 0;
	for (const struct bench_peer *const *peer = bench_peers; *peer && !err; peer++) {
		step->peer = *peer;
		if (bench_options_want_peer(options, *peer))
			err = add_or_say_why(plan, options, report, step);
	}
	return err;
}

static int
add_case(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report, const struct bench_scenario *scenario, json_t *params)
{
	struct bench_step step = { .scenario = scenario, .params = params };
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
	struct bench_report *report, const struct bench_scenario *scenario)
{
	json_t *cases = scenario->cases(&options->settings), *params;
	size_t i;
	int err = cases ? 0 : SL_ENOMEM;
	json_array_foreach(cases, i, params) {
		err = add_case(plan, options, report, scenario, params);
		if (err)
			break;
	}
	json_decref(cases);
	return err;
}

int
bench_plan_init(struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report)
{
	char left_out[256] = "";
	size_t len = 0;
	int err = 0;
	*plan = (struct bench_plan){ 0 };
	for (const struct bench_scenario *const *at = bench_scenarios; *at && !err; at++)
		if (bench_options_want(options, *at))
			err = add_scenario(plan, options, report, *at);
		else if (!options->scenarios && len < sizeof left_out)
			len += (size_t)snprintf(left_out + len, sizeof left_out - len, "%s%s", len ? ", " : "",
				(*at)->name);
	if (options->command == BENCH_PEERS && !options->peers)
		bench_report_not_measured(report, "uWebSockets.js: it is not in npm's registry");
	if (len)
		bench_report_not_measured(report, "%s: only with --full or --scenarios", left_out);
	if (err)
		bench_plan_finish(plan);
	return err;
}

static int
run_step(const struct bench_step *step, const struct bench_options *options,
	struct bench_report *report)
{
	json_t *repeat = bench_scenario_measure(step->scenario, step->peer, step->transport,
		&options->settings, step->params);
	return repeat ? bench_report_add(report, step->scenario->name, step->peer->name,
		bench_scenario_transport(step->scenario, step->transport), step->params, repeat) : SL_ENOMEM;
}

size_t
bench_plan_step(const struct bench_plan *plan, unsigned repeat, size_t place)
{
	return plan->in_pairs && repeat % 2 ? place ^ 1 : place;
}

int
bench_plan_run(const struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report)
{
	struct bench_progress progress;
	char what[96];
	int err = 0;
	bench_progress_begin(&progress, options->repeats * (unsigned)plan->count, options->quiet);
	for (unsigned repeat = 0; repeat < options->repeats; repeat++)
		for (size_t i = 0; i < plan->count && !err; i++) {
			const struct bench_step *step = &plan->steps[bench_plan_step(plan, repeat, i)];
			snprintf(what, sizeof what, "%s %s%s%s", step->scenario->name,
				bench_scenario_transport(step->scenario, step->transport),
				options->command == BENCH_MEASURE ? "" : " ",
				options->command == BENCH_MEASURE ? "" : step->peer->name);
			bench_progress_step(&progress, what);
			err = run_step(step, options, report);
		}
	bench_progress_end(&progress);
	return err;
}
