/* Pushpin, as Debian packages it: condure, zurl, its proxy and its handler in one process
 * tree, and behind them a web service that says what to hold. Messages are published over
 * ZeroMQ (https://pushpin.org/docs/usage/#publishing): its HTTP control port ends the connection
 * after each request. */
#include <endian.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/peers/pushpin_origin.h"
#include "bench/peers/template.h"
#include "bench/settings.h"
#include "util/err.h"

#define READY_WAIT_MS 500
#define FIRST_EVENT "stream-open" /* of pushpin_origin.c */

static const char *
pushpin_missing(const struct bench_settings *settings)
{
	if (access(settings->pushpin_path, X_OK) != 0)
		return "pushpin is not installed (scripts/setup peers)";
	return NULL;
}

static void
pushpin_version(const struct bench_settings *settings, char *out, size_t size)
{
	bench_process_first_line(settings->pushpin_path, "--version", out, size);
}

static int
write_files(const struct bench_server *server, const struct bench_settings *settings,
	uint16_t origin_port)
{
	char from[PATH_MAX], to[BENCH_FOLDER_MAX + 16], port[8], publish_port[8];
	snprintf(port, sizeof port, "%u", server->port);
	snprintf(publish_port, sizeof publish_port, "%u", server->publish_port);
	const struct bench_setting values[] = {
		{ "FOLDER", server->folder }, { "PORT", port }, { "PUBLISH_PORT", publish_port },
		{ NULL, NULL },
	};
	snprintf(from, sizeof from, "%s/pushpin.conf.in", settings->peers_folder);
	snprintf(to, sizeof to, "%s/pushpin.conf", server->folder);
	int err = bench_template_write(from, to, values);
	if (err)
		return err;
	snprintf(to, sizeof to, "%s/routes", server->folder);
	FILE *routes = fopen(to, "we");
	if (!routes)
		return SL_EIO;
	fprintf(routes, "* 127.0.0.1:%u,over_http\n", origin_port);
	return fclose(routes) == 0 ? 0 : SL_EIO;
}

/* The process becomes Pushpin once it has the web service as a child, which ends with it. */
struct launch {
	const struct bench_server *server;
	const struct bench_settings *settings;
	int listener;
};

