#include "bench/network/command.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/network/carrier.h"
#include "bench/network/echo.h"
#include "bench/network/network.h"
#include "util/clock.h"
#include "util/err.h"

#define ECHO_ROUNDS 20
#define FAILED_STATUS 1
#define USAGE_STATUS 2
#define NOT_FOUND_STATUS 127
#define SIGNAL_STATUS 128 /* and the signal's number, as shells have it */
#define STOP_WAIT_MS 3000

enum { OPTION_BETWEEN = 256, OPTION_ECHO, OPTION_JSON, OPTION_SERVER };

struct options {
	struct bench_network_kind kind;
	unsigned echo_rounds;
	const char *server, *json_path;
	const char *between[BENCH_DIRECTIONS]; /* NULL for a network of its own; else where packets enter */
	char **command; /* NULL for none */
};

/* A run of the command. */
struct link_run {
	const struct options *options;
	struct bench_network network;
	struct bench_echo *echo; /* shared with the child that measures; a count of 0 is a failure */
	int listener;            /* of the echo */
	pid_t echo_pid, server_pid;
	sigset_t waited, before; /* signals that are waited for, the mask before that */
	uint64_t from_ms;
};

static const struct argp_option option_table[] = {
	{ "between", OPTION_BETWEEN, "NETNS:DEVICE,NETNS:DEVICE", 0,
		"Carry packets between two existing TUN devices, the server's and the client's, until a signal "
		"arrives. NETNS is a file such as /run/netns/NAME. Needs root, runs no COMMAND", 0 },
	{ "echo", OPTION_ECHO, "N", OPTION_ARG_OPTIONAL,
		"Measure the round trip of a TCP echo N times (default 20). Without COMMAND the link does so too", 0 },
	{ "server", OPTION_SERVER, "COMMAND", 0,
		"Run COMMAND in a shell in the server's namespace meanwhile; its output goes to standard error", 0 },
	{ "json", OPTION_JSON, "FILE", 0, "Write the counts to FILE instead of standard output", 0 },
	{ 0 },
};

static unsigned
parse_rounds(struct argp_state *state, const char *text)
{
	char *end;
	unsigned long rounds = text ? strtoul(text, &end, 10) : ECHO_ROUNDS;
	if (text && (*text < '0' || *text > '9' || *end || rounds < 1 || rounds > BENCH_ECHO_ROUNDS_MAX))
		argp_error(state, "--echo: \"%s\" is out of range; use 1 to %u", text, BENCH_ECHO_ROUNDS_MAX);
	return (unsigned)rounds;
}

static void
parse_between(struct argp_state *state, struct options *options, char *text)
{
	char *comma = strchr(text, ',');
	if (!comma)
		argp_error(state, "--between: \"%s\" lacks its second device; use NETNS:DEVICE,NETNS:DEVICE", text);
	*comma = '\0';
	options->between[BENCH_DOWN] = text;
	options->between[BENCH_UP] = comma + 1;
}

/* The first word is the network, the second begins the command, whose options are its own. */
static void
parse_word(struct argp_state *state, struct options *options, const char *text)
{
	const char *why = NULL;
	if (state->arg_num > 0) {
		options->command = &state->argv[state->next - 1];
		state->next = state->argc;
	} else if (bench_network_parse(&options->kind, text, &why) != 0) {
		argp_error(state, "NETWORK: \"%s\" is wrong: %s", text, why);
	}
}

static error_t
parse_option(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case OPTION_BETWEEN: parse_between(state, options, text); break;
	case OPTION_ECHO: options->echo_rounds = parse_rounds(state, text); break;
	case OPTION_JSON: options->json_path = text; break;
	case OPTION_SERVER: options->server = text; break;
	case ARGP_KEY_ARG: parse_word(state, options, text); break;
	case ARGP_KEY_NO_ARGS: argp_error(state, "NETWORK is missing; use for instance sluice-bench link 4g"); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void
parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = { option_table, parse_option, "NETWORK [COMMAND [ARGUMENT...]]",
		"Makes two network namespaces with an emulated link between them, runs COMMAND in the client's, and "
		"prints the packets and bytes on the link as JSON. NETWORK is lan, wifi, 4g, atlantic, satellite or bad, or "
		"rtt=MS[,jitter=MS][,loss=PERCENT][,rate=MBIT[/MBIT]] (down/up).\v"
		"Without --between the server's address is " BENCH_NETWORK_SERVER ", with an echo at port 7; the client's "
		"is " BENCH_NETWORK_CLIENT ". The signal USR1 to this program cuts the link, USR2 mends it.\n"
		"The exit status is the status of COMMAND. It is 1 if this machine cannot make the network or the echo "
		"failed, and 2 if the command line is wrong." };
	static char name[] = "sluice-bench link";
	argp_err_exit_status = USAGE_STATUS;
	argp_program_version = "sluice-bench " SLUICE_VERSION;
	argv[0] = name;
	*options = (struct options){ 0 };
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, options);
	bool has_own = !options->between[BENCH_DOWN];
	if (!has_own && (options->command || options->server || options->echo_rounds)) {
		fputs("sluice-bench: --between does not work with COMMAND, --server and --echo\n", stderr);
		exit(USAGE_STATUS);
	}
	if (has_own && !options->command && options->echo_rounds == 0)
		options->echo_rounds = ECHO_ROUNDS;
}

