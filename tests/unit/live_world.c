#include "config/config.h"
#include "tests/unit/live_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "auth/principals.h"
#include "bus/bus.h"
#include "bus/memory.h"
#include "clients/families.h"
#include "core/owners.h"
#include "core/tls_shard.h"
#include "http/api_probe.h"
#include "http/relay.h"
#include "http/routes.h"
#include "http/settings.h"
#include "http/trust.h"
#include "transports/registry.h"
#include "util/log.h"

#define STEP_MS 16
#define TURNS_MAX 100000
#define ARRIVES_MS 30000
#define TEXT_MAX (1 << 20)

static void
require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "live world: %s: %s\n", what, strerror(errno));
	abort();
}

/* ---- the world ---- */

static void
parse_options(struct sl_config *config, const char *const *options)
{
	static char names[11][128];
	char *argv[11] = { names[0] };
	int argc = 1;
	strcpy(names[0], "sluice");
	strcpy(names[1], "--log-level=error");
	strcpy(names[2], "--allow-origin=" WORLD_ORIGIN);
	argv[argc++] = names[1];
	argv[argc++] = names[2];
	for (; options && *options; options++, argc++) {
		require(argc < 11, "too many options");
		snprintf(names[argc], sizeof names[argc], "%s", *options);
		argv[argc] = names[argc];
	}
	require(sl_config_parse(config, argc, argv) == 0, "options");
	/* What the shard reads of it is all that is left to this world. */
	sl_log_set_level(config->log_level);
}

static void
open_bus(struct live_world *world, struct sl_backend *backend)
{
	const struct sl_config *config = &world->settings->config;
	struct sl_bus_config bus_config = {
		.history_messages = config->history_messages,
		.history_bytes = config->history_bytes,
		.history_age_ms = config->history_age_ms,
		.history_total_bytes = config->history_total_bytes,
		.channels_max = config->max_channels_total,
	};
	require(sl_bus_create(&world->bus, &bus_config, backend) == 0, "bus");
}

static void
fill_http(struct live_world *world)
{
	static const struct sl_route *const routes[] = { sl_transport_routes, sl_client_routes, sl_http_routes,
		NULL };
	world->shards[0] = &world->shard;
	world->http = (struct sl_http){
		.routes = { routes },
		.transports = sl_transports,
		.owners = sl_owners_create(&(struct sl_limits){
			.max_connections = world->settings->config.max_connections }),
		.probes = sl_probe_table_create(),
		.shards = world->shards,
		.shard_count = 1,
		.metrics = &world->shard.metrics,
	};
	for (size_t i = 0; sl_transports[i]; i++)
		if (sl_transports[i]->extra_size > world->http.extra_size)
			world->http.extra_size = sl_transports[i]->extra_size;
	for (size_t i = 0; sl_client_transports[i]; i++)
		if (sl_client_transports[i]->extra_size > world->http.extra_size)
			world->http.extra_size = sl_client_transports[i]->extra_size;
	require(world->http.owners && world->http.probes, "tables");
}

void
world_open_over(struct live_world *world, struct sl_backend *backend,
	const char *const *options)
{
	struct sl_config config;
	memset(world, 0, sizeof *world);
	sl_log_set_level(SL_LOG_ERROR);
	parse_options(&config, options);
	require(sl_settings_create(&world->settings, &config, NULL, 0, NULL, 0) == 0, "settings");
	open_bus(world, backend);
	fill_http(world);
	require(sl_shard_init(&world->shard, 0, 1, world->bus, &world->settings->config) == 0,
		"shard");
	require(sl_front_init(&world->front, &world->http, &world->shard, world->settings) == 0,
		"front");
}

void
world_open(struct live_world *world, const char *const *options)
{
	struct sl_backend *backend;
	require(sl_memory_create(&backend, &(struct sl_config){ .idempotency_keys = 1000 }) == 0, "backend");
	world_open_over(world, backend, options);
}

void
world_limit(struct live_world *world, uint64_t total, uint64_t per_address)
{
	sl_owners_set_limits(world->http.owners, &(struct sl_limits){ .max_connections = total,
		.max_per_address = per_address });
}

