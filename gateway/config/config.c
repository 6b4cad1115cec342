#include "config/config.h"

#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "config/options.h"
#include "util/err.h"
#include "util/limits.h"

#define FIRST_KEY 256 /* argp keys: a letter, or this and the option's place in the table */
#define FIRST_NEGATED_KEY 512 /* the same of --no-NAME */
#define NEGATED_NAME_MAX 40   /* bytes of "no-NAME" */

/* Descriptors that are not connections: listening sockets, epoll, eventfds, files. */
#define SPARE_FILES 128
#define SPARE_FILES_PER_SHARD 48 /* 32 of them for the relay (http/relay.h) */

#define EXAMPLE "{\"listen\": \"127.0.0.1:8080\"}"

static const char usage_doc[] = "Sluice, a push gateway: WebSocket, Server-Sent Events, HTTP "
	"streaming, long-poll and short poll over one message bus.";

/* One option of the command line. */
struct setting {
	const struct sl_config_option *option;
	const char *text;
};

/* A parse under way. */
struct loading {
	struct sl_config *config;
	struct setting *settings; /* owns; in the command line's order */
	size_t setting_count;
	bool in_file[SL_CONFIG_OPTIONS_MAX]; /* by an option's place in the table */
	char where[256];         /* what a refusal begins with: "--", or that of the file */
	bool said;               /* argp has printed what is wrong */
};

static void __attribute__((format(printf, 2, 3)))
refuse(struct loading *loading, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(loading->config->error, sizeof loading->config->error, format, args);
	va_end(args);
}

static int
refuse_value(struct loading *loading, const struct sl_config_option *option, const char *text,
	int err)
{
	bool is_range = err == SL_ETOOBIG;
	char *right = err == SL_ENOMEM ? NULL : sl_config_option_expects(option, is_range);
	char *shown = right ? strdup(text) : NULL;
	if (shown) {
		sl_config_option_redact(option, shown);
		refuse(loading, "%s%s: \"%.80s\" is %s; use %s", loading->where, option->name, shown,
			is_range ? "out of range" : "not valid", right);
	}
	err = shown ? SL_EINVAL : SL_ENOMEM;
	free(right);
	free(shown);
	return err;
}

/* ---- the command line ---- */

static const struct sl_config_option *
option_of_key(int key)
{
	if (key >= FIRST_NEGATED_KEY)
		key -= FIRST_NEGATED_KEY - FIRST_KEY;
	if (key >= FIRST_KEY && (size_t)(key - FIRST_KEY) < sl_config_option_count)
		return &sl_config_options[key - FIRST_KEY];
	for (size_t i = 0; key > 0 && i < sl_config_option_count; i++)
		if (sl_config_options[i].letter == key)
			return &sl_config_options[i];
	return NULL;
}

static error_t
handle_key(int key, char *arg, struct argp_state *state)
{
	struct loading *loading = state->input;
	const struct sl_config_option *option = option_of_key(key);
	if (key == ARGP_KEY_ARG) {
		refuse(loading, "argument \"%.80s\" belongs to no option; use --NAME VALUE (see sluice --help)", arg);
		return EINVAL;
	}
	if (!option)
		return ARGP_ERR_UNKNOWN;
	const char *text = arg ? arg : key >= FIRST_NEGATED_KEY ? "false" : "true";
	loading->settings[loading->setting_count++] = (struct setting){ option, text };
	return 0;
}

/* Puts default and range behind an option's help. */
static char *
describe(int key, const char *text, void *input)
{
	const struct sl_config_option *option = option_of_key(key);
	char *range = text && option ? sl_config_option_range(option) : NULL, *full = NULL;
	int written = -1;
	if (range && option->fallback && option->kind != SL_CONFIG_FLAG)
		written = asprintf(&full, "%s (default %s%s%s)", text, option->fallback, *range ? "; " : "",
			range);
	else if (range && *range)
		written = asprintf(&full, "%s (%s)", text, range);
	free(range);
	return written < 0 ? (char *)(uintptr_t)text : full; /* argp frees only what is not `text` */
}

