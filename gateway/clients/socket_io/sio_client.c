#include "clients/socket_io/sio_client.h"

#include <stdlib.h>
#include <string.h>

#include "clients/socket_io/sio_assembly.h"
#include "clients/socket_io/sio_connect.h"
#include "clients/socket_io/sio_encoders.h"
#include "clients/socket_io/sio_events.h"
#include "clients/socket_io/sio_family.h"
#include "clients/socket_io/sio_memory.h"
#include "config/config.h"
#include "http/front.h"
#include "http/http.h"
#include "http/request.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/clock.h"
#include "util/err.h"

/* Engine.IO's three come first (clients/engine_io/eio_query.h). */
enum { RECOVERY = 3 };

const char *const sl_sio_query_names[] = { "EIO", "transport", "sid", [RECOVERY] = "recovery", NULL };

/* ---- namespaces ---- */

struct sl_sio_namespace *
sl_sio_client_find(struct sl_sio_client *client, struct sl_span name)
{
	struct sl_sio_namespace *ns = client->namespaces;
	for (; ns; ns = ns->next) {
		struct sl_span its = sl_sio_namespace_get_name(ns);
		if (its.len == name.len && memcmp(its.bytes, name.bytes, name.len) == 0)
			break;
	}
	return ns;
}

struct sl_sio_namespace *
sl_sio_client_find_number(struct sl_sio_client *client, uint16_t number)
{
	struct sl_sio_namespace *ns = client->namespaces;
	while (ns && ns->number != number)
		ns = ns->next;
	return ns;
}

/* The next deadline of the two. */
static void
set_timer(struct sl_eio_socket *socket)
{
	const struct sl_sio_client *client = sl_sio_client_of(socket);
	uint64_t due_ms = client->connect_by_ms;
	if (sl_eio_socket_is_closing(socket))
		return;
	if (client->whole_by_ms && (due_ms == 0 || client->whole_by_ms < due_ms))
		due_ms = client->whole_by_ms;
	sl_eio_socket_set_user_timer(socket, due_ms);
}

static void
await_connect(struct sl_eio_socket *socket)
{
	const struct sl_shard *shard = sl_eio_socket_get_shard(socket);
	sl_sio_client_of(socket)->connect_by_ms = shard->loop.now_ms + shard->config->socketio_connect_timeout_ms;
	set_timer(socket);
}

struct sl_sio_namespace *
sl_sio_client_add(struct sl_eio_socket *socket, struct sl_span name, const char id[SL_SIO_ID_LEN], int stars)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	struct sl_sio_namespace *ns = calloc(1, sizeof *ns + 1 + SL_SIO_TAG_LEN + name.len);
	if (!ns)
		return NULL;
	const char *tag = stars > 0 ? sl_sio_memory_get_tag(client->memory) : NULL;
	ns->label_len = (uint16_t)sl_sio_label_write(ns->label, stars, tag, name).len;
	memcpy(ns->id, id, SL_SIO_ID_LEN);
	ns->number = ++client->last_number;
	ns->next = client->namespaces;
	client->namespaces = ns;
	client->count++;
	client->connect_by_ms = 0;
	set_timer(socket);
	return ns;
}

/* Its client has said so: it will not come back to it. */
static void
disconnect(struct sl_eio_socket *socket, struct sl_sio_namespace *ns)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	struct sl_sio_namespace **at = &client->namespaces;
	if (ns->is_kept)
		sl_sio_memory_forget(client->memory, ns->id);
	sl_verbs_unsubscribe_label(sl_eio_socket_get_subscriber(socket), sl_sio_namespace_get_label(ns));
	while (*at != ns)
		at = &(*at)->next;
	*at = ns->next;
	free(ns);
	if (--client->count == 0 && !sl_eio_socket_is_closing(socket))
		await_connect(socket);
}

/* ---- for CONNECT and events ---- */

