#include "bench/options.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/results/networks.h"
#include "bench/results/report.h"
#include "bench/script.h"
#include "util/err.h"

#define USAGE_STATUS 2

enum {
	OPTION_AGAINST = 256, OPTION_CA_FILE, OPTION_CLIENTS, OPTION_CONNECTIONS, OPTION_DATA, OPTION_FULL, OPTION_HTML,
	OPTION_INSECURE, OPTION_JSON, OPTION_LIST, OPTION_LOAD_CORE, OPTION_NCHAN_MODULE, OPTION_NETWORK,
	OPTION_NGINX,
	OPTION_NO_BUSY_POLL, OPTION_NODE, OPTION_PEERS, OPTION_PID, OPTION_PUSHPIN, OPTION_QUICK, OPTION_SCENARIOS,
	OPTION_SERVER_CORE, OPTION_SLUICE, OPTION_SUBSCRIBERS, OPTION_TARGET, OPTION_THREADS,
	OPTION_TLS, OPTION_TOKENS, OPTION_TRANSPORTS, OPTION_WEB,
};

static const struct argp_option option_table[] = {
	{ NULL, 0, NULL, 0, "What to measure:", 1 },
	{ "full", OPTION_FULL, NULL, 0, "Run every scenario, with more cases and longer windows", 0 },
	{ "quick", OPTION_QUICK, NULL, 0, "Run one repeat of short windows, for a first look", 0 },
	{ "scenarios", OPTION_SCENARIOS, "NAMES", 0, "Run only these scenarios, comma-separated (--list names them)", 0 },
	{ "transports", OPTION_TRANSPORTS, "NAMES", 0, "Measure only these transports, comma-separated", 0 },
	{ "peers", OPTION_PEERS, "NAMES", 0, "Measure only these servers, comma-separated (with the command peers)", 0 },
	{ "against", OPTION_AGAINST, "PROGRAM", 0,
		"Measure a second gateway and the first alternately, and print the ratios", 0 },
	{ "tls", OPTION_TLS, NULL, 0,
		"Measure the gateway over https and http alternately, and print what TLS costs", 0 },
	{ "tokens", OPTION_TOKENS, "NAMES", 0,
		"Measure the gateway with and without tokens alternately, and print what tokens cost; use HS256, RS256, ES256, "
		"EdDSA or all", 0 },
	{ "clients", OPTION_CLIENTS, NULL, 0,
		"Measure clients of Socket.IO on the gateway, its native clients, and Socket.IO's own server alternately", 0 },
	{ "network", OPTION_NETWORK, "NAMES", 0,
		"Measure over emulated networks: names of --list, all, or rtt=MS[,jitter=MS][,loss=PERCENT]"
		"[,rate=MBIT[/MBIT]]", 0 },
	{ "target", OPTION_TARGET, "URL", 0, "Measure a running gateway, instead of starting one", 0 },
	{ "pid", OPTION_PID, "N", 0, "Read CPU and memory of the target from this process on this machine", 0 },
	{ "insecure", OPTION_INSECURE, NULL, 0, "Accept any certificate of the target", 0 },
	{ "ca-file", OPTION_CA_FILE, "FILE", 0, "Trust the certificates in FILE too (PEM)", 0 },

	{ NULL, 0, NULL, 0, "How to measure:", 2 },
	{ "repeats", 'n', "N", 0, "Measure everything N times (default 3)", 0 },
	{ "seconds", 't', "S", 0, "Set the length of a measured window (default: the scenario's own)", 0 },
	{ "subscribers", OPTION_SUBSCRIBERS, "N", 0, "Set the subscribers of fanout and deflate (default: the scenario's own)", 0 },
	{ "connections", OPTION_CONNECTIONS, "N", 0, "Set the connections of idle, storm, renewal and sessions, and the channels of channels "
		"(default: the scenario's own)", 0 },
	{ "threads", OPTION_THREADS, "N", 0, "Set the threads of the generator (default: one per core, without the server's)", 0 },
	{ "no-busy-poll", OPTION_NO_BUSY_POLL, NULL, 0, "Let the generator sleep until data arrives, as clients do", 0 },
	{ "server-core", OPTION_SERVER_CORE, "N", 0, "Bind the server to this core (default: the first)", 0 },
	{ "load-core", OPTION_LOAD_CORE, "N", 0, "Bind the generator to the cores from this one on (default: the next)", 0 },

	{ NULL, 0, NULL, 0, "What to print and write:", 3 },
	{ "json", OPTION_JSON, "FILE", 0, "Write all figures of all repeats to FILE", 0 },
	{ "html", OPTION_HTML, "FILE", 0, "Write a report with plots to FILE", 0 },
	{ "quiet", 'q', NULL, 0, "Show no progress on the terminal", 0 },
	{ "list", OPTION_LIST, NULL, 0, "List scenarios, networks, transports and peers, then exit", 0 },

	{ NULL, 0, NULL, 0, "Where to find programs and files:", 4 },
	{ "sluice", OPTION_SLUICE, "PATH", 0, "Start this gateway (default: the one beside this program)", 0 },
	{ "web", OPTION_WEB, "FOLDER", 0,
		"Serve the gateway's page from this folder (default: www beside this program, or the installed one)", 0 },
	{ "nginx", OPTION_NGINX, "PATH", 0, "Use this nginx (default /usr/sbin/nginx)", 0 },
	{ "nchan-module", OPTION_NCHAN_MODULE, "PATH", 0, "Load this module of nchan into nginx", 0 },
	{ "node", OPTION_NODE, "PATH", 0, "Use this Node (default /usr/bin/node)", 0 },
	{ "pushpin", OPTION_PUSHPIN, "PATH", 0, "Use this Pushpin (default /usr/bin/pushpin)", 0 },
	{ "data", OPTION_DATA, "FOLDER", 0, "Read the peers' configurations, the budgets and the report's template from this folder", 0 },
	{ 0 },
};