/* A flag is two options: --NAME, and --no-NAME. The help shows the one that changes something.
 * Returns how many `out` has now. */
static size_t
add_option(struct argp_option *out, const struct sl_config_option *option, char *negated_name)
{
	int index = (int)(option - sl_config_options);
	bool is_flag = option->kind == SL_CONFIG_FLAG, is_on = is_flag && option->fallback;
	out[0] = (struct argp_option){ .name = option->name, .arg = option->arg, .doc = option->help,
		.flags = is_on ? OPTION_HIDDEN : 0 };
	if (option->name)
		out[0].key = option->letter ? option->letter : FIRST_KEY + index;
	if (!is_flag)
		return 1;
	snprintf(negated_name, NEGATED_NAME_MAX, "no-%s", option->name);
	out[1] = (struct argp_option){ .name = negated_name, .doc = option->help,
		.key = FIRST_NEGATED_KEY + index, .flags = is_on ? 0 : OPTION_HIDDEN };
	return 2;
}

/* Runs argp over the table: parses `argc` and `argv`, or prints the help (ARGP_HELP_*)
 * when argv is NULL. */
static int
run_argp(struct loading *loading, int argc, char **argv, unsigned help)
{
	struct argp_option *options = calloc(2 * sl_config_option_count + 1, sizeof *options);
	char(*names)[NEGATED_NAME_MAX] = calloc(sl_config_option_count, sizeof *names);
	size_t count = 0;
	if (!options || !names) {
		free(options);
		free(names);
		return SL_ENOMEM;
	}
	for (size_t i = 0; i < sl_config_option_count; i++)
		count += add_option(&options[count], &sl_config_options[i], names[i]);
	const struct argp argp = { .options = options, .parser = handle_key, .doc = usage_doc,
		.help_filter = describe };
	error_t failed = 0;
	if (argv) {
		failed = argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, loading);
		if (failed && loading->config->error[0] == '\0') {
			loading->said = true;
			refuse(loading, "an option is unknown or lacks its value; use sluice --help to see all options");
		}
	} else {
		char name[] = "sluice";
		argp_help(&argp, stdout, help, name);
	}
	free(options);
	free(names);
	return failed ? SL_EINVAL : 0;
}

static int
print(struct loading *loading, const char *what)
{
	if (strcmp(what, "version") == 0) {
		puts("sluice " SLUICE_VERSION);
		return 0;
	}
	return run_argp(loading, 0, NULL, strcmp(what, "help") == 0 ? ARGP_HELP_STD_HELP : ARGP_HELP_USAGE);
}

/* Actions, and where the file is: what must be known before the other settings count.
 * Returns 0 or an error. */
static int
apply_first_settings(struct loading *loading)
{
	struct sl_config *config = loading->config;
	for (size_t i = 0; i < loading->setting_count; i++) {
		const struct setting *setting = &loading->settings[i];
		if (setting->option->kind == SL_CONFIG_ACTION && config->action != SL_CONFIG_PRINTED)
			sl_config_option_set(config, setting->option, setting->text);
		if (config->action == SL_CONFIG_PRINTED)
			return print(loading, setting->option->name);
		if (strcmp(setting->option->name, "config") == 0) {
			int err = sl_config_option_set(config, setting->option, setting->text);
			if (err)
				return refuse_value(loading, setting->option, setting->text, err);
		}
	}
	return 0;
}

static size_t
place_of(const struct sl_config_option *option)
{
	return (size_t)(option - sl_config_options);
}

/* The first of a list replaces what the file or the default put there. */
static int
apply_settings(struct loading *loading)
{
	bool seen[SL_CONFIG_OPTIONS_MAX] = { false };
	for (size_t i = 0; i < loading->setting_count; i++) {
		const struct sl_config_option *option = loading->settings[i].option;
		size_t place = place_of(option);
		if (!seen[place])
			sl_config_option_clear(loading->config, option);
		seen[place] = true;
		int err = sl_config_option_set(loading->config, option, loading->settings[i].text);
		if (err)
			return refuse_value(loading, option, loading->settings[i].text, err);
		if (strcmp(option->name, "listen") == 0)
			loading->config->listen_given = true;
		loading->config->overridden[place] = loading->in_file[place];
	}
	return 0;
}