static int
say(const char *what, int err)
{
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", what, err == SL_EIO ? strerror(errno) : sl_strerror(err));
	return err;
}

/* Where the link runs: the last core that may be used, as the bench gives the first to servers. */
static int
last_core(void)
{
	cpu_set_t cores;
	int last = 0;
	CPU_ZERO(&cores);
	sched_getaffinity(0, sizeof cores, &cores);
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET((size_t)core, &cores))
			last = core;
	return last;
}

/* Both ends of the echo come before other programs, since it measures the link, not the machine. */
static void
serve_echo(struct link_run *run)
{
	bench_carrier_take_precedence();
	bench_echo_serve(run->listener);
}

static void
run_server(struct link_run *run)
{
	if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", run->options->server, (char *)NULL);
	say("/bin/sh", SL_EIO);
	_exit(NOT_FOUND_STATUS);
}

static void
measure_echo(struct link_run *run)
{
	bench_carrier_take_precedence();
	int err = say("echo", bench_echo_measure(run->echo, run->options->echo_rounds));
	_exit(err ? FAILED_STATUS : 0);
}

static void
run_command(struct link_run *run)
{
	execvp(run->options->command[0], run->options->command);
	int status = errno == ENOENT ? NOT_FOUND_STATUS : NOT_FOUND_STATUS - 1;
	say(run->options->command[0], SL_EIO);
	_exit(status);
}

/* A child in the namespace that the calling process is in; it ends with this process. Those of the
 * background have a group of their own, so that a shell's children end too. */
static pid_t
fork_child(struct link_run *run, void (*begin)(struct link_run *run), bool in_background)
{
	pid_t parent = getpid(), pid = fork();
	if (pid != 0) {
		if (pid > 0 && in_background)
			setpgid(pid, pid);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (in_background)
		setpgid(0, 0);
	sigprocmask(SIG_SETMASK, &run->before, NULL);
	if (getppid() == parent)
		begin(run);
	_exit(FAILED_STATUS);
}

/* Waits for a child, and meanwhile does what signals ask for. Returns its exit status. */
static int
wait_for_child(struct link_run *run, pid_t pid)
{
	int status;
	if (pid < 0)
		return say("fork", SL_EIO), FAILED_STATUS;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		switch (sigwaitinfo(&run->waited, NULL)) {
		case SIGHUP:
		case SIGTERM:
			kill(pid, SIGTERM);
			break;
		case SIGUSR1:
			bench_network_cut(&run->network, true);
			break;
		case SIGUSR2:
			bench_network_cut(&run->network, false);
			break;
		default: /* a child ended; or SIGINT, which the terminal sends to the child as well */
			break;
		}
	}
	return WIFSIGNALED(status) ? SIGNAL_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

static void
stop_child(pid_t pid)
{
	if (pid <= 0)
		return;
	uint64_t until = sl_clock_monotonic_ms() + STOP_WAIT_MS;
	kill(-pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (sl_clock_monotonic_ms() > until)
			kill(-pid, SIGKILL);
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
}

/* Signals are waited for from here on; the network's own process does not inherit that. */
static void
block_signals(struct link_run *run)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2 };
	sigemptyset(&run->waited);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaddset(&run->waited, signals[i]);
	sigprocmask(SIG_BLOCK, &run->waited, &run->before);
}

static int
start(struct link_run *run)
{
	run->echo = mmap(NULL, sizeof *run->echo, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->echo == MAP_FAILED)
		return SL_ENOMEM;
	int err = bench_network_open(&run->network, &run->options->kind, last_core());
	if (err)
		return err;
	block_signals(run);
	run->from_ms = sl_clock_monotonic_ms();
	if (bench_network_enter_server(&run->network) != 0)
		return SL_EIO;
	run->listener = bench_echo_listen();
	if (run->listener < 0)
		return SL_EIO;
	run->echo_pid = fork_child(run, serve_echo, true);
	if (run->options->server)
		run->server_pid = fork_child(run, run_server, true);
	return run->echo_pid < 0 || run->server_pid < 0 ? SL_EIO
		: bench_network_enter_client(&run->network);
}