bool
bench_list_has(const char *list, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return !list;
}

bool
bench_options_want(const struct bench_options *options, const struct bench_scenario *scenario)
{
	if (options->scenarios)
		return bench_list_has(options->scenarios, scenario->name);
	if (options->network_count || scenario->needs_network)
		return options->network_count && scenario->needs_network;
	return scenario->in_default || (options->settings.full && !scenario->by_name);
}

bool
bench_options_want_peer(const struct bench_options *options, const struct bench_scenario *scenario,
	const struct bench_peer *peer)
{
	if (options->command == BENCH_PEERS && !options->peers)
		return !peer->tls && !peer->algorithm && !peer->by_name;
	if (options->command == BENCH_PEERS)
		return bench_list_has(options->peers, peer->name);
	/* What needs tokens is measured with the algorithm that costs the least. */
	if (scenario && scenario->needs_tokens)
		return peer == &bench_peer_sluice_hs256;
	return peer == (scenario && scenario->needs_upgrade ? &bench_peer_sluice_socketio : &bench_peer_sluice);
}

static unsigned
parse_count(struct argp_state *state, const char *option, const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value < min || value > max)
		argp_error(state, "%s: \"%s\" is out of range; use a whole number from %u to %u", option, text, min, max);
	return (unsigned)value;
}

static double
parse_seconds(struct argp_state *state, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value >= 0.2 && value <= 60))
		argp_error(state, "--seconds: \"%s\" is out of range; use 0.2 to 60 (seconds)", text);
	return value;
}

static int
parse_core(struct argp_state *state, const char *option, const char *text)
{
	long cores = sysconf(_SC_NPROCESSORS_CONF);
	return (int)parse_count(state, option, text, 0, cores > 1 ? (unsigned)cores - 1 : 0);
}

static bool
is_scenario(const char *name)
{
	return bench_scenario_find(name) != NULL;
}

static bool
is_transport(const char *name)
{
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++)
		if (strcmp(bench_transport_names[i], name) == 0)
			return true;
	return false;
}

static bool
is_peer(const char *name)
{
	for (const struct bench_peer *const *peer = bench_peers; *peer; peer++)
		if (strcmp((*peer)->name, name) == 0)
			return true;
	return false;
}

static bool
is_algorithm(const char *name)
{
	for (enum bench_algorithm at = BENCH_HS256; at < BENCH_ALGORITHM_COUNT; at++)
		if (strcmp(bench_algorithm_names[at], name) == 0)
			return true;
	return strcmp(name, "all") == 0;
}

/* Each name of the list must be one that `is_known` knows. */
static const char *
parse_names(struct argp_state *state, const char *option, const char *list,
	bool (*is_known)(const char *name))
{
	char name[64];
	const char *at = list;
	do {
		size_t len = strcspn(at, ",");
		snprintf(name, sizeof name, "%.*s", (int)len, at);
		if (len >= sizeof name || !is_known(name))
			argp_error(state, "%s: \"%s\" is unknown; %s", option, name,
				is_known == is_algorithm ? "use HS256, RS256, ES256, EdDSA or all" : "--list shows the names");
		at += len;
	} while (*at++ == ',');
	return list;
}

