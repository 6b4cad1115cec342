/* sluice-obstacle: a proxy that misbehaves on purpose, between a client and a gateway. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bench/obstacle/control.h"
#include "bench/obstacle/fault.h"
#include "bench/obstacle/proxy.h"
#include "bench/obstacle/tls.h"
#include "util/err.h"

#define EXIT_REFUSED 2
#define ORIGINS_MAX 16

enum {
	OPTION_TO = 256, OPTION_CONTROL, OPTION_FORWARD, OPTION_TCP, OPTION_SEED,
	OPTION_MAX_CONNECTIONS, OPTION_ALLOW_ORIGIN, OPTION_TLS_CERT, OPTION_TLS_KEY, OPTION_TO_TLS,
	OPTION_LIST,
};

static const struct argp_option option_table[] = {
	{ "listen", 'l', "ADDRESS", 0, "Listen at PORT on 127.0.0.1, or at HOST:PORT; port 0 takes a free one" },
	{ "to", OPTION_TO, "HOST:PORT", 0, "Forward every connection to this gateway" },
	{ "fault", 'f', "FAULT", 0, "Apply a fault: NAME[=VALUE[,VALUE]][@QUALIFIER=VALUE]...; may be repeated" },
	{ "control", OPTION_CONTROL, "PORT", 0, "Serve an HTTP API on 127.0.0.1 that reads and changes the faults" },
	{ "allow-origin", OPTION_ALLOW_ORIGIN, "ORIGIN", 0,
		"Allow pages of this origin to use the control address; may be repeated" },
	{ "tls-cert", OPTION_TLS_CERT, "FILE", 0,
		"Speak TLS to clients, at the control address too, with this certificate (PEM)" },
	{ "tls-key", OPTION_TLS_KEY, "FILE", 0, "Read the key of the certificate from this file (PEM)" },
	{ "to-tls", OPTION_TO_TLS, NULL, 0,
		"Speak TLS to the gateway, and accept any certificate of it" },
	{ "forward", OPTION_FORWARD, NULL, 0,
		"Act as a forward proxy and accept CONNECT; every connection still goes to --to" },
	{ "tcp", OPTION_TCP, NULL, 0, "Treat every connection as a tunnel, and parse no HTTP" },
	{ "seed", OPTION_SEED, "N", 0, "Start the random choices of @share and loss from N, to repeat a run" },
	{ "max-connections", OPTION_MAX_CONNECTIONS, "N", 0,
		"Close new connections above N at accept (default 1000)" },
	{ "list", OPTION_LIST, NULL, 0, "Describe every fault, then exit" },
	{ 0 },
};

struct options {
	struct ob_settings settings;
	struct ob_addresses listen, control;
	bool has_listen, has_to, has_control, has_to_tls;
	const char *certificate, *key;
	uint64_t seed;
	const char *faults[OB_FAULTS_MAX];
	size_t fault_count;
	const char *origins[ORIGINS_MAX + 1];
	size_t origin_count;
};

static void
list_faults(void)
{
	for (const struct ob_fault_type *const *family = ob_fault_families; *family; family++)
		for (const struct ob_fault_type *type = *family; type->name; type++) {
			char synopsis[OB_FAULT_TEXT_MAX];
			ob_fault_type_synopsis(type, synopsis, sizeof synopsis);
			printf("%s\n    %s\n    (%s)\n", synopsis, type->sentence, type->product);
		}
	printf("Values: ");
	for (enum ob_kind kind = OB_TIME; kind <= OB_WORD; kind++)
		printf("%s is %s%s", ob_kind_name(kind), ob_kind_help(kind), kind < OB_WORD ? "; " : ".\n");
	exit(0);
}

static uint64_t
parse_number(struct argp_state *state, const char *option, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
		argp_error(state, "%s: \"%s\" is out of range; use %llu to %llu", option, text,
			(unsigned long long)min, (unsigned long long)max);
	return value;
}

static bool
is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");
	return len > 0 && len <= 5 && text[len] == '\0' && atoi(text) <= 65535;
}

static void
parse_address(struct argp_state *state, const char *option, const char *text,
	struct ob_addresses *addresses)
{
	const char *colon = strrchr(text, ':'), *why;
	if (!is_port(colon ? colon + 1 : text))
		argp_error(state, "%s: \"%s\" has no port from 0 to 65535; use HOST:PORT", option, text);
	if (ob_addresses_parse(addresses, text, &why) != 0)
		argp_error(state, "%s: \"%s\" is not an address: %s; use HOST:PORT", option, text, why);
}

static void
add_fault(struct argp_state *state, struct options *options, const char *text)
{
	struct ob_fault fault;
	char why[256];
	if (options->fault_count == OB_FAULTS_MAX)
		argp_error(state, "--fault: \"%s\" is one too many; use at most %d", text, OB_FAULTS_MAX);
	if (ob_fault_parse(&fault, text, why, sizeof why) != 0)
		argp_error(state, "--fault: %s", why);
	options->faults[options->fault_count++] = text;
}

static void
add_origin(struct argp_state *state, struct options *options, const char *origin)
{
	if (options->origin_count == ORIGINS_MAX)
		argp_error(state, "--allow-origin: \"%s\" is one too many; use at most %d", origin, ORIGINS_MAX);
	options->origins[options->origin_count++] = origin;
}

static error_t
parse_option(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case 'l':
		parse_address(state, "--listen", text, &options->listen);
		options->has_listen = true;
		break;
	case OPTION_TO:
		parse_address(state, "--to", text, &options->settings.to);
		options->has_to = true;
		break;
	case OPTION_CONTROL:
		parse_number(state, "--control", text, 0, 65535);
		parse_address(state, "--control", text, &options->control);
		options->has_control = true;
		break;
	case 'f': add_fault(state, options, text); break;
	case OPTION_ALLOW_ORIGIN: add_origin(state, options, text); break;
	case OPTION_TLS_CERT: options->certificate = text; break;
	case OPTION_TLS_KEY: options->key = text; break;
	case OPTION_TO_TLS: options->has_to_tls = true; break;
	case OPTION_FORWARD: options->settings.is_forward = true; break;
	case OPTION_TCP: options->settings.is_tcp = true; break;
	case OPTION_SEED: options->seed = parse_number(state, "--seed", text, 0, UINT64_MAX); break;
	case OPTION_MAX_CONNECTIONS:
		options->settings.connections_max = (unsigned)parse_number(state, "--max-connections", text, 1, 100000);
		break;
	case OPTION_LIST: list_faults(); break;
	case ARGP_KEY_ARG: argp_error(state, "\"%s\" is not an option; all arguments begin with --", text); break;
	case ARGP_KEY_END:
		if (!options->has_listen || !options->has_to)
			argp_error(state, "%s is missing; give both --listen and --to",
				options->has_listen ? "--to" : "--listen");
		if (!options->certificate != !options->key)
			argp_error(state, "%s is missing; give both --tls-cert and --tls-key",
				options->key ? "--tls-cert" : "--tls-key");
		break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void
handle_signal(struct sl_watch *watch, uint32_t events)
{
	close(watch->fd);
	sl_loop_forget(watch);
}

static int
watch_signals(struct ob_proxy *proxy, struct sl_watch *watch)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*watch = (struct sl_watch){ .on_ready = handle_signal, .fd = -1 };
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? SL_EIO : sl_loop_add(&proxy->loop, watch, fd, EPOLLIN);
}

static int
fail(const char *what)
{
	fprintf(stderr, "sluice-obstacle: %s: %s\n", what, strerror(errno));
	return 1;
}

/* What is made is destroyed by the caller, also when it fails. */
static int
set_tls(struct options *options)
{
	char why[256] = "";
	int err = 0;
	if (options->certificate)
		err = ob_tls_create_server(&options->settings.tls, options->certificate, options->key, why,
			sizeof why);
	if (err != 0)
		fprintf(stderr, "sluice-obstacle: TLS: %s\n", why);
	else if (options->has_to_tls && ob_tls_create_client(&options->settings.to_tls) != 0)
		return fail("--to-tls");
	return err == 0 ? 0 : EXIT_REFUSED;
}

