#include "bench/server/nats.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/server/server.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/err.h"

#define PROGRAM "nats-server"
#define ASK_MS 1000
#define ANSWER_MAX (4u << 20)

const char *
bench_nats_find(void)
{
	static char found[PATH_MAX];
	static const char *const more = ":/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin";
	const char *given = getenv("NATS_SERVER"), *path = getenv("PATH");
	char folders[8192];
	if (given && *given)
		return access(given, X_OK) == 0 ? given : NULL;
	snprintf(folders, sizeof folders, "%s%s", path ? path : "", more);
	char *rest = folders;
	for (char *folder; (folder = strsep(&rest, ":")) != NULL;) {
		snprintf(found, sizeof found, "%s/" PROGRAM, folder);
		if (*folder && access(found, X_OK) == 0)
			return found;
	}
	return NULL;
}

/* ---- ports ---- */

uint16_t
bench_nats_free_port(void)
{
	uint16_t port = 0;
	int fd = bench_listen(&port);
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? port : 0;
}

int
bench_nats_choose(struct bench_nats_place *places, unsigned count)
{
	uint16_t *ports[3 * BENCH_NATS_MAX];
	int fds[3 * BENCH_NATS_MAX], err = 0;
	unsigned open = 0, wanted = 3 * count;
	for (unsigned i = 0; i < count; i++) {
		ports[3 * i] = &places[i].client;
		ports[3 * i + 1] = &places[i].monitor;
		ports[3 * i + 2] = &places[i].cluster;
	}
	/* All are held at once, so that no two are alike. */
	for (; !err && open < wanted; open += !err)
		err = (fds[open] = bench_listen(ports[open])) < 0 ? SL_EIO : 0;
	while (open > 0)
		close(fds[--open]);
	return err;
}

/* ---- configurations ---- */

static void
write_routes(FILE *file, const struct bench_nats_place *places, unsigned count, unsigned n)
{
	fprintf(file, "cluster {\n\tname: sluice\n\tlisten: \"127.0.0.1:%u\"\n\troutes: [", places[n].cluster);
	for (unsigned i = 0; i < count; i++)
		if (i != n)
			fprintf(file, "\n\t\t\"nats://127.0.0.1:%u\"", places[i].cluster); /* a line each: no commas */
	fputs("\n\t]\n}\n", file);
}

int
bench_nats_write(const struct bench_nats_place *places, unsigned count, unsigned n, const char *path,
	uint64_t file_bytes)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return SL_EIO;
	fprintf(file, "server_name: n%u\nlisten: \"127.0.0.1:%u\"\nhttp: \"127.0.0.1:%u\"\nlog_file: \"%s.log\"\n"
		"jetstream {\n\tstore_dir: \"%s.store\"\n\tmax_mem: 16777216\n\tmax_file: %" PRIu64 "\n}\n", n + 1,
		places[n].client, places[n].monitor, path, path, file_bytes);
	if (count > 1)
		write_routes(file, places, count, n);
	bool is_written = !ferror(file);
	return fclose(file) == 0 && is_written ? 0 : SL_EIO;
}

/* ---- running ---- */

int
bench_nats_start(struct bench_process *process, const struct bench_nats_place *places, unsigned count,
	unsigned n, const char *folder, uint64_t file_bytes)
{
	char config[PATH_MAX], log[PATH_MAX + 16];
	const char *program = bench_nats_find();
	snprintf(config, sizeof config, "%s/n%u", folder, n + 1);
	snprintf(log, sizeof log, "%s.stderr", config);
	const char *argv[] = { program, "--config", config, NULL };
	int err = program ? bench_nats_write(places, count, n, config, file_bytes) : SL_ENOENT;
	return err ? err : bench_process_start(process, argv, BENCH_ANY_CORE, log);
}

int
bench_nats_await(const struct bench_nats_place *places, unsigned count, uint64_t limit_ms)
{
	uint64_t until_ms = sl_clock_monotonic_ms() + limit_ms;
	for (unsigned well = 0; well < count;) {
		unsigned status = 0;
		if (bench_nats_ask(places[well].monitor, "/healthz", &status, NULL) == 0 && status == 200)
			well++;
		else if (sl_clock_monotonic_ms() >= until_ms)
			return SL_EAGAIN;
		else
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return 0;
}

void
bench_nats_format_urls(const struct bench_nats_place *places, unsigned count, char *out, size_t size)
{
	size_t len = 0;
	for (unsigned i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%snats://127.0.0.1:%u", i ? "," : "", places[i].client);
}

/* ---- what a server says ---- */

static int
connect_to(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = ASK_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* HTTP/1.0: the answer ends with the connection and has no chunks. */
static int
exchange(int fd, uint16_t port, const char *path, struct sl_buffer *answer)
{
	char text[4096];
	int len = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n\r\n", path, port);
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return SL_EIO;
	for (ssize_t got; (got = recv(fd, text, sizeof text, 0)) != 0;) {
		if (got < 0)
			return errno == EAGAIN ? SL_EAGAIN : SL_EIO;
		sl_buffer_append(answer, text, (size_t)got);
		if (answer->len > ANSWER_MAX)
			return SL_EPROTO;
	}
	sl_buffer_append_char(answer, '\0');
	return sl_buffer_status(answer);
}

int
bench_nats_ask(uint16_t port, const char *path, unsigned *status, json_t **out)
{
	struct sl_buffer answer = SL_BUFFER_INIT;
	int fd = connect_to(port);
	int err = fd >= 0 ? exchange(fd, port, path, &answer) : SL_EIO;
	if (fd >= 0)
		close(fd);
	const char *body = err == 0 ? strstr(answer.bytes, "\r\n\r\n") : NULL;
	if (err == 0 && (!body || sscanf(answer.bytes, "HTTP/1.%*1[01] %3u", status) != 1))
		err = SL_EPROTO;
	if (err == 0 && out) /* a reservation without a limit is 2^64 - 1 */
		*out = json_loads(body + 4, JSON_DECODE_INT_AS_REAL, NULL);
	sl_buffer_finish(&answer);
	return err;
}

int
bench_nats_find_leader(uint16_t monitor, const char *stream, char *name, size_t size)
{
	json_t *root = NULL, *account, *one;
	unsigned status;
	size_t i, j;
	name[0] = '\0';
	int err = bench_nats_ask(monitor, "/jsz?accounts=true&streams=true", &status, &root);
	json_array_foreach(json_object_get(root, "account_details"), i, account)
		json_array_foreach(json_object_get(account, "stream_detail"), j, one) {
			const char *found = json_string_value(json_object_get(one, "name"));
			const char *leader = json_string_value(json_object_get(json_object_get(one, "cluster"), "leader"));
			if (found && leader && strcmp(found, stream) == 0)
				snprintf(name, size, "%s", leader);
		}
	json_decref(root);
	return err;
}