static const char *
parse_target(struct argp_state *state, const char *text)
{
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		argp_error(state, "--target: \"%s\" is not a URL; use http://... or https://...", text);
	return text;
}

static bool
has_page(const char *folder)
{
	char page[PATH_MAX];
	return snprintf(page, sizeof page, "%s/index.html", folder) < PATH_MAX && access(page, R_OK) == 0;
}

static const char *
parse_web(struct argp_state *state, const char *text)
{
	if (!has_page(text))
		argp_error(state, "--web: there is no index.html in \"%s\"; use the folder of the gateway's page", text);
	return text;
}

static const char *
parse_program(struct argp_state *state, const char *text)
{
	if (access(text, X_OK) != 0)
		argp_error(state, "--against: \"%s\" is not an executable file; use the path of a gateway", text);
	return text;
}

static int
add_network(struct bench_options *options, const char *name, const char **why)
{
	if (options->network_count == BENCH_NETWORKS_MAX) {
		*why = "there are too many networks for one run";
		return SL_ETOOBIG;
	}
	int err = bench_network_parse(&options->networks[options->network_count], name, why);
	options->network_count += !err;
	return err;
}

static int
add_all_networks(struct bench_options *options, const char **why)
{
	int err = 0;
	for (const struct bench_network_kind *kind = bench_network_kinds; *kind->name && !err; kind++)
		err = add_network(options, kind->name, why);
	return err;
}

/* The length of the first network of `list`: a name, or "rtt=..." with what belongs to it. */
static size_t
network_len(const char *list)
{
	size_t len = strcspn(list, ",");
	bool is_own = memchr(list, '=', len);
	while (is_own && list[len]) {
		const char *next = list + len + 1;
		size_t next_len = strcspn(next, ",");
		if (!memchr(next, '=', next_len) || strncmp(next, "rtt=", 4) == 0)
			break;
		len += 1 + next_len;
	}
	return len;
}

int
bench_options_add_networks(struct bench_options *options, const char *list, const char **why)
{
	char name[BENCH_NETWORK_NAME_MAX];
	int err;
	do {
		size_t len = network_len(list);
		snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), list);
		err = strcmp(name, "all") == 0 ? add_all_networks(options, why)
			: add_network(options, name, why);
		list += len;
	} while (!err && *list++ == ',');
	return err;
}

static void
parse_networks(struct bench_options *options, struct argp_state *state, const char *text)
{
	const char *why = "";
	if (bench_options_add_networks(options, text, &why) != 0)
		argp_error(state, "--network: \"%s\": %s (--list shows the names)", text, why);
}

static void
list_network(const struct bench_network_kind *kind)
{
	char words[160];
	bench_network_write(words, sizeof words, kind);
	printf("    %-12s %s\n", kind->name, words);
}

static void
list_names(void)
{
	puts("Scenarios (* in the default run):");
	for (const struct bench_scenario *const *at = bench_scenarios; *at; at++)
		printf("  %c %-12s %s\n", (*at)->in_default ? '*' : ' ', (*at)->name, (*at)->title);
	puts("Networks:");
	for (const struct bench_network_kind *kind = bench_network_kinds; *kind->name; kind++)
		list_network(kind);
	puts("Transports:");
	for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++)
		printf("    %s\n", bench_transport_names[i]);
	puts("Peers:");
	for (const struct bench_peer *const *peer = bench_peers; *peer; peer++) {
		printf("    %-12s", (*peer)->name);
		for (unsigned i = 0; i < BENCH_TRANSPORT_COUNT; i++)
			if (bench_peer_has(*peer, i))
				printf(" %s", bench_transport_names[i]);
		putchar('\n');
	}
	exit(0);
}

static void
parse_command(struct bench_options *options, struct argp_state *state, const char *text)
{
	if (state->arg_num == 0 && strcmp(text, "peers") == 0)
		options->command = BENCH_PEERS;
	else if (state->arg_num == 0 && strcmp(text, "budget") == 0)
		options->command = BENCH_BUDGET;
	else
		argp_error(state, "\"%s\" is not a command; use peers or budget, or as the first word "
			"check-code, check-report, lab, link or probe", text);
}

