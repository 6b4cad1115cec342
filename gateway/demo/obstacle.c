#include "demo/obstacle.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/listener.h"
#include "demo/child.h"
#include "demo/lanes.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

#define PROGRAM "sluice-obstacle"
#define STOP_MS 1000
#define ORIGINS_MAX 16 /* of sluice-obstacle */
#define ARGUMENTS_MAX (8 + ORIGINS_MAX + 1)
#define ARGUMENT_MAX (PATH_MAX + 32)

struct sl_obstacle {
	struct sl_child child;
	char program[PATH_MAX];
	char arguments[ARGUMENTS_MAX][ARGUMENT_MAX];
	char *argv[ARGUMENTS_MAX];
	size_t argument_count;
	uint16_t port, control_port;
	unsigned restarts;
	bool is_secure;
	_Atomic bool is_there;
};

/* ---- the program and its arguments ---- */

char *
sl_obstacle_find(const char *given)
{
	char path[PATH_MAX];
	if (given)
		return strcmp(given, "none") == 0 ? NULL : strdup(given);
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof PROGRAM);
	if (len <= 0)
		return NULL;
	path[len] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	strcpy(slash + 1, PROGRAM);
	return access(path, X_OK) == 0 ? strdup(path) : NULL;
}

static void __attribute__((format(printf, 2, 3)))
add_argument(struct sl_obstacle *obstacle, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *argument = obstacle->arguments[obstacle->argument_count];
	vsnprintf(argument, ARGUMENT_MAX, format, args);
	va_end(args);
	obstacle->argv[++obstacle->argument_count] = argument;
}

/* The first argument, so that a later start has the ports of the first. */
static void
set_ports(struct sl_obstacle *obstacle, unsigned port, unsigned control_port)
{
	snprintf(obstacle->arguments[0], ARGUMENT_MAX, "--listen=%u", port);
	snprintf(obstacle->arguments[1], ARGUMENT_MAX, "--control=%u", control_port);
}

/* By which names a page of the listener goes (http/access.c). */
static void
add_origins(struct sl_obstacle *obstacle, const struct sl_listener *listener, size_t *count)
{
	char own[SL_LISTEN_ADDRESS_MAX], port[8] = "";
	snprintf(own, sizeof own, listener->address.kind == SL_ADDRESS_IPV6 ? "[%s]" : "%s",
		listener->address.host);
	if (listener->address.port != (listener->is_secure ? 443 : 80)) /* the default is left out (RFC 6454, section 6.2) */
		snprintf(port, sizeof port, ":%u", listener->address.port);
	const char *const names[] = { own, "localhost" };
	for (size_t i = 0; i < 2 && *count < ORIGINS_MAX; i++, ++*count)
		add_argument(obstacle, "--allow-origin=%s://%s%s", sl_lanes_http(listener), names[i], port);
}

static bool
is_too_long(const char *path)
{
	return path && strlen(path) >= PATH_MAX;
}

static int
set_tls(struct sl_obstacle *obstacle, const struct sl_obstacle_program *program)
{
	if (!program->certificate || !program->key)
		return SL_EINVAL;
	add_argument(obstacle, "--tls-cert=%s", program->certificate);
	add_argument(obstacle, "--tls-key=%s", program->key);
	add_argument(obstacle, "--to-tls");
	obstacle->is_secure = true;
	return 0;
}

static int
set_arguments(struct sl_obstacle *obstacle, const struct sl_obstacle_program *program,
	const struct sl_listener *own, size_t own_count)
{
	char to[SL_LISTEN_ADDRESS_MAX];
	size_t origins = 0;
	const struct sl_listener *first = sl_lanes_find_first(own, own_count);
	if (!first)
		return SL_ENOENT;
	if (is_too_long(program->path) || is_too_long(program->certificate) ||
			is_too_long(program->key))
		return SL_ETOOBIG;
	strcpy(obstacle->program, program->path);
	obstacle->argv[0] = obstacle->program;
	add_argument(obstacle, "--listen=0");
	add_argument(obstacle, "--control=0");
	add_argument(obstacle, "--max-connections=256");
	for (size_t i = 0; i < own_count; i++)
		if (sl_listen_address_is_loopback_tcp(&own[i].address))
			add_origins(obstacle, &own[i], &origins);
	sl_listen_address_format(&first->address, to);
	add_argument(obstacle, "--to=%s", to);
	return first->is_secure ? set_tls(obstacle, program) : 0;
}