void
world_limit_rate(struct live_world *world, enum sl_limit limit, uint64_t rate)
{
	struct sl_limits limits = { .max_connections = 1000 };
	limits.rates[limit] = rate;
	sl_owners_set_limits(world->http.owners, &limits);
}

void
world_close(struct live_world *world)
{
	sl_shard_close_links(&world->shard);
	sl_front_finish(&world->front);
	sl_shard_finish(&world->shard);
	sl_bus_destroy(world->bus);
	sl_settings_unref(world->settings);
	sl_owners_destroy(world->http.owners);
	sl_probe_table_destroy(world->http.probes);
}

void
world_dispatch(struct live_world *world)
{
	struct epoll_event events[64];
	int count = epoll_wait(world->shard.loop.epoll_fd, events, 64, 0);
	for (int i = 0; i < count; i++) {
		struct sl_watch *watch = events[i].data.ptr;
		if (watch->fd >= 0)
			watch->on_ready(watch, events[i].events);
	}
}

/* The order of worker.c, with the time as the test has it. */
void
world_turn(struct live_world *world)
{
	struct sl_shard *shard = &world->shard;
	world_dispatch(world);
	sl_timer_wheel_run(&shard->loop.timers, shard->loop.now_ms);
	sl_mailbox_run_tasks(&shard->mailbox);
	sl_relay_run(world->front.relay);
	sl_shard_work(shard);
	sl_loop_end_turn(&shard->loop);
}

void
world_settle(struct live_world *world)
{
	struct sl_shard *shard = &world->shard;
	unsigned turns = 0;
	do {
		world_turn(world);
		require(++turns < TURNS_MAX, "the shard never comes to rest");
	} while (sl_shard_has_work(shard) || !sl_mailbox_is_empty(&shard->mailbox) || turns < 3 ||
		sl_relay_has_work(world->front.relay) || !sl_rota_is_empty(&shard->tls->turns) ||
		!sl_rota_is_empty(&shard->shares.line));
}

void
world_pass(struct live_world *world, uint64_t ms)
{
	while (ms > 0) {
		uint64_t step_ms = ms < STEP_MS ? ms : STEP_MS;
		world->shard.loop.now_ms += step_ms;
		ms -= step_ms;
		world_settle(world);
	}
}

uint64_t
world_publish_bytes(struct live_world *world, const char *channel, enum sl_payload_type type,
	const char *bytes, size_t len)
{
	struct sl_message *message;
	struct sl_cursor id = { 0 };
	struct sl_publish pending = { 0 };
	require(sl_message_create(&message, channel, strlen(channel), type, bytes, len) == 0,
		"message");
	require(sl_bus_publish(world->bus, 0, message, NULL, 0, &pending, &id) == 0, "publish");
	return id.seq;
}

uint64_t
world_publish(struct live_world *world, const char *channel, const char *text)
{
	return world_publish_bytes(world, channel, SL_TEXT, text, strlen(text));
}

uint64_t
world_head(const struct live_world *world)
{
	return sl_bus_head(world->bus).seq;
}

uint64_t
world_counter(const struct live_world *world, enum sl_counter counter)
{
	return world->shard.metrics.counters[counter];
}

uint64_t
world_class_counter(const struct live_world *world, enum sl_class class_,
	enum sl_class_counter counter)
{
	return world->shard.metrics.classes[class_][counter];
}

/* ---- clients ---- */