/* What does not go together. */
static void
check(const struct bench_options *options, struct argp_state *state)
{
	const struct bench_settings *settings = &options->settings;
	if (settings->full && settings->quick)
		argp_error(state, "--full and --quick exclude each other; use one of them");
	if (settings->target && options->command != BENCH_MEASURE)
		argp_error(state, "--target does not work with peers and budget, which start their own servers");
	if (settings->against_path
		&& (options->command != BENCH_MEASURE || settings->target || settings->full))
		argp_error(state, "--against does not work with peers, budget, --target and --full");
	if (options->tokens && (options->tls || options->command != BENCH_MEASURE || settings->target
		|| settings->against_path || settings->full || options->network_count))
		argp_error(state, "--tokens does not work with peers, budget, --tls, --target, --against, --network and --full");
	if (options->tls && (options->command != BENCH_MEASURE || settings->target || settings->against_path
		|| settings->full || options->network_count))
		argp_error(state, "--tls does not work with peers, budget, --target, --against, --network and --full");
	if (options->clients && (options->tls || options->tokens || options->command != BENCH_MEASURE
		|| settings->target || settings->against_path || settings->full || options->network_count))
		argp_error(state, "--clients does not work with peers, budget, --tls, --tokens, --target, --against, --network "
			"and --full");
	if (!settings->target && (settings->target_pid || settings->insecure || settings->ca_file))
		argp_error(state, "--pid, --insecure and --ca-file need --target");
	if (options->peers && options->command != BENCH_PEERS)
		argp_error(state, "--peers needs the command peers: sluice-bench peers --peers=%s", options->peers);
	if (options->network_count && (settings->target || settings->against_path
		|| options->command != BENCH_MEASURE))
		argp_error(state, "--network does not work with peers, budget, --target and --against: it measures "
			"a gateway of its own");
	for (const struct bench_scenario *const *at = bench_scenarios; *at; at++)
		if (options->scenarios && (*at)->needs_network && !options->network_count
			&& bench_list_has(options->scenarios, (*at)->name))
			argp_error(state, "--scenarios: %s needs --network, for instance --network=4g", (*at)->name);
	if (options->command == BENCH_BUDGET
		&& (options->scenarios || options->transports || options->html_path || settings->full))
		argp_error(state, "budget does not work with --scenarios, --transports, --html and --full: "
			"it has its own scenarios and its own table");
}

