/* sluice-bench: what each transport costs. Options, then a plan, then the report. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/against.h"
#include "bench/budget.h"
#include "bench/clients.h"
#include "bench/cost.h"
#include "bench/load/generator.h"
#include "bench/network/command.h"
#include "bench/options.h"
#include "bench/plan.h"
#include "bench/results/cluster.h"
#include "bench/results/html.h"
#include "bench/results/machine.h"
#include "bench/results/table.h"
#include "bench/script.h"
#include "util/err.h"

#define FILES_WANTED 65536
#define BUSY_SHARE 0.5 /* of the cores, by the load before */

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

static int
say(const char *what, int err)
{
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", what, err == SL_EIO ? strerror(errno) : sl_strerror(err));
	return err;
}

/* Found out before minutes of measuring, not after. */
static int
check_writable(const char *path)
{
	FILE *file = path ? fopen(path, "ae") : NULL;
	if (path && !file)
		return say(path, SL_EIO);
	return file ? fclose(file) : 0;
}

static int
check_target(const struct bench_settings *settings)
{
	struct bench_server server;
	if (!settings->target)
		return 0;
	int err = say(settings->target, bench_server_use_target(&server, &bench_peer_sluice, settings));
	if (err)
		return err;
	int fd = bench_server_connect(&server);
	if (fd < 0)
		err = say(settings->target, SL_EIO);
	else
		close(fd);
	bench_server_stop(&server);
	return err;
}

static int
check_networks(const struct bench_options *options)
{
	const char *missing = options->network_count ? bench_network_missing() : NULL;
	if (missing)
		fprintf(stderr, "sluice-bench: --network: %s\n", missing);
	return missing ? SL_EIO : 0;
}

static void
describe_machine(struct bench_report *report)
{
	json_t *machine = bench_machine_json();
	double load = json_number_value(json_object_get(machine, "load_before"));
	double cores = json_number_value(json_object_get(machine, "cores"));
	json_object_set_new(report->root, "machine", machine);
	if (load > BUSY_SHARE * cores)
		bench_report_warn(report, "the machine was busy before the run, with a load of %.1f on %.0f cores: "
			"other programs may have affected the times and the CPU", load, cores);
}

/* Where it would take a core from the server, the generator sleeps. */
static void
decide_busy_polling(struct bench_report *report, struct bench_options *options)
{
	struct bench_settings *settings = &options->settings;
	const char *why = bench_generator_must_sleep(settings);
	/* A network's link runs on the generator's core. */
	if (options->network_count)
		settings->busy_polling = false;
	if (!why || !settings->busy_polling)
		return;
	settings->busy_polling = false;
	if (!settings->target || settings->target_pid)
		bench_report_warn(report, "the generator could not busy-poll, because %s: its wake-ups add to the "
			"CPU and to the times", why);
}

static void
set_version(json_t *versions, const struct bench_peer *peer, const struct bench_settings *settings)
{
	char version[128] = "";
	if (!peer->version || peer->missing(settings))
		return;
	peer->version(settings, version, sizeof version);
	if (*version)
		json_object_set_new(versions, peer->name, json_string(version));
}

static void
describe(struct bench_report *report, const struct bench_options *options)
{
	const struct bench_settings *settings = &options->settings;
	json_t *versions = json_object_get(report->root, "versions"), *titles = json_object();
	describe_machine(report);
	json_object_set_new(report->root, "settings", json_pack("{s:b, s:b, s:i, s:f, s:b, s:i, s:i, s:i, s:s*}",
		"full", settings->full, "quick", settings->quick, "repeats", (int)options->repeats,
		"seconds", settings->seconds, "busy_polling", settings->busy_polling, "threads", (int)settings->threads, "server_core",
		settings->server_core, "load_core", settings->load_core, "target", settings->target));
	for (const struct bench_scenario *const *at = bench_scenarios; *at; at++)
		json_object_set_new(titles, (*at)->name, json_string((*at)->title));
	json_object_set_new(report->root, "titles", titles);
	for (const struct bench_peer *const *at = bench_peers; *at && !settings->target; at++)
		if (bench_options_want_peer(options, NULL, *at))
			set_version(versions, *at, settings);
	if (settings->against_path)
		set_version(versions, &bench_peer_against, settings);
	bench_machine_set_libraries(versions);
	if (options->network_count)
		bench_report_not_measured(report, "TLS: the requests went over plain http");
	else if (options->tls)
		bench_report_not_measured(report, "a network: the servers ran on this machine, over loopback "
			"(--target measures a gateway over the real network)");
	else if (!settings->target)
		bench_report_not_measured(report, "a network and TLS: the servers ran on this machine, over loopback and "
			"plain http (--network emulates a network, --target measures a gateway over the real one)");
}

static int
write_files(const struct bench_report *report, const struct bench_options *options)
{
	char template[PATH_MAX + 16];
	snprintf(template, sizeof template, "%s/report.html", options->data_folder);
	int err = options->json_path
		? say(options->json_path, bench_report_write_json(report, options->json_path)) : 0;
	int html_err = options->html_path ? bench_html_write(report, template, options->html_path) : 0;
	if (html_err)
		say(html_err == SL_EIO ? options->html_path : template, html_err);
	return err ? err : html_err;
}

static int
measure(struct bench_report *report, const struct bench_options *options)
{
	struct bench_plan plan;
	int err = bench_plan_init(&plan, options, report);
	if (err)
		return say("plan", err);
	if (plan.count == 0)
		fputs("sluice-bench: none of the requested measurements is possible here; see \"Not measured\" below\n",
			stderr);
	err = say("run", bench_plan_run(&plan, options, report));
	bench_report_summarise(report);
	bench_cluster_set(report);
	bench_table_print(report, stdout);
	bench_cluster_print(report, stdout);
	if (!err && plan.count == 0)
		err = SL_ENOENT;
	bench_plan_finish(&plan);
	return err;
}

int
main(int argc, char **argv)
{
	struct bench_options options;
	struct bench_report report;

	const char *script = argc > 1 ? bench_script_find(argv[1]) : NULL;
	if (script)
		return bench_script_run(script, argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], "link") == 0)
		return bench_link_run(argc - 1, argv + 1);
	bench_options_parse(&options, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	prctl(PR_SET_TIMERSLACK, 1);
	if (check_writable(options.json_path) || check_writable(options.html_path)
		|| check_target(&options.settings) || check_networks(&options))
		return 1;
	if (say("core of the generator", bench_pin(options.settings.load_core))
		|| say("report", bench_report_init(&report, argc, argv)))
		return 1;
	decide_busy_polling(&report, &options);
	describe(&report, &options);
	int err = options.command == BENCH_BUDGET ? bench_budget_run(&report, &options)
		: options.command == BENCH_AGAINST ? say("run", bench_against_run(&report, &options))
		: options.command == BENCH_TLS ? say("run", bench_cost_run_tls(&report, &options))
		: options.command == BENCH_CLIENTS ? say("run", bench_clients_run(&report, &options))
		: options.command == BENCH_TOKENS ? say("run", bench_cost_run_tokens(&report, &options))
		: measure(&report, &options);
	int write_err = write_files(&report, &options);
	bool clean = bench_report_is_clean(&report);
	bench_report_finish(&report);
	return err || write_err || !clean ? 1 : 0;
}