static json_t *
describe_network(const struct bench_network_kind *kind)
{
	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:I, s:I}", "name", kind->name, "rtt_ms", kind->rtt_ms,
		"jitter_ms", kind->jitter_ms, "loss", kind->loss, "down_mbit", kind->down_mbit, "up_mbit",
		kind->up_mbit, "queue_bytes", (json_int_t)kind->queue_bytes, "seed", (json_int_t)kind->seed);
}

static json_t *
describe_count(const struct bench_network_count *count)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "packets", (json_int_t)count->packets,
		"bytes", (json_int_t)count->bytes,
		"retransmitted_packets", (json_int_t)count->retransmitted_packets,
		"retransmitted_bytes", (json_int_t)count->retransmitted_bytes,
		"lost_packets", (json_int_t)count->lost_packets,
		"dropped_packets", (json_int_t)count->dropped_packets, "cut_packets", (json_int_t)count->cut_packets);
}

static json_t *
describe(const struct link_run *run, int status)
{
	struct bench_network_count counts[BENCH_DIRECTIONS];
	bench_network_count_now(&run->network, counts);
	json_t *echo = run->echo->rounds ? bench_echo_json(run->echo) : NULL;
	return json_pack("{s:o, s:o*, s:o, s:o, s:{s:f, s:f, s:I}, s:f, s:i}", "network",
		describe_network(&run->network.kind), "echo", echo, "down", describe_count(&counts[BENCH_DOWN]),
		"up", describe_count(&counts[BENCH_UP]),
		"link", "cpu_ms", (double)bench_network_cpu_ns(&run->network) / 1e6,
		"late_p99_us", (double)bench_network_late_p99_ns(&run->network) / 1e3,
		"evicted_flows", (json_int_t)bench_network_evicted_flows(&run->network),
		"seconds", (double)(sl_clock_monotonic_ms() - run->from_ms) / 1e3, "status", status);
}

static int
write_json(const struct options *options, json_t *root)
{
	FILE *out = options->json_path ? fopen(options->json_path, "we") : stdout;
	int written = out && root ? json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) : -1;
	json_decref(root);
	if (!out)
		return SL_EIO;
	fputc('\n', out);
	if (out == stdout)
		return fflush(out) == 0 && written == 0 ? 0 : SL_EIO;
	return fclose(out) == 0 && written == 0 ? 0 : SL_EIO;
}

static int
measure(struct link_run *run)
{
	int status = 0;
	if (run->options->echo_rounds)
		status = wait_for_child(run, fork_child(run, measure_echo, false));
	if (run->options->command && status == 0)
		status = wait_for_child(run, fork_child(run, run_command, false));
	const char *path = run->options->json_path ? run->options->json_path : "standard output";
	return say(path, write_json(run->options, describe(run, status))) ? FAILED_STATUS : status;
}

/* Whoever started this waits for the line: from then on packets pass. */
static int
carry(struct link_run *run)
{
	const struct options *options = run->options;
	int signal_number;
	int err = say("network", bench_network_join(&run->network, &options->kind,
		options->between[BENCH_DOWN], options->between[BENCH_UP], last_core()));
	if (err)
		return FAILED_STATUS;
	block_signals(run);
	run->from_ms = sl_clock_monotonic_ms();
	puts("carrying");
	fflush(stdout);
	do {
		signal_number = sigwaitinfo(&run->waited, NULL);
		if (signal_number == SIGUSR1 || signal_number == SIGUSR2)
			bench_network_cut(&run->network, signal_number == SIGUSR1);
	} while (signal_number < 0 || signal_number == SIGUSR1 || signal_number == SIGUSR2);
	int status = signal_number == SIGCHLD ? FAILED_STATUS : 0; /* the link ended by itself */
	const char *path = options->json_path ? options->json_path : "standard output";
	return say(path, write_json(options, describe(run, status))) ? FAILED_STATUS : status;
}

static int
run_between(struct link_run *run)
{
	run->echo = &(struct bench_echo){ 0 };
	int status = carry(run);
	bench_network_close(&run->network);
	return status;
}

int
bench_link_run(int argc, char **argv)
{
	struct options options;
	parse(&options, argc, argv);
	struct link_run run = { .options = &options, .listener = -1 };
	if (options.between[BENCH_DOWN])
		return run_between(&run);
	const char *missing = bench_network_missing();
	if (missing) {
		fprintf(stderr, "sluice-bench: this machine cannot make the network: %s\n", missing);
		return FAILED_STATUS;
	}
	int err = say("network", start(&run));
	int status = err ? FAILED_STATUS : measure(&run);
	stop_child(run.server_pid);
	stop_child(run.echo_pid);
	bench_network_close(&run.network);
	return status;
}
