/* The scenarios in the order in which they are shown, and one repeat from start to end. */
#include <stdio.h>
#include <string.h>

#include "bench/scenario.h"
#include "util/clock.h"
#include "util/err.h"

const struct bench_scenario *const bench_scenarios[] = {
	&bench_scenario_latency,
	&bench_scenario_fanout,
	&bench_scenario_channels,
	&bench_scenario_overhead,
	&bench_scenario_break_even,
	&bench_scenario_idle,
	&bench_scenario_opening,
	&bench_scenario_connect,
	&bench_scenario_request,
	&bench_scenario_publish,
	&bench_scenario_page,
	&bench_scenario_switch,
	NULL,
};

const struct bench_scenario *
bench_scenario_find(const char *name)
{
	for (const struct bench_scenario *const *at = bench_scenarios; *at; at++)
		if (strcmp((*at)->name, name) == 0)
			return *at;
	return NULL;
}

const char *
bench_scenario_transport(const struct bench_scenario *scenario, enum bench_transport transport)
{
	return scenario->instead_of_transport ? scenario->instead_of_transport
		: bench_transport_names[transport];
}

const char *
bench_scenario_skips(const struct bench_scenario *scenario, const struct bench_peer *peer,
	enum bench_transport transport, const struct bench_settings *settings)
{
	unsigned needs = scenario->instead_of_transport ? scenario->needs : BENCH_HAS(transport);
	if (peer->only_opens && !scenario->only_opens)
		return "the server only opens connections";
	if ((peer->transports & needs) != needs)
		return "the server does not have this transport";
	if (!scenario->instead_of_transport && (scenario->leaves_out & BENCH_HAS(transport)))
		return scenario->why_left_out;
	if (scenario->needs_request && !peer->request)
		return "the server has no plain request";
	if (scenario->needs_publish && !peer->publish)
		return "the server takes no messages by plain requests";
	if (scenario->needs_resuming && !peer->resumes)
		return "the server does not resume on every transport";
	if (scenario->needs_page && !peer->serves_page)
		return "the server has no page";
	if (scenario->needs_page && !settings->web_folder)
		return "the page is not here (--web)";
	if (scenario->why_no_target && settings->target)
		return scenario->why_no_target;
	if (scenario->needs_process && settings->target && settings->target_pid == 0)
		return "the server's process cannot be seen (--pid)";
	return settings->target ? NULL : peer->missing(settings);
}

double
bench_scenario_seconds(const struct bench_settings *settings, double normal, double quick)
{
	return settings->seconds > 0 ? settings->seconds : settings->quick ? quick : normal;
}

static int
start(struct bench_server *server, const struct bench_scenario *scenario,
	const struct bench_peer *peer, const struct bench_settings *settings)
{
	struct bench_settings own = *settings;
	/* Files that nobody asks for would be memory that is given back and used again. */
	if (!scenario->needs_page)
		own.web_folder = NULL;
	return settings->target ? bench_server_use_target(server, peer, settings)
		: bench_server_start(server, peer, &own);
}

json_t *
bench_scenario_measure(const struct bench_scenario *scenario, const struct bench_peer *peer,
	enum bench_transport transport, const struct bench_settings *settings, const json_t *params)
{
	struct bench_server server;
	struct bench_run run = { .settings = settings, .server = &server, .transport = transport,
		.mark = (unsigned)sl_clock_monotonic_ms(),
		.busy_polling = scenario->busy_polling && settings->busy_polling };
	json_t *repeat = json_object();
	if (!repeat)
		return NULL;
	int err = start(&server, scenario, peer, settings);
	if (err) {
		json_object_set_new(repeat, "error", json_sprintf("start: %s", sl_strerror(err)));
		return repeat;
	}
	err = scenario->measure(&run, params, repeat);
	if (err && !json_object_get(repeat, "error"))
		json_object_set_new(repeat, "error", json_string(sl_strerror(err)));
	bench_server_stop(&server);
	return repeat;
}
