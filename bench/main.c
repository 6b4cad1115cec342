/* sluice-bench: what a delivery costs, here beside what it costs elsewhere.
 * `compare` measures every row on every server, all in one run, interleaved within a
 * repeat; the server has one core and this program another. */
#include <argp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/report.h"
#include "util/err.h"

#define FILES_WANTED 65536

enum {
	OPTION_SUBSCRIBERS = 256, OPTION_CONNECTIONS, OPTION_ACCEPTS, OPTION_SLUICE, OPTION_NGINX,
	OPTION_NCHAN_MODULE, OPTION_PEERS_FOLDER, OPTION_JSON, OPTION_QUICK, OPTION_SERVER_CORE,
	OPTION_LOAD_CORE, OPTION_LIST,
};

static const struct argp_option option_table[] = {
	{ "rows", 'r', "NAMES", 0, "Only these rows, comma-separated (--list names them)" },
	{ "servers", 's', "NAMES", 0, "Only these servers: floor, nchan, sluice" },
	{ "repeats", 'n', "N", 0, "Measure everything N times (default 3)" },
	{ "seconds", 't', "S", 0, "Length of each measured window (default 2)" },
	{ "subscribers", OPTION_SUBSCRIBERS, "N", 0, "Subscribers of the one channel (default 1000)" },
	{ "connections", OPTION_CONNECTIONS, "N", 0, "Idle connections of the memory rows (default 10000)" },
	{ "accepts", OPTION_ACCEPTS, "N", 0, "Connections opened by the accept row (default 4000)" },
	{ "quick", OPTION_QUICK, NULL, 0, "One repeat of short windows: a look, not a measurement" },
	{ "json", OPTION_JSON, "FILE", 0, "Write every sample to FILE" },
	{ "sluice", OPTION_SLUICE, "PATH", 0, "The gateway (default: beside this program)" },
	{ "nginx", OPTION_NGINX, "PATH", 0, "nginx (default /usr/sbin/nginx)" },
	{ "nchan-module", OPTION_NCHAN_MODULE, "PATH", 0, "nchan's module for it" },
	{ "peers", OPTION_PEERS_FOLDER, "FOLDER", 0, "Folder of the peers' configurations" },
	{ "server-core", OPTION_SERVER_CORE, "N", 0, "Core of the server (default 0)" },
	{ "load-core", OPTION_LOAD_CORE, "N", 0, "Core of this program (default 1)" },
	{ "quiet", 'q', NULL, 0, "No progress on standard error" },
	{ "list", OPTION_LIST, NULL, 0, "List the rows and end" },
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

static unsigned
parse_count(struct argp_state *state, const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value < min || value > max)
		argp_error(state, "'%s' is not a number from %u to %u", text, min, max);
	return (unsigned)value;
}

static double
parse_seconds(struct argp_state *state, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (*end || !(value >= 0.2 && value <= 60))
		argp_error(state, "'%s' is not a number of seconds from 0.2 to 60", text);
	return value;
}

static void
list_rows(void)
{
	for (const struct bench_row *row = bench_rows; row->name; row++)
		printf("%-20s %s (%s)\n", row->name, row->title, row->peers);
	exit(0);
}