/* ---- running ---- */

/* That stands behind `words`; 0 when there is none. */
static uint16_t
find_port(const char *text, const char *words)
{
	const char *found = strstr(text, words);
	unsigned long port = found ? strtoul(found + strlen(words), NULL, 10) : 0;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static int
start(struct sl_obstacle *obstacle, uint64_t limit_ms)
{
	char text[512];
	int err = sl_child_start(&obstacle->child, obstacle->argv, true);
	if (err == 0)
		err = sl_child_read(&obstacle->child, text, sizeof text, 2, limit_ms);
	if (err == 0) {
		obstacle->port = find_port(text, "listening 127.0.0.1:");
		obstacle->control_port = find_port(text, "control 127.0.0.1:");
		err = obstacle->port && obstacle->control_port ? 0 : SL_EPROTO;
	}
	if (err != 0)
		sl_child_stop(&obstacle->child, STOP_MS);
	return err;
}

int
sl_obstacle_create(struct sl_obstacle **out, const struct sl_obstacle_program *program,
	const struct sl_listener *own, size_t own_count, uint64_t limit_ms)
{
	struct sl_obstacle *obstacle = calloc(1, sizeof *obstacle);
	if (!obstacle)
		return SL_ENOMEM;
	int err = access(program->path, X_OK) == 0 ?
		set_arguments(obstacle, program, own, own_count) : SL_ENOENT;
	if (err != 0)
		goto fail;
	unsigned port = sl_lanes_find_first(own, own_count)->address.port + SL_LANES + 1u;
	err = SL_EIO;
	/* Asked first, since sluice-obstacle would say on standard error that they are not. */
	if (sl_listener_port_is_free(port) && sl_listener_port_is_free(port + 1)) {
		set_ports(obstacle, port, port + 1);
		err = start(obstacle, limit_ms);
	}
	if (err == SL_EIO || err == SL_ECLOSED) { /* taken meanwhile */
		set_ports(obstacle, 0, 0);
		err = start(obstacle, limit_ms);
	}
	if (err != 0)
		goto fail;
	set_ports(obstacle, obstacle->port, obstacle->control_port);
	obstacle->is_there = true;
	*out = obstacle;
	return 0;
fail:
	sl_obstacle_destroy(obstacle);
	return err;
}

void
sl_obstacle_destroy(struct sl_obstacle *obstacle)
{
	if (!obstacle)
		return;
	sl_child_stop(&obstacle->child, STOP_MS);
	free(obstacle);
}

bool
sl_obstacle_watch(struct sl_obstacle *obstacle)
{
	int status;
	if (!obstacle || !sl_child_has_ended(&obstacle->child, &status))
		return false;
	bool is_last = obstacle->restarts == SL_OBSTACLE_RESTARTS;
	sl_log(SL_LOG_WARNING, "obstacle.ended", "status=0x%x restarts=%u", (unsigned)status,
		obstacle->restarts);
	if (is_last || sl_child_start(&obstacle->child, obstacle->argv, false) != 0) {
		obstacle->is_there = false;
		sl_log(SL_LOG_ERROR, "obstacle.given_up", "reason=\"%s\"",
			is_last ? "the program ends again and again" : "the program cannot start");
		return true;
	}
	obstacle->restarts++;
	return true;
}

/* ---- what is said of it ---- */

uint16_t
sl_obstacle_port(const struct sl_obstacle *obstacle)
{
	return obstacle ? obstacle->port : 0;
}

bool
sl_obstacle_is_there(const struct sl_obstacle *obstacle)
{
	return obstacle && obstacle->is_there;
}

void
sl_obstacle_append_json(const struct sl_obstacle *obstacle, struct sl_buffer *out)
{
	const char *http = obstacle->is_secure ? "https" : "http";
	sl_buffer_printf(out, "{\"origin\":\"%s://127.0.0.1:%u\",\"control\":\"%s://127.0.0.1:%u\"}",
		http, obstacle->port, http, obstacle->control_port);
}

void
sl_obstacle_append_policy(const struct sl_obstacle *obstacle, struct sl_buffer *out)
{
	const char *http = obstacle->is_secure ? "https" : "http";
	sl_buffer_printf(out, " %s://127.0.0.1:%u %s://127.0.0.1:%u %s://127.0.0.1:%u", http,
		obstacle->port, obstacle->is_secure ? "wss" : "ws", obstacle->port, http,
		obstacle->control_port);
}
