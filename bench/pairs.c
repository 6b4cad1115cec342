#include "bench/pairs.h"

#include <stdio.h>

#include "bench/results/table.h"
#include "util/err.h"

static bool
is_wanted(const struct bench_row *row, const struct bench_options *options)
{
	const struct bench_scenario *scenario = bench_scenario_find(row->scenario);
	return bench_list_has(options->scenarios, row->scenario)
		&& (scenario->instead_of_transport
			|| bench_list_has(options->transports, bench_transport_names[row->transport]));
}

int
bench_pairs_plan(struct bench_plan *plan, const struct bench_row *row,
	const struct bench_peer *first, const struct bench_peer *second,
	const struct bench_options *options, struct bench_report *report)
{
	const struct bench_settings *settings = &options->settings;
	const struct bench_scenario *scenario = bench_scenario_find(row->scenario);
	const char *why = bench_scenario_skips(scenario, first, row->transport, settings);
	if (!is_wanted(row, options))
		return 0;
	if (why) {
		bench_report_not_measured(report, "%s: %s", row->scenario, why);
		return 0;
	}
	int err = bench_row_plan(plan, row, first, row->transport, settings);
	/* What only the first has is measured by itself. */
	if (bench_scenario_skips(scenario, second, row->transport, settings))
		return err;
	return err ? err : bench_row_plan(plan, row, second, row->transport, settings);
}

int
bench_pairs_run(const struct bench_plan *plan, const struct bench_options *options,
	struct bench_report *report)
{
	int err = 0;
	if (plan->count == 0) {
		fputs("sluice-bench: none of the requested measurements is possible here\n", stderr);
		bench_table_print_sentences(report, stdout);
		err = SL_ENOENT;
	}
	if (!err)
		err = bench_plan_run(plan, options, report);
	bench_report_summarise(report);
	return err;
}