static void
connect_tcp(int fds[2], struct sockaddr_storage *peer, int buffer)
{
	struct sockaddr_in *in = (struct sockaddr_in *)peer;
	socklen_t len = sizeof *in;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Before connect: a window that grows would take what is to get stuck. */
	if (buffer)
		setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	require(bind(listening, (struct sockaddr *)in, len) == 0 && listen(listening, 1) == 0 &&
		getsockname(listening, (struct sockaddr *)in, &len) == 0 &&
		connect(fds[0], (struct sockaddr *)in, len) == 0, "loopback connection");
	fds[1] = accept4(listening, (struct sockaddr *)in, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	require(fds[1] >= 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0, "accept");
	close(listening);
}

/* As the front does. */
static struct sl_owner *
find_owner(struct live_world *world, const struct sockaddr_storage *peer)
{
	struct sl_socket socket;
	sl_socket_init(&socket, -1, peer);
	return sl_trust_has(&world->front, &socket.peer) ? NULL :
		sl_owners_get_address(world->http.owners, &socket.peer);
}

void
client_connect(struct world_client *client, struct live_world *world,
	const struct world_request *request)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	int fds[2];
	*client = (struct world_client){ 0 };
	if (request->over_tcp)
		connect_tcp(fds, &peer, request->send_buffer);
	else
		require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0,
			"socketpair");
	if (request->send_buffer)
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &request->send_buffer,
			sizeof request->send_buffer);
	client->fd = fds[0];
	client->connection = sl_connection_create(&world->front, &(struct sl_arrival){
		.fd = fds[1], .peer = &peer, .speaks_tls = request->over_tls,
		.owner = find_owner(world, &peer) });
	require(client->connection != NULL, "connection");
	client->link = &client->connection->link;
	client->subscriber = &client->connection->subscriber;
	sl_owners_connect(world->http.owners, client->connection->peer_owner);
}

/* Appends the query with the epoch put in, and with what the transport is chosen by. */
static void
append_query(struct sl_buffer *out, struct live_world *world,
	const struct sl_transport *transport, const char *query)
{
	const char *at = strstr(query, "EPOCH");
	if (at)
		sl_buffer_printf(out, "%.*s%08x%s", (int)(at - query), query,
			sl_bus_head(world->bus).epoch, at + 5);
	else
		sl_buffer_append_str(out, query);
	if (transport == &sl_transport_poll && !strstr(query, "wait="))
		sl_buffer_append_str(out, "&wait=0");
}

static void
append_request(struct sl_buffer *out, struct live_world *world,
	const struct sl_transport *transport, const struct world_request *request)
{
	bool upgrades = transport == &sl_transport_websocket;
	sl_buffer_printf(out, "GET /%s?", transport->path);
	append_query(out, world, transport, request->query);
	sl_buffer_printf(out, " HTTP/1.%u\r\nHost: localhost\r\n", request->http_minor);
	if (upgrades)
		sl_buffer_append_str(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
	else if (!request->keep_alive)
		sl_buffer_append_str(out, "Connection: close\r\n");
	if (request->origin)
		sl_buffer_printf(out, "Origin: %s\r\n", request->origin);
	if (request->fields)
		sl_buffer_append_str(out, request->fields);
	sl_buffer_append_str(out, "\r\n");
}

bool
client_open(struct world_client *client, struct live_world *world,
	const struct sl_transport *transport, const struct world_request *request)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	client_connect(client, world, request);
	append_request(&text, world, transport, request);
	client_send(client, text.bytes, text.len);
	sl_buffer_finish(&text);
	struct pollfd fd = { .fd = client->link->socket.fd, .events = POLLIN };
	require(poll(&fd, 1, ARRIVES_MS) == 1, "the request does not arrive");
	world_dispatch(world);
	return client->connection->transport == transport;
}

void
client_open_stream(struct world_client *client, struct live_world *world, const char *query)
{
	struct world_request request = { .query = query };
	client_open(client, world, &sl_transport_stream, &request);
	world_settle(world);
	require(client_skip_head(client), "no head came");
}

void
client_admit(struct world_client *client, struct sl_principal *principal)
{
	struct sl_subscriber *subscriber = client->subscriber;
	sl_holder_leave(subscriber->shard->principals, &subscriber->holder);
	sl_subscriber_admit(subscriber, subscriber->shard, principal, client->link);
}

void
client_close(struct world_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	sl_buffer_finish(&client->got);
}

bool
client_is_served(const struct world_client *client, const struct live_world *world)
{
	const struct sl_link *link = world->shard.links;
	while (link && link != client->link)
		link = link->next;
	return link != NULL;
}

