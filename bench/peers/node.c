#include "bench/peers/node.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/settings.h"
#include "util/err.h"

static void
package_path(const struct bench_settings *settings, const char *package, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/node_modules/%s/package.json", settings->node_folder, package);
}

const char *
bench_node_missing(const struct bench_settings *settings, const char *package)
{
	char path[PATH_MAX];
	if (access(settings->node_path, X_OK) != 0)
		return "Node.js is not installed (scripts/setup peers)";
	package_path(settings, package, path);
	return access(path, R_OK) == 0 ? NULL : "its npm package is not installed (make peers)";
}

void
bench_node_version(const struct bench_settings *settings, const char *package, char *out,
	size_t size)
{
	char path[PATH_MAX];
	package_path(settings, package, path);
	json_t *description = json_load_file(path, 0, NULL);
	const char *version = json_string_value(json_object_get(description, "version"));
	if (version)
		snprintf(out, size, "%s %s", package, version);
	json_decref(description);
}

int
bench_node_start(struct bench_server *server, const struct bench_settings *settings,
	const char *script)
{
	char path[PATH_MAX], log[BENCH_FOLDER_MAX + 16];
	snprintf(path, sizeof path, "%s/%s", settings->node_folder, script);
	snprintf(log, sizeof log, "%s/stderr.log", server->folder);
	const char *argv[] = { settings->node_path, path, NULL };
	int err = bench_process_start(&server->process, argv, settings->server_core, log);
	return err ? err : bench_process_read_port(&server->process, &server->port);
}

void
bench_node_request(struct sl_buffer *out, const struct bench_server *server, bool closing)
{
	sl_buffer_printf(out, "GET /ok HTTP/1.1\r\nHost: %s\r\n%s\r\n", server->host,
		closing ? "Connection: close\r\n" : "");
}

void
bench_node_publish(struct sl_buffer *out, const struct bench_server *server, const char *channel,
	const char *payload, size_t len)
{
	sl_buffer_printf(out, "POST /publish?channel=%s HTTP/1.1\r\nHost: %s\r\n"
		"Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", channel, server->host, len);
	sl_buffer_append(out, payload, len);
}