static void
launch(const void *argument)
{
	const struct launch *launch = argument;
	char config[BENCH_FOLDER_MAX + 32], log[BENCH_FOLDER_MAX + 16];
	pid_t parent = getpid(), origin = fork();
	if (origin == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == parent)
			bench_pushpin_origin_serve(launch->listener);
		_exit(1);
	}
	snprintf(config, sizeof config, "--config=%s/pushpin.conf", launch->server->folder);
	snprintf(log, sizeof log, "%s/stderr.log", launch->server->folder);
	if (origin < 0 || !freopen(log, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		_exit(126);
	execl(launch->settings->pushpin_path, "pushpin", config, "--id=0", "--merge-output",
		(char *)NULL);
	_exit(127);
}

/* Its parts find each other only after the port accepts, and what is asked for before that is
 * refused: an event stream must begin. */
static bool
pushpin_is_ready(const struct bench_server *server)
{
	char answer[1024] = "";
	size_t len = 0;
	struct sl_buffer request = SL_BUFFER_INIT;
	struct pollfd wait = { .fd = bench_server_connect(server), .events = POLLIN };
	ssize_t got = wait.fd < 0 ? -1 : 0;
	bench_peer_pushpin.subscribe(&request, server, BENCH_SSE, "ready", "");
	if (got == 0)
		got = send(wait.fd, request.bytes, request.len, MSG_NOSIGNAL);
	while (got > 0 && !strstr(answer, FIRST_EVENT) && poll(&wait, 1, READY_WAIT_MS) > 0) {
		got = recv(wait.fd, answer + len, sizeof answer - 1 - len, 0);
		len += got > 0 ? (size_t)got : 0;
		answer[len] = '\0';
	}
	sl_buffer_finish(&request);
	if (wait.fd >= 0)
		close(wait.fd);
	return strstr(answer, FIRST_EVENT);
}

static int
pushpin_start(struct bench_server *server, const struct bench_settings *settings)
{
	uint16_t origin_port;
	int listener = bench_listen(&origin_port);
	int first = bench_listen(&server->port), second = bench_listen(&server->publish_port);
	int err = listener < 0 || first < 0 || second < 0 ? SL_EIO : 0;
	if (first >= 0)
		close(first);
	if (second >= 0)
		close(second);
	if (!err)
		err = write_files(server, settings, origin_port);
	if (!err)
		err = bench_process_fork(&server->process, launch,
			&(struct launch){ server, settings, listener }, settings->server_core);
	if (listener >= 0)
		close(listener);
	return err;
}

static void
pushpin_subscribe(struct sl_buffer *out, const struct bench_server *server,
	enum bench_transport transport, const char *channel, const char *cursor)
{
	sl_buffer_printf(out, "GET /?channel=%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", channel, server->host,
		transport == BENCH_WEBSOCKET ? BENCH_UPGRADE : "Accept: text/event-stream\r\n");
}

/* The greeting of ZMTP 3.0 with the NULL mechanism and the READY command of a PUSH socket
 * (https://rfc.zeromq.org/spec/23/). */
static void
pushpin_open_burst(struct sl_buffer *out, const struct bench_server *server)
{
	static const unsigned char greeting[64] = { 0xff, [8] = 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L' };
	static const char ready[] = "\x04\x1a\5READY\13Socket-Type\0\0\0\4PUSH";
	sl_buffer_append(out, greeting, sizeof greeting);
	sl_buffer_append(out, ready, sizeof ready - 1);
}

/* How long a tnetstring of `len` bytes is: 5:hello, */
static size_t
tnetstring_len(size_t len)
{
	return (size_t)snprintf(NULL, 0, "%zu", len) + len + 2;
}

/* {channel: CHANNEL, formats: {ws-message: {content: PAYLOAD},
 * http-stream: {content: "data: PAYLOAD\n\n"}}} as a tnetstring in one frame. */
static void
append_item(struct sl_buffer *out, const char *channel, const char *payload, size_t len)
{
	static const char content[] = "7:content,";
	static const char event_start[] = "data: ", event_end[] = "\n\n";
	size_t event_len = len + sizeof event_start - 1 + sizeof event_end - 1;
	size_t socket_len = sizeof content - 1 + tnetstring_len(len);
	size_t stream_len = sizeof content - 1 + tnetstring_len(event_len);
	size_t formats_len = tnetstring_len(strlen("ws-message")) + tnetstring_len(socket_len)
		+ tnetstring_len(strlen("http-stream")) + tnetstring_len(stream_len);
	size_t item_len = tnetstring_len(strlen("channel")) + tnetstring_len(strlen(channel))
		+ tnetstring_len(strlen("formats")) + tnetstring_len(formats_len);
	uint64_t frame_len = htobe64(1 + tnetstring_len(item_len));

	sl_buffer_append(out, "\2", 1); /* one part, a length of eight bytes */
	sl_buffer_append(out, &frame_len, sizeof frame_len);
	sl_buffer_printf(out, "T%zu:7:channel,%zu:%s,7:formats,%zu:", item_len, strlen(channel),
		channel, formats_len);
	sl_buffer_printf(out, "10:ws-message,%zu:%s%zu:", socket_len, content, len);
	sl_buffer_append(out, payload, len);
	sl_buffer_printf(out, ",}11:http-stream,%zu:%s%zu:%s", stream_len, content, event_len,
		event_start);
	sl_buffer_append(out, payload, len);
	sl_buffer_printf(out, "%s,}}}", event_end);
}

/* A PUSH socket is not answered. */
static unsigned
pushpin_publish_burst(struct sl_buffer *out, const struct bench_server *server,
	const char *channel, const char *payloads, size_t len, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		append_item(out, channel, payloads + i * len, len);
	return 0;
}

const struct bench_peer bench_peer_pushpin = {
	.name = "pushpin",
	.transports = BENCH_HAS(BENCH_WEBSOCKET) | BENCH_HAS(BENCH_SSE),
	.left_out = {
		[BENCH_STREAM] = "to it that and an event stream are the same",
		[BENCH_LONGPOLL] = "it keeps no messages: one that loses none would measure the service behind",
	},
	.missing = pushpin_missing,
	.version = pushpin_version,
	.start = pushpin_start,
	.is_ready = pushpin_is_ready,
	.subscribe = pushpin_subscribe,
	.opened = { [BENCH_WEBSOCKET] = "subscribed", [BENCH_SSE] = FIRST_EVENT },
	.publish_burst = pushpin_publish_burst,
	.open_burst = pushpin_open_burst,
	.burst_opened = "READY",
};