/* ---- the file ---- */

/* The text that the same value has on the command line; NULL when the type is wrong. */
static const char *
text_of_json(const struct sl_config_option *option, const json_t *value, char number[64])
{
	bool takes_integer = option->kind == SL_CONFIG_COUNT || option->kind == SL_CONFIG_SIZE;
	if (option->kind == SL_CONFIG_FLAG)
		return json_is_true(value) ? "true" : json_is_false(value) ? "false" : NULL;
	if (option->kind == SL_CONFIG_DURATION && json_is_number(value)) {
		/* Three decimals are what counts; larger than any limit is cut to fit `number`. */
		double seconds = json_number_value(value);
		snprintf(number, 64, "%.3f", seconds > 1e15 ? 1e15 : seconds < -1 ? -1 : seconds);
		return number;
	}
	if (takes_integer && json_is_integer(value)) {
		snprintf(number, 64, "%lld", (long long)json_integer_value(value));
		return number;
	}
	if (option->kind == SL_CONFIG_COUNT || option->kind == SL_CONFIG_DURATION)
		return NULL;
	return json_string_value(value);
}

static int
refuse_type(struct loading *loading, const struct sl_config_option *option, const json_t *value)
{
	char *right = sl_config_option_expects(option, false);
	char *given = right ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	if (given) {
		sl_config_option_redact(option, given);
		refuse(loading, "%s%s: the JSON value %.80s is not valid; use %s%s", loading->where, option->name,
			given, right, json_is_string(value) ? ", without quotes" : "");
	}
	int err = given ? SL_EINVAL : SL_ENOMEM;
	free(right);
	free(given);
	return err;
}

static int
apply_json(struct loading *loading, const struct sl_config_option *option, const json_t *value)
{
	char number[64];
	const char *text = text_of_json(option, value, number);
	int err = text ? sl_config_option_set(loading->config, option, text) : 0;
	if (!text)
		return refuse_type(loading, option, value);
	return err ? refuse_value(loading, option, text, err) : 0;
}

static int
apply_member(struct loading *loading, const char *name, const json_t *value)
{
	const struct sl_config_option *option = sl_config_option_find(name);
	if (!option || option->kind == SL_CONFIG_ACTION || strcmp(name, "config") == 0) {
		refuse(loading, "%s\"%.80s\" is not an option of the file; use the long names of sluice --help "
			"without \"--\", such as \"heartbeat\"; for --no-check, \"check\": false",
			loading->where, name);
		return SL_EINVAL;
	}
	loading->in_file[place_of(option)] = true;
	sl_config_option_clear(loading->config, option);
	bool is_listen = strcmp(name, "listen") == 0;
	if (is_listen)
		loading->config->listen_given = true;
	if (!sl_config_option_is_list(option) || !json_is_array(value))
		return apply_json(loading, option, value);
	int err = is_listen && json_array_size(value) == 0
		? refuse_value(loading, option, "[]", SL_EINVAL) : 0;
	for (size_t i = 0; err == 0 && i < json_array_size(value); i++)
		err = apply_json(loading, option, json_array_get(value, i));
	return err;
}

static int
load_file(struct loading *loading, const char *path, json_t **root)
{
	json_error_t error;
	errno = 0;
	*root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	int error_number = errno;
	if (*root && json_is_object(*root))
		return 0;
	/* Not every failed allocation of jansson has its code; none has a text then. */
	if (!*root && (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory))
		return SL_ENOMEM;
	if (*root)
		refuse(loading, "%sthe file is not one JSON object; use " EXAMPLE, loading->where);
	else if (error.line > 0 && error_number != EISDIR)
		refuse(loading, "%sline %d, column %d is not valid JSON (%s); use one object such as " EXAMPLE,
			loading->where, error.line, error.column, error.text);
	else
		refuse(loading, "%scannot read the file (%s); use the path of a JSON file", loading->where,
			strerror(error_number));
	return SL_EINVAL;
}