void
client_send(struct world_client *client, const char *bytes, size_t len)
{
	require(send(client->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len, "send");
}

size_t
client_read(struct world_client *client)
{
	char bytes[65536];
	size_t before = client->got.len;
	ssize_t got;
	while ((got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
		sl_buffer_append(&client->got, bytes, (size_t)got);
	if (got == 0)
		client->ended = true;
	else if (errno == ECONNRESET)
		client->reset = true;
	return client->got.len - before;
}

bool
client_skip_head(struct world_client *client)
{
	client_read(client);
	for (size_t i = 4; i <= client->got.len; i++)
		if (memcmp(client->got.bytes + i - 4, "\r\n\r\n", 4) == 0) {
			sl_buffer_consume(&client->got, i);
			return true;
		}
	return false;
}

/* ---- what a client saw ---- */

static char text[TEXT_MAX], story[TEXT_MAX];

static void
replace_times(char *at)
{
	while ((at = strstr(at, "\"time\":"))) {
		at += 7;
		size_t digits = strspn(at, "0123456789");
		memcpy(at, "TIME", 4);
		memmove(at + 4, at + digits, strlen(at + digits) + 1);
	}
}

const char *
client_take_text(struct world_client *client, struct live_world *world)
{
	char epoch[16];
	client_read(client);
	require(client->got.len < TEXT_MAX, "text too long");
	if (client->got.len)
		memcpy(text, client->got.bytes, client->got.len);
	text[client->got.len] = '\0';
	sl_buffer_clear(&client->got);
	snprintf(epoch, sizeof epoch, "%08x-", sl_bus_head(world->bus).epoch);
	for (char *at = text; (at = strstr(at, epoch));) {
		memcpy(at, "EPOCH", 5);
		memmove(at + 5, at + 8, strlen(at + 8) + 1);
	}
	replace_times(text);
	return text;
}

static void
tell(char *line, char *out, size_t room)
{
	unsigned long long seq, resumed;
	char name[SL_CHANNEL_MAX + 1];
	if (sscanf(line, "{\"id\":\"EPOCH-%llu\",\"channel\":\"%128[^\"]\"", &seq, name) == 2)
		snprintf(out, room, "%s%llu", name, seq);
	else if (sscanf(line, "{\"type\":\"open\",\"cursor\":\"EPOCH-%llu\"", &seq) == 1)
		snprintf(out, room, "open@%llu", seq);
	else if (sscanf(line, "{\"type\":\"heartbeat\",\"cursor\":\"EPOCH-%llu\"", &seq) == 1)
		snprintf(out, room, "heartbeat@%llu", seq);
	else if (sscanf(line, "{\"type\":\"gap\",\"channel\":\"%128[^\"]\",\"after\":\"EPOCH-%llu\","
			"\"resumed\":\"EPOCH-%llu\"}", name, &seq, &resumed) == 3)
		snprintf(out, room, "gap:%s:%llu-%llu", name, seq, resumed);
	else if (sscanf(line, "{\"type\":\"gap\",\"channel\":\"%128[^\"]\",\"after\":%*[^,],"
			"\"resumed\":\"EPOCH-%llu\"}", name, &resumed) == 2)
		snprintf(out, room, "gap:%s:?-%llu", name, resumed);
	else if (sscanf(line, "{\"type\":\"bye\",\"reason\":\"%128[^\"]\"", name) == 1)
		snprintf(out, room, "bye:%s", name);
	else if (strcmp(line, "{\"type\":\"mark\"}") == 0)
		snprintf(out, room, "mark");
	else
		snprintf(out, room, "%s", line);
}

/* `sent` counts what came before the object that tells it. */
static void
check_sent(struct world_client *client, const char *line)
{
	unsigned long long sent;
	bool is_counted = strncmp(line, "{\"id\":", 6) == 0 ||
		strncmp(line, "{\"type\":\"gap\"", 13) == 0;
	const char *told = is_counted ? NULL : strstr(line, ",\"sent\":");
	client->counted += is_counted;
	require(!told || (sscanf(told, ",\"sent\":%llu", &sent) == 1 && sent == client->counted),
		"`sent` is not what arrived");
}

const char *
client_take_story(struct world_client *client, struct live_world *world)
{
	char *at = story;
	client_take_text(client, world);
	story[0] = '\0';
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		require(end != NULL, "a line was cut off");
		*end = '\0';
		if (at > story)
			*at++ = ' ';
		check_sent(client, line);
		tell(line, at, (size_t)(story + sizeof story - at));
		at += strlen(at);
	}
	return story;
}