static error_t
parse_settings(int key, char *text, struct argp_state *state)
{
	struct bench_options *options = state->input;
	struct bench_settings *settings = &options->settings;
	switch (key) {
	case OPTION_AGAINST: settings->against_path = parse_program(state, text); break;
	case OPTION_CA_FILE: settings->ca_file = text; break;
	case OPTION_CONNECTIONS: settings->connections = parse_count(state, "--connections", text, 1, 50000); break;
	case OPTION_FULL: settings->full = true; break;
	case OPTION_INSECURE: settings->insecure = true; break;
	case OPTION_LOAD_CORE: settings->load_core = parse_core(state, "--load-core", text); break;
	case OPTION_NCHAN_MODULE: settings->nchan_module = text; break;
	case OPTION_NO_BUSY_POLL: settings->busy_polling = false; break;
	case OPTION_NGINX: settings->nginx_path = text; break;
	case OPTION_NODE: settings->node_path = text; break;
	case OPTION_PID: settings->target_pid = (pid_t)parse_count(state, "--pid", text, 1, INT_MAX); break;
	case OPTION_PUSHPIN: settings->pushpin_path = text; break;
	case OPTION_SERVER_CORE: settings->server_core = parse_core(state, "--server-core", text); break;
	case OPTION_SLUICE: settings->sluice_path = text; break;
	case OPTION_SUBSCRIBERS: settings->subscribers = parse_count(state, "--subscribers", text, 1, 10000); break;
	case OPTION_TARGET: settings->target = parse_target(state, text); break;
	case OPTION_WEB: settings->web_folder = parse_web(state, text); break;
	case OPTION_THREADS: settings->threads = parse_count(state, "--threads", text, 1, 64); break;
	case 't': settings->seconds = parse_seconds(state, text); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t
parse_option(int key, char *text, struct argp_state *state)
{
	struct bench_options *options = state->input;
	switch (key) {
	case 'n': options->repeats = parse_count(state, "--repeats", text, 1, BENCH_REPEATS_MAX); break;
	case 'q': options->quiet = true; break;
	case OPTION_DATA: snprintf(options->data_folder, sizeof options->data_folder, "%s", text); break;
	case OPTION_HTML: options->html_path = text; break;
	case OPTION_JSON: options->json_path = text; break;
	case OPTION_LIST: list_names(); break;
	case OPTION_NETWORK: parse_networks(options, state, text); break;
	case OPTION_PEERS: options->peers = parse_names(state, "--peers", text, is_peer); break;
	case OPTION_QUICK: options->settings.quick = true; break;
	case OPTION_SCENARIOS:
		options->scenarios = parse_names(state, "--scenarios", text, is_scenario);
		break;
	case OPTION_CLIENTS: options->clients = true; break;
	case OPTION_TLS: options->tls = true; break;
	case OPTION_TOKENS: options->tokens = parse_names(state, "--tokens", text, is_algorithm); break;
	case OPTION_TRANSPORTS:
		options->transports = parse_names(state, "--transports", text, is_transport);
		break;
	case ARGP_KEY_ARG: parse_command(options, state, text); break;
	case ARGP_KEY_END: check(options, state); break;
	default: return parse_settings(key, text, state);
	}
	return 0;
}

static void
set_defaults(struct bench_options *options)
{
	*options = (struct bench_options){
		.settings = {
			.busy_polling = true,
			.server_core = -1,
			.load_core = -1,
			.nginx_path = "/usr/sbin/nginx",
			.nchan_module = "/usr/lib/nginx/modules/ngx_nchan_module.so",
			.node_path = "/usr/bin/node",
			.pushpin_path = "/usr/bin/pushpin",
		},
	};
	if (sched_getaffinity(0, sizeof options->settings.cores, &options->settings.cores) != 0)
		CPU_SET(0, &options->settings.cores);
	bench_find_beside(options->sluice_path, "sluice");
	/* Run from the folder it was built in, it is not installed yet. */
	bench_find_beside(options->data_folder, "bench-data");
	if (access(options->data_folder, F_OK) != 0)
		snprintf(options->data_folder, sizeof options->data_folder, "%s", SLUICE_BENCH_DATA_DIR);
	options->settings.sluice_path = options->sluice_path;
	bench_find_beside(options->web_folder, "www");
	if (access(options->web_folder, F_OK) != 0)
		snprintf(options->web_folder, sizeof options->web_folder, "%s", SLUICE_WEB_DIR);
}

/* The first core that may be used and is not `taken`; with no other, that. */
static int
pick_core(const cpu_set_t *cores, int taken)
{
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (core != taken && CPU_ISSET((size_t)core, cores))
			return core;
	return taken;
}

static void
set_cores(struct bench_settings *settings)
{
	if (settings->server_core < 0)
		settings->server_core = pick_core(&settings->cores, settings->load_core);
	if (settings->load_core < 0)
		settings->load_core = pick_core(&settings->cores, settings->server_core);
}

void
bench_options_parse(struct bench_options *options, int argc, char **argv)
{
	static const struct argp argp = { option_table, parse_option,
		"\npeers\nbudget",
		"Measures what each transport costs in latency, bytes, CPU and memory. Without a command it starts "
		"a gateway and measures it over loopback.\n\nCommands (the first word):\n"
		"  peers         Measure other servers beside the gateway\n"
		"  budget        Compare a short run with the budgets of this release\n"
		"  lab           Run every transport and the client through every obstacle\n"
		"  probe         Find out which transports get through to a gateway\n"
		"  link          Run a program over an emulated network\n"
		"  check-code    Print the verdict of a check page's code\n"
		"  check-report  Print the verdict of a check page's report\n"
		"\nThe commands lab, probe and link have options of their own, which their --help shows.\v"
		"The exit status is 0 if every measurement succeeded and every message arrived once and in order. It "
		"is 1 if messages were lost, doubled or reordered, or if a measurement or a file failed. It is 2 if "
		"the command line is wrong." };
	argp_err_exit_status = USAGE_STATUS;
	argp_program_version = "sluice-bench " SLUICE_VERSION;
	set_defaults(options);
	argp_parse(&argp, argc, argv, 0, NULL, options);
	set_cores(&options->settings);
	if (options->settings.against_path)
		options->command = BENCH_AGAINST;
	if (options->tls)
		options->command = BENCH_TLS;
	if (options->tokens)
		options->command = BENCH_TOKENS;
	if (options->clients)
		options->command = BENCH_CLIENTS;
	if (options->repeats == 0)
		options->repeats = options->settings.quick ? 1 : options->command > BENCH_BUDGET ? 5
			: options->network_count && !options->settings.full ? 2 : 3;
	snprintf(options->peers_folder, sizeof options->peers_folder, "%.*s/peers", PATH_MAX - 8,
		options->data_folder);
	options->settings.peers_folder = options->peers_folder;
	if (!options->settings.web_folder && has_page(options->web_folder))
		options->settings.web_folder = options->web_folder;
	/* Installed, they are where their npm packages can be installed too. */
	bench_find_beside(options->node_folder, "peers");
	if (access(options->node_folder, F_OK) != 0)
		snprintf(options->node_folder, sizeof options->node_folder, "%.*s/peers/node", PATH_MAX - 16,
			options->data_folder);
	options->settings.node_folder = options->node_folder;
}