static int
apply_file(struct loading *loading)
{
	const char *path = loading->config->config;
	json_t *root;
	snprintf(loading->where, sizeof loading->where, "--config %.200s: ", path);
	int err = load_file(loading, path, &root);
	for (void *it = json_object_iter(root); err == 0 && it; it = json_object_iter_next(root, it))
		err = apply_member(loading, json_object_iter_key(it), json_object_iter_value(it));
	strcpy(loading->where, "--");
	json_decref(root);
	return err;
}

/* ---- defaults, and what depends on the machine ---- */

static int
apply_defaults(struct loading *loading)
{
	for (size_t i = 0; i < sl_config_option_count; i++) {
		const struct sl_config_option *option = &sl_config_options[i];
		int err = option->fallback
			? sl_config_option_set(loading->config, option, option->fallback) : 0;
		if (err)
			return refuse_value(loading, option, option->fallback, err);
	}
	cpu_set_t cores;
	bool is_known = sched_getaffinity(0, sizeof cores, &cores) == 0;
	uint64_t count = is_known ? (uint64_t)CPU_COUNT(&cores) : 1;
	loading->config->shards = count < SL_SHARDS_MAX ? count : SL_SHARDS_MAX;
	return 0;
}

uint64_t
sl_config_fit_connections(uint64_t wanted, uint64_t open_files, uint64_t shards)
{
	uint64_t spare = SPARE_FILES + shards * SPARE_FILES_PER_SHARD;
	if (spare > open_files / 2)
		spare = open_files / 2;
	return wanted < open_files - spare ? wanted : open_files - spare;
}

void
sl_config_fit_open_files(struct sl_config *config)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	struct rlimit raised = { limit.rlim_max, limit.rlim_max };
	if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0)
		limit = raised;
	uint64_t fits = sl_config_fit_connections(config->max_connections, limit.rlim_cur, config->shards);
	if (fits < config->max_connections)
		sl_log(SL_LOG_WARNING, "config.connections_clipped",
			"wanted=%llu allowed=%llu open_files=%llu", (unsigned long long)config->max_connections,
			(unsigned long long)fits, (unsigned long long)limit.rlim_cur);
	config->max_connections = fits;
}

/* ---- all of it ---- */

static int
load(struct loading *loading)
{
	struct sl_config *config = loading->config;
	size_t most = 1; /* options that the command line can hold: letters may be bundled (-hV) */
	for (int i = 0; i < config->argc; i++)
		most += strlen(config->argv[i]) + 1;
	loading->settings = calloc(most, sizeof *loading->settings);
	if (!loading->settings)
		return SL_ENOMEM;
	int err = run_argp(loading, config->argc, config->argv, 0);
	if (err == 0)
		err = apply_first_settings(loading);
	if (err || config->action == SL_CONFIG_PRINTED)
		return err;
	err = apply_defaults(loading);
	if (err == 0 && config->config)
		err = apply_file(loading);
	return err == 0 ? apply_settings(loading) : err;
}

static int
parse(struct sl_config *config, int argc, char **argv, bool is_told)
{
	struct loading loading = { .config = config, .where = "--" };
	*config = (struct sl_config){ .argc = argc, .argv = argv };
	int err = load(&loading);
	free(loading.settings);
	if (err == 0)
		return 0;
	if (config->error[0] == '\0')
		refuse(&loading, "%s", sl_strerror(err));
	if (is_told && !loading.said)
		fprintf(stderr, "sluice: %s\n", config->error);
	sl_config_finish(config);
	return err;
}

int
sl_config_parse(struct sl_config *config, int argc, char **argv)
{
	int err = parse(config, argc, argv, true);
	if (err == 0 && config->action != SL_CONFIG_PRINTED)
		sl_config_fit_open_files(config);
	return err;
}

int
sl_config_parse_again(struct sl_config *config, const struct sl_config *old)
{
	return parse(config, old->argc, old->argv, false);
}

void
sl_config_finish(struct sl_config *config)
{
	for (size_t i = 0; i < sl_config_option_count; i++)
		sl_config_option_finish(config, &sl_config_options[i]);
}
