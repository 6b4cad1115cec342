/* The contract of a scenario: which cases it has and how one is measured once. The currency
 * between engine and results is JSON (jansson).
 * Owner: static tables, each in one file of bench/scenarios/. Thread: the caller's; the
 * generator's own threads begin and end inside measure. Errors: told in the repeat.
 *
 * A repeat, as measure fills it:
 *   {"figures":{name:number,...}, "histogram":[[upper_us,count],...],
 *    "timeline":[[ms,count],...], "expected":N, "deliveries":N, "lost":N, "doubled":N,
 *    "reordered":N, "generator":{"busy_polling":B,"busy_share":X,"cpu_share":X,"wakeups":N,
 *    "late_p99_us":X,"saturated":B,"reasons":[..]},
 *    "counted":{"from_ns":N,"to_ns":N}}: of CLOCK_MONOTONIC, where bytes were counted,
 * on a network also "link":{"cpu_share":X,"late_p99_us":X,"seed":N,"down":{..},"up":{..}},
 * or {"error":"..."} or {"skipped":"..."}. What was not measured is absent. */
#ifndef SL_BENCH_SCENARIO_H
#define SL_BENCH_SCENARIO_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/network/network.h"
#include "bench/peer.h"
#include "bench/settings.h"

/* What one repeat is measured on; all borrowed. */
struct bench_run {
	const struct bench_settings *settings;
	const struct bench_server *server; /* runs */
	struct bench_network *network;     /* before the server; NULL: loopback, or a target */
	enum bench_transport transport;    /* where the scenario has that axis */
	unsigned mark;                     /* tells its channels on a target from others' */
	bool busy_polling;                 /* the generator polls its cores instead of sleeping */
};

struct bench_scenario {
	const char *name, *title;

	/* Runs without --full. */
	bool in_default;

	/* Runs only where it is named, or with --tls. */
	bool by_name;

	/* CPU or times are measured, which a generator that sleeps adds to: it polls its cores. */
	bool busy_polling;

	/* NULL: measured once for each transport. Else it takes what transports it needs by
	 * itself, and this stands in the transport's place ("all", "http", "longpoll+poll"). */
	const char *instead_of_transport;

	/* BENCH_HAS of the transports that the server must have: those it takes by itself. */
	unsigned needs;

	/* BENCH_HAS of transports that it does not measure, and why. */
	unsigned leaves_out;
	const char *why_left_out;

	/* Why it cannot be measured on a target; NULL: it can. */
	const char *why_no_target;

	/* Why it cannot be measured over a network; NULL: it can. */
	const char *why_no_network;

	bool needs_process; /* to see the server's process */
	bool needs_request; /* a peer with a plain request */
	bool needs_publish; /* a peer that is published to by a plain request */
	bool needs_resuming; /* a peer that resumes behind a cursor */
	bool needs_tokens;   /* a peer whose clients have tokens */
	bool needs_upgrade;  /* a peer whose sessions go on from polling over a WebSocket */
	bool needs_page;     /* a peer that serves settings->web_folder */
	bool needs_compression; /* a peer that compresses, and is started so: messages of any size */
	bool only_opens;     /* nothing is published: a peer that only opens will do */

	/* It needs a network (--network), with which it runs by default. */
	bool needs_network;

	/* Mostly it waits: its transports are measured at the same time, each in a process and on a
	 * network of its own. Only with needs_network. */
	bool side_by_side;

	/* It does little: its cases are measured at the same time too, and where the round trip is
	 * long beside what the cores may be late by, the others that are light. */
	bool is_light;

	/* Mandatory: returns new: an array of objects, the cases; NULL when memory ran out. */
	json_t *(*cases)(const struct bench_settings *settings);

	/* Mandatory: one repeat of the case `params`; fills the empty object `repeat`.
	 * Returns 0 or an sl_err; the caller sets repeat["error"] if it is not set. */
	int (*measure)(struct bench_run *run, const json_t *params, json_t *repeat);
};

/* One measurement of a run. */
struct bench_step {
	const struct bench_scenario *scenario;
	const struct bench_peer *peer;
	enum bench_transport transport;
	const struct bench_network_kind *network; /* borrows; NULL: loopback, or a target */
	json_t *params;                           /* owns: the case */
};

/* Ended by NULL, in the order in which they are shown. */
extern const struct bench_scenario *const bench_scenarios[];
extern const struct bench_scenario bench_scenario_break_even, bench_scenario_channels,
	bench_scenario_cluster, bench_scenario_connect, bench_scenario_deflate, bench_scenario_fanout, bench_scenario_handshake, bench_scenario_idle,
	bench_scenario_latency,
	bench_scenario_net_bytes, bench_scenario_net_connect, bench_scenario_net_latency,
	bench_scenario_net_publish, bench_scenario_net_recovery,
	bench_scenario_opening, bench_scenario_overhead, bench_scenario_page,
	bench_scenario_publish, bench_scenario_renewal, bench_scenario_request,
	bench_scenario_sessions, bench_scenario_storm, bench_scenario_switch,
	bench_scenario_token, bench_scenario_upgrade;

/* NULL when there is none of that name. */
const struct bench_scenario *bench_scenario_find(const char *name);

/* What stands in the "transport" of a result. */
const char *bench_scenario_transport(const struct bench_scenario *scenario,
	enum bench_transport transport);

/* NULL when it can be measured on `peer` by `transport` (which counts only where there is that
 * axis), else why not. */
const char *bench_scenario_skips(const struct bench_scenario *scenario,
	const struct bench_peer *peer, enum bench_transport transport,
	const struct bench_settings *settings);

/* How long to measure: what the settings say, or the scenario's own. */
double bench_scenario_seconds(const struct bench_settings *settings, double normal, double quick);

/* Repeat number `repeat` (from 0) of a step from start to end: opens its network with a seed of
 * this repeat, starts its peer (or uses settings->target), measures, stops both.
 * Returns new: the repeat; a failure is its "error". NULL when memory ran out. */
json_t *bench_scenario_measure(const struct bench_step *step,
	const struct bench_settings *settings, unsigned repeat);

#endif
