/* What the command line of sluice-bench asks for.
 * Owner: the caller's struct; strings are borrowed from argv or from the struct itself.
 * Thread: read only once parsed. Errors: a bad command line ends the program with status 2. */
#ifndef SL_BENCH_OPTIONS_H
#define SL_BENCH_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "bench/scenario.h"
#include "bench/settings.h"

#define BENCH_NETWORKS_MAX 16

/* From BENCH_AGAINST on, servers are measured by turns, and the ratios are what counts. */
enum bench_command {
	BENCH_MEASURE, BENCH_PEERS, BENCH_BUDGET, BENCH_AGAINST, BENCH_TLS, BENCH_TOKENS, BENCH_CLIENTS,
};

struct bench_options {
	struct bench_settings settings;
	enum bench_command command;
	const char *scenarios, *transports, *peers; /* comma-separated names, NULL for the default */
	struct bench_network_kind networks[BENCH_NETWORKS_MAX];
	unsigned network_count;                     /* 0: none is emulated */
	unsigned repeats;
	const char *json_path, *html_path;          /* NULL: not written */
	bool quiet;
	bool clients;                               /* what clients of Socket.IO cost */
	bool tls;                                   /* what TLS costs */
	const char *tokens;                         /* what tokens of these kinds cost; NULL: none */
	char data_folder[PATH_MAX];                 /* peers/, budgets.txt, report.html */
	char peers_folder[PATH_MAX], node_folder[PATH_MAX], sluice_path[PATH_MAX];
	char web_folder[PATH_MAX];
};

/* Parses the command line; --help, --version and --list print and end the program. */
void bench_options_parse(struct bench_options *options, int argc, char **argv);

/* Whether the scenario, and the peer for it, are asked for; `scenario` NULL: for any. */
bool bench_options_want(const struct bench_options *options, const struct bench_scenario *scenario);
bool bench_options_want_peer(const struct bench_options *options,
	const struct bench_scenario *scenario, const struct bench_peer *peer);

/* Appends the networks of "NAME[,NAME...]" to `options`: those of bench_network_kinds by name, "all"
 * of them, or of one's own, from "rtt=..." to the next name or "rtt=".
 * Errors: SL_EINVAL, SL_ETOOBIG (more than BENCH_NETWORKS_MAX); `*why` says what is wrong. */
int bench_options_add_networks(struct bench_options *options, const char *list, const char **why);

/* `name` is in the comma-separated `list`, or `list` is NULL. */
bool bench_list_has(const char *list, const char *name);

#endif