static error_t
parse_option(int key, char *text, struct argp_state *state)
{
	struct bench_options *options = state->input;
	switch (key) {
	case 'r': options->rows = text; break;
	case 's': options->servers = text; break;
	case 'n': options->repeats = parse_count(state, text, 1, BENCH_REPEATS_MAX); break;
	case 't': options->settings.seconds = parse_seconds(state, text); break;
	case 'q': options->quiet = true; break;
	case OPTION_SUBSCRIBERS: options->settings.subscribers = parse_count(state, text, 1, 10000); break;
	case OPTION_CONNECTIONS: options->settings.connections = parse_count(state, text, 1, 19000); break;
	case OPTION_ACCEPTS: options->accepts = parse_count(state, text, 1, 19000); break;
	case OPTION_SERVER_CORE: options->settings.server_core = (int)parse_count(state, text, 0, 1023); break;
	case OPTION_LOAD_CORE: options->settings.load_core = (int)parse_count(state, text, 0, 1023); break;
	case OPTION_SLUICE: options->settings.sluice_path = text; break;
	case OPTION_NGINX: options->settings.nginx_path = text; break;
	case OPTION_NCHAN_MODULE: options->settings.nchan_module = text; break;
	case OPTION_PEERS_FOLDER: options->settings.peers_folder = text; break;
	case OPTION_JSON: options->json_path = text; break;
	case OPTION_LIST: list_rows(); break;
	case OPTION_QUICK:
		options->repeats = 1;
		options->settings.seconds = 0.8;
		options->accepts = 2000;
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0 || strcmp(text, "compare") != 0)
			argp_error(state, "unknown command '%s'; there is: compare", text);
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* The folder of this program with `name` behind it. */
static void
find_beside(char *path, size_t size, const char *name)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	path[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(path, '/');
	size_t folder_len = slash ? (size_t)(slash + 1 - path) : 0;
	snprintf(path + folder_len, size - folder_len, "%s", name);
}

static void
raise_file_limit(void)
{
	struct rlimit limit = { .rlim_cur = FILES_WANTED, .rlim_max = FILES_WANTED };
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
show_progress(const struct bench_row *row, const struct bench_peer *peer, unsigned repeat,
	const struct bench_sample *sample)
{
	fprintf(stderr, "%u %-20s %-7s ", repeat + 1, row->name, peer->name);
	if (!sample->ran)
		fprintf(stderr, "failed: %s\n", sample->error);
	else
		fprintf(stderr, "%8.2f %s, server %3.0f %%, bench %3.0f %%, others %3.0f %%, late %.2f ms, overhang %.2f s,"
			" lost %llu\n", sample->value, bench_row_unit(row), 100 * sample->server_share,
			100 * sample->own_share, 100 * sample->others_share, sample->late_p99_ms, sample->overhang_s,
			(unsigned long long)sample->lost);
}

static void
compare(const struct bench_report *report)
{
	const struct bench_options *options = report->options;
	for (unsigned repeat = 0; repeat < options->repeats; repeat++)
		for (unsigned row = 0; row < report->row_count; row++)
			for (unsigned peer = 0; peer < report->peer_count; peer++) {
				const struct bench_peer *server = bench_peers[peer];
				struct bench_sample *sample = bench_report_sample(report, row, peer, repeat);
				if (!bench_list_has(options->rows, bench_rows[row].name)
					|| !bench_list_has(bench_rows[row].peers, server->name)
					|| !bench_list_has(options->servers, server->name)
					|| server->missing(&options->settings))
					continue;
				*sample = bench_row_measure(&bench_rows[row], server, options);
				if (!options->quiet)
					show_progress(&bench_rows[row], server, repeat, sample);
			}
}

static void
name_skipped(const struct bench_options *options)
{
	for (const struct bench_peer *const *peer = bench_peers; *peer; peer++) {
		const char *missing = (*peer)->missing(&options->settings);
		if (missing && bench_list_has(options->servers, (*peer)->name))
			printf("skipped: %s, %s\n", (*peer)->name, missing);
	}
}

int
main(int argc, char **argv)
{
	char sluice_path[PATH_MAX];
	struct bench_options options = {
		.repeats = 3, .accepts = 4000,
		.settings = {
			.seconds = 2, .subscribers = 1000, .connections = 10000, .server_core = 0, .load_core = 1,
			.sluice_path = sluice_path, .nginx_path = "/usr/sbin/nginx",
			.nchan_module = "/usr/lib/nginx/modules/ngx_nchan_module.so",
			.node_path = "/usr/bin/node", .pushpin_path = "/usr/bin/pushpin",
			.peers_folder = SLUICE_PEERS_DIR,
		},
	};
	static const struct argp argp = { option_table, parse_option, "[compare]",
		"Measures what deliveries cost in CPU and memory on Sluice, on nchan and in a bare send "
		"loop, and prints one table." };
	struct bench_report report;

	find_beside(sluice_path, sizeof sluice_path, "sluice");
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	prctl(PR_SET_TIMERSLACK, 1);
	int err = bench_pin(options.settings.load_core);
	if (!err)
		err = bench_report_init(&report, &options);
	if (err) {
		fprintf(stderr, "sluice-bench: core %d: %s\n", options.settings.load_core, sl_strerror(err));
		return 1;
	}
	compare(&report);
	bench_report_print(&report, stdout);
	name_skipped(&options);
	if (options.json_path)
		err = bench_report_write_json(&report, options.json_path);
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", options.json_path, sl_strerror(err));
	bench_report_finish(&report);
	return err ? 1 : 0;
}