void
sl_sio_client_send(struct sl_eio_socket *socket, enum sl_sio_type type, struct sl_span name, int32_t id,
	const struct sl_buffer *json)
{
	struct sl_buffer packet = SL_BUFFER_INIT;
	sl_sio_packet_append_head(&packet, type, 0, name, id);
	sl_buffer_append(&packet, json->bytes, json->len);
	if (json->failed || packet.failed)
		sl_eio_socket_close(socket, SL_END_SLOW_CONSUMER); /* it comes back when there may be memory */
	else
		sl_eio_socket_send(socket, packet.bytes, packet.len, false);
	sl_buffer_finish(&packet);
}

void
sl_sio_client_fail(struct sl_eio_socket *socket)
{
	if (sl_eio_socket_is_closing(socket))
		return;
	sl_metrics_add(&sl_eio_socket_get_shard(socket)->metrics, SL_COUNTER_CLIENT_PROTOCOL_ERRORS, 1);
	sl_eio_socket_close(socket, SL_END_PROTOCOL);
}

/* ---- packets ---- */

static size_t
get_packet_max(const struct sl_shard *shard)
{
	return shard->config->max_message_bytes + SL_SIO_ENVELOPE_BYTES;
}

/* A CONNECT has no message: how long its token, pid and channels are has nothing to do with how long messages are. */
static size_t
get_text_max(const struct sl_shard *shard, struct sl_span text)
{
	size_t max = get_packet_max(shard);
	bool is_connect = text.len > 0 && *text.bytes == '0' + SL_SIO_CONNECT;
	return is_connect && max < SL_SIO_CONNECT_BYTES ? SL_SIO_CONNECT_BYTES : max;
}

static bool
is_event(const struct sl_sio_packet *packet)
{
	return packet->type == SL_SIO_EVENT || packet->type == SL_SIO_BINARY_EVENT;
}

/* A whole packet. Whatever does not fit the state of its namespace closes the transport. */
static void
handle(struct sl_eio_socket *socket, const struct sl_sio_packet *packet, const struct sl_span *attachments,
	bool is_too_deep)
{
	struct sl_sio_namespace *ns = sl_sio_client_find(sl_sio_client_of(socket), packet->nsp);
	if (!ns == (packet->type != SL_SIO_CONNECT))
		sl_sio_client_fail(socket);
	else if (!ns)
		sl_sio_connect(socket, packet);
	else if (packet->type == SL_SIO_DISCONNECT)
		disconnect(socket, ns);
	else if (is_event(packet))
		sl_sio_events_handle(socket, ns, packet, attachments, is_too_deep);
	else /* an ack: nothing here asks for one */
		sl_verbs_ask(sl_eio_socket_get_subscriber(socket), 1);
}

static void
begin_assembly(struct sl_eio_socket *socket, struct sl_span text, unsigned attachments)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	const struct sl_shard *shard = sl_eio_socket_get_shard(socket);
	client->assembly = sl_sio_assembly_create(text, attachments);
	if (!client->assembly) {
		sl_eio_socket_close(socket, SL_END_SLOW_CONSUMER);
		return;
	}
	client->whole_by_ms = shard->loop.now_ms + shard->config->request_timeout_ms;
	set_timer(socket);
}

static void
handle_text(struct sl_eio_socket *socket, struct sl_span text)
{
	const struct sl_shard *shard = sl_eio_socket_get_shard(socket);
	struct sl_sio_packet packet;
	int err = text.len > get_text_max(shard, text) ? SL_EPROTO :
		sl_sio_packet_read(&packet, text, (unsigned)shard->config->max_json_depth);
	if (err == SL_EPROTO || (err == SL_ETOODEEP && !is_event(&packet)))
		sl_sio_client_fail(socket);
	else if (packet.attachments > 0)
		begin_assembly(socket, text, packet.attachments);
	else
		handle(socket, &packet, NULL, err == SL_ETOODEEP);
}