static int
run(struct ob_proxy *proxy, struct ob_control *control, const struct options *options)
{
	struct sl_watch signals;
	struct ob_fault_set *faults;
	char why[256];
	if (ob_fault_set_create(&faults, options->faults, options->fault_count, NULL, 0, why,
		sizeof why) != 0) {
		fprintf(stderr, "sluice-obstacle: %s\n", why);
		return EXIT_REFUSED;
	}
	if (ob_proxy_open(proxy, &options->settings, &options->listen, faults, options->seed) != 0)
		return fail("--listen");
	if (options->has_control
		&& ob_control_open(control, proxy, &options->control, options->origins) != 0)
		return fail("--control");
	if (watch_signals(proxy, &signals) != 0)
		return fail("signals");
	for (unsigned i = 0; i < proxy->listener_count; i++)
		ob_print_address("listening", proxy->listeners[i].watch.fd);
	if (options->has_control)
		ob_print_address("control", control->listener.fd);
	while (signals.fd >= 0) {
		sl_loop_poll(&proxy->loop, -1);
		sl_loop_end_turn(&proxy->loop);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct options options = { .settings.connections_max = 1000 };
	struct ob_control control = { 0 };
	static const struct argp argp = { option_table, parse_option, NULL,
		"Forwards connections from clients to a gateway, and applies faults that real proxies "
		"have. Without a fault it behaves as a correct proxy." };
	if (getrandom(&options.seed, sizeof options.seed, 0) < 0)
		options.seed = 1;
	argp_err_exit_status = EXIT_REFUSED;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct ob_proxy *proxy = calloc(1, sizeof *proxy);
	if (!proxy)
		return fail("memory");
	signal(SIGPIPE, SIG_IGN); /* TLS writes as write(2) does */
	int status = set_tls(&options);
	if (status == 0)
		status = run(proxy, &control, &options);
	if (proxy->last) {
		ob_control_close(&control);
		ob_proxy_close(proxy);
	}
	free(proxy);
	ob_tls_destroy(options.settings.tls);
	ob_tls_destroy(options.settings.to_tls);
	return status;
}
