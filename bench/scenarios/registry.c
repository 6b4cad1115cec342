/* The scenarios in the order in which they are shown, and one repeat from start to end. */
#include <stdio.h>
#include <string.h>

#include "bench/load/schedule.h"
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
	&bench_scenario_handshake,
	&bench_scenario_storm,
	&bench_scenario_renewal,
	&bench_scenario_sessions,
	&bench_scenario_request,
	&bench_scenario_publish,
	&bench_scenario_token,
	&bench_scenario_upgrade,
	&bench_scenario_deflate,
	&bench_scenario_cluster,
	&bench_scenario_page,
	&bench_scenario_switch,
	&bench_scenario_net_latency,
	&bench_scenario_net_connect,
	&bench_scenario_net_recovery,
	&bench_scenario_net_bytes,
	&bench_scenario_net_publish,
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
		return "the server accepts no publish by plain request";
	if (scenario->needs_resuming && !peer->resumes)
		return "the server does not resume on every transport";
	if (scenario->needs_tokens && !peer->algorithm)
		return "the server's clients have no tokens";
	if (scenario->needs_upgrade && !peer->upgrades)
		return "the server has no sessions that change to a WebSocket";
	if (scenario->needs_compression && !peer->compresses)
		return "the server does not compress";
	if (scenario->needs_page && !peer->serves_page)
		return "the server has no page";
	if (scenario->needs_page && !settings->web_folder)
		return "the page is not built or installed (--web names its folder)";
	if (scenario->why_no_target && settings->target)
		return scenario->why_no_target;
	if (scenario->needs_process && settings->target && settings->target_pid == 0)
		return "the server's process is unknown (--pid names it)";
	return settings->target ? NULL : peer->missing(settings);
}

double
bench_scenario_seconds(const struct bench_settings *settings, double normal, double quick)
{
	return settings->seconds > 0 ? settings->seconds : settings->quick ? quick : normal;
}

static int
start(struct bench_server *server, const struct bench_step *step,
	const struct bench_settings *settings, const struct bench_network *network)
{
	struct bench_settings own = *settings;
	/* Files that nobody asks for would be memory that is given back and used again. */
	if (!step->scenario->needs_page)
		own.web_folder = NULL;
	own.compresses = step->scenario->needs_compression;
	return settings->target ? bench_server_use_target(server, step->peer, settings)
		: bench_server_start(server, step->peer, &own, network);
}

static int
measure(struct bench_run *run, struct bench_server *server, const struct bench_step *step,
	json_t *repeat)
{
	int err = start(server, step, run->settings, run->network);
	if (err) {
		json_object_set_new(repeat, "error", json_sprintf("start: %s", sl_strerror(err)));
		return err;
	}
	err = step->scenario->measure(run, step->params, repeat);
	if (err && !json_object_get(repeat, "error"))
		json_object_set_new(repeat, "error", json_string(sl_strerror(err)));
	bench_server_stop(server);
	return err;
}

static json_t *
direction_json(const struct bench_network_count *count)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)count->packets,
		"bytes", (json_int_t)count->bytes,
		"retransmitted_packets", (json_int_t)count->retransmitted_packets,
		"retransmitted_bytes", (json_int_t)count->retransmitted_bytes,
		"lost_packets", (json_int_t)count->lost_packets,
		"dropped_packets", (json_int_t)count->dropped_packets,
		"cut_packets", (json_int_t)count->cut_packets);
}

/* What the link carried in all, and what it cost itself; the latter stands with the figures too. */
static void
report_link(const struct bench_network *network, uint64_t elapsed_ns, json_t *repeat)
{
	struct bench_network_count count[BENCH_DIRECTIONS];
	json_t *figures = json_object_get(repeat, "figures");
	double share = (double)bench_network_cpu_ns(network) / (double)elapsed_ns;
	double late_us = (double)bench_network_late_p99_ns(network) / 1e3;
	bench_network_count_now(network, count);
	json_object_set_new(repeat, "link", json_pack("{s:f, s:f, s:I, s:o, s:o}", "cpu_share", share,
		"late_p99_us", late_us, "seed", (json_int_t)network->kind.seed,
		"down", direction_json(&count[BENCH_DOWN]), "up", direction_json(&count[BENCH_UP])));
	if (!figures)
		return;
	json_object_set_new(figures, "link_cpu_share", json_real(share));
	json_object_set_new(figures, "link_late_p99_us", json_real(late_us));
}

/* Repeats have seeds of their own, the same in each run. */
static int
measure_on_network(struct bench_run *run, struct bench_server *server,
	const struct bench_step *step, unsigned repeat_number, json_t *repeat)
{
	struct bench_network_kind kind = *step->network;
	struct bench_network network;
	kind.seed += repeat_number;
	int err = bench_network_open(&network, &kind, run->settings->load_core);
	if (err) {
		json_object_set_new(repeat, "error", json_sprintf("network: %s", sl_strerror(err)));
		return err;
	}
	uint64_t start_ns = bench_now_ns();
	run->network = &network;
	/* The generator sleeps: the link runs on its core. */
	run->busy_polling = false;
	err = measure(run, server, step, repeat);
	report_link(&network, bench_now_ns() - start_ns, repeat);
	bench_network_leave(&network);
	bench_network_close(&network);
	return err;
}

json_t *
bench_scenario_measure(const struct bench_step *step, const struct bench_settings *settings,
	unsigned repeat_number)
{
	struct bench_server server;
	struct bench_run run = { .settings = settings, .server = &server, .transport = step->transport,
		.mark = (unsigned)sl_clock_monotonic_ms(),
		.busy_polling = step->scenario->busy_polling && settings->busy_polling };
	json_t *repeat = json_object();
	if (!repeat)
		return NULL;
	if (step->network)
		measure_on_network(&run, &server, step, repeat_number, repeat);
	else
		measure(&run, &server, step, repeat);
	return repeat;
}