static void
handle_attachment(struct sl_eio_socket *socket, const char *bytes, size_t len)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	struct sl_sio_assembly *assembly = client->assembly;
	const struct sl_shard *shard = sl_eio_socket_get_shard(socket);
	struct sl_span attachments[SL_SIO_ATTACHMENTS_MAX];
	struct sl_sio_packet packet;
	int err = sl_sio_assembly_add(assembly, bytes, len, get_packet_max(shard));
	if (err == SL_ENOMEM)
		sl_eio_socket_close(socket, SL_END_SLOW_CONSUMER);
	else if (err != 0)
		sl_sio_client_fail(socket);
	if (err != 0 || !sl_sio_assembly_is_complete(assembly))
		return;
	client->assembly = NULL;
	client->whole_by_ms = 0;
	set_timer(socket);
	sl_sio_assembly_get_attachments(assembly, attachments);
	err = sl_sio_packet_read(&packet, sl_sio_assembly_get_text(assembly), (unsigned)shard->config->max_json_depth);
	handle(socket, &packet, attachments, err == SL_ETOODEEP);
	sl_sio_assembly_destroy(assembly);
}

static void
finish(struct sl_sio_client *client)
{
	struct sl_sio_namespace *ns;
	while ((ns = client->namespaces)) {
		client->namespaces = ns->next;
		if (ns->is_kept)
			sl_sio_memory_leave(client->memory, ns->id, sl_clock_monotonic_ms());
		free(ns);
	}
	sl_sio_assembly_destroy(client->assembly);
	free(client->asked);
	client->assembly = NULL;
	client->asked = NULL;
}

/* Binary where none is due, and text where binary is. */
static void
handle_message(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary)
{
	if (is_binary != (sl_sio_client_of(socket)->assembly != NULL))
		sl_sio_client_fail(socket);
	else if (is_binary)
		handle_attachment(socket, bytes, len);
	else
		handle_text(socket, (struct sl_span){ bytes, len });
}

/* Each answer may find that its client does not take it, and so may each verb that it asks for too much: it closes,
 * and whoever handles the message goes on with what it has in hand. */
static void
on_message(struct sl_eio_socket *socket, const char *bytes, size_t len, bool is_binary)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	if (sl_eio_socket_is_closing(socket))
		return;
	client->is_busy = true;
	handle_message(socket, bytes, len, is_binary);
	client->is_busy = false;
	if (client->is_over)
		finish(client);
}

/* ---- life ---- */

static int
keep_asked(struct sl_sio_client *client, const struct sl_join *join)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	if (join->channel_count == 0)
		return 0;
	for (unsigned i = 0; i < join->channel_count; i++) {
		sl_buffer_append(&text, join->channels[i].bytes, join->channels[i].len);
		sl_buffer_append_char(&text, '\n');
	}
	client->asked = sl_buffer_take_string(&text);
	return client->asked ? 0 : SL_ENOMEM;
}

static int
open_client(struct sl_eio_socket *socket, const struct sl_request *request)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	bool is_for_all = sl_eio_socket_get_shard(socket)->config->socketio_recovery;
	if (is_for_all || sl_span_equals(request->params.own[RECOVERY], "1"))
		client->memory = sl_eio_socket_get_shard(socket)->front->http->sio_memory;
	int err = keep_asked(client, &request->params.join);
	if (err == 0)
		await_connect(socket);
	return err;
}

static void
on_timer(struct sl_eio_socket *socket)
{
	const struct sl_sio_client *client = sl_sio_client_of(socket);
	uint64_t now_ms = sl_eio_socket_get_shard(socket)->loop.now_ms;
	bool is_late = (client->connect_by_ms && now_ms >= client->connect_by_ms) ||
		(client->whole_by_ms && now_ms >= client->whole_by_ms);
	if (is_late)
		sl_sio_client_fail(socket);
	else
		set_timer(socket);
}

static void
on_close(struct sl_eio_socket *socket)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	client->is_over = true;
	if (!client->is_busy)
		finish(client);
}

static const struct sl_eio_user user = {
	.get_encoder = sl_sio_encoders_get,
	.state_size = sizeof(struct sl_sio_client),
	.open = open_client,
	.on_message = on_message,
	.on_timer = on_timer,
	.on_close = on_close,
};

const struct sl_eio_family sl_sio_family = SL_EIO_FAMILY(&user, "socket.io/");
