#include "clients/socket_io/sio_events.h"

#include <string.h>

#include "bus/message.h"
#include "clients/socket_io/sio_changes.h"
#include "clients/socket_io/sio_client.h"
#include "clients/socket_io/sio_event.h"
#include "clients/socket_io/sio_names.h"
#include "config/config.h"
#include "live/control.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/err.h"


/* An event in work. */
struct emitted {
	struct sl_eio_socket *socket;
	struct sl_sio_namespace *ns;
	int32_t id; /* of its ack, or SL_SIO_NO_ID */
	struct sl_sio_event event;
};

/* What a publish's answer comes back with; its socket is there as long as its subscriber is. */
struct ref {
	struct sl_eio_socket *socket;
	int32_t id;
	uint16_t number; /* of the namespace */
};

/* ---- acks ---- */

/* [json], if the client wants it. */
static void
ack(struct sl_eio_socket *socket, const struct sl_sio_namespace *ns, int32_t id, const struct sl_buffer *json)
{
	if (id != SL_SIO_NO_ID)
		sl_sio_client_send(socket, SL_SIO_ACK, sl_sio_namespace_get_name(ns), id, json);
}

/* What is refused is not free: whoever goes on being refused has its transport closed. */
static void
refuse(struct sl_eio_socket *socket, const struct sl_sio_namespace *ns, int32_t id,
	const struct sl_refusal *refusal)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(socket);
	struct sl_buffer json = SL_BUFFER_INIT;
	sl_buffer_printf(&json, "[{\"error\":{\"code\":\"%s\",\"message\":", refusal->code);
	sl_buffer_append_json_string(&json, refusal->message, strlen(refusal->message));
	if (refusal->retry_ms)
		sl_buffer_printf(&json, ",\"retry\":%u", refusal->retry_ms);
	sl_buffer_append_str(&json, "}}]");
	sl_metrics_add(&s->shard->metrics, SL_COUNTER_SIO_REFUSED_EVENTS, 1);
	ack(socket, ns, id, &json);
	sl_buffer_finish(&json);
	sl_verbs_ask(s, 1);
}

static void
refuse_emitted(const struct emitted *e, const char *code, const char *message)
{
	struct sl_refusal refusal;
	sl_refusal_set(&refusal, code, message);
	refuse(e->socket, e->ns, e->id, &refusal);
}

/* ---- subscribe, unsubscribe ---- */

/* [{"channels":[..],"cursor":C}], and "lost":true where history no longer reaches to what was asked for. */
static void
ack_channels(const struct emitted *e, const struct sl_sio_names *names, bool is_lost)
{
	struct sl_span channels[SL_CHANNELS_MAX];
	struct sl_buffer json = SL_BUFFER_INIT;
	unsigned count = sl_sio_names_get(names, channels);
	sl_buffer_append_str(&json, "[{\"channels\":[");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			sl_buffer_append_char(&json, ',');
		sl_buffer_append_json_string(&json, channels[i].bytes, channels[i].len);
	}
	sl_buffer_append_str(&json, "],\"cursor\":\"");
	sl_control_append_cursor(&json, sl_sio_changes_get_progress(sl_eio_socket_get_subscriber(e->socket),
		sl_sio_namespace_get_label(e->ns)));
	sl_buffer_append_str(&json, is_lost ? "\",\"lost\":true}]" : "\"}]");
	ack(e->socket, e->ns, e->id, &json);
	sl_buffer_finish(&json);
}

/* {"since":CURSOR}, or "0": all that history holds. Errors: SL_EINVAL, and `wrong` is what is no cursor. */
static int
read_since(const struct sl_json_member *options, struct sl_verbs_subscription *what, struct sl_span *wrong)
{
	struct sl_json_members members;
	struct sl_json_member member;
	int err = 0;
	if (options->kind == SL_JSON_NULL)
		return 0;
	if (options->kind != SL_JSON_OBJECT)
		return SL_EINVAL;
	sl_json_members_open(&members, options->value.bytes, options->value.len);
	while (err == 0 && sl_json_members_next(&members, &member)) {
		if (!sl_json_string_equals(member.name.bytes, member.name.len, "since") || member.kind == SL_JSON_NULL)
			continue;
		struct sl_span text = member.kind == SL_JSON_STRING ? sl_json_unquote(member.value) : member.value;
		bool is_all = sl_span_equals(text, "0");
		*wrong = text;
		what->since_kind = is_all ? SL_SINCE_ALL : SL_SINCE_CURSOR;
		err = is_all ? 0 : sl_cursor_parse(text.bytes, text.len, &what->since);
	}
	return err;
}

static void
subscribe(const struct emitted *e, const struct sl_sio_names *names)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(e->socket);
	struct sl_span channels[SL_CHANNELS_MAX], label = sl_sio_namespace_get_label(e->ns);
	struct sl_verbs_subscription what = { .channels = channels, .count = sl_sio_names_get(names, channels),
		.label = label, .since_kind = SL_SINCE_NOW };
	struct sl_refusal refusal = { 0 };
	unsigned before = sl_sio_changes_count(s, label);
	bool is_lost, has_since = e->event.count == 2;
	struct sl_span wrong = has_since ? e->event.first[1].value : (struct sl_span){ 0 };
	if (has_since && read_since(&e->event.first[1], &what, &wrong) != 0) {
		sl_refusal_set_value(&refusal, "bad_cursor", "the second argument", wrong, "{\"since\":CURSOR}");
		refuse(e->socket, e->ns, e->id, &refusal);
		return;
	}
	if (sl_verbs_subscribe_as(s, &what, false, &is_lost, &refusal) != 0) {
		refuse(e->socket, e->ns, e->id, &refusal);
		return;
	}
	if (sl_sio_changes_count(s, label) != before)
		sl_sio_changes_note(e->socket, e->ns, names, true);
	ack_channels(e, names, is_lost);
}

static void
unsubscribe(const struct emitted *e, const struct sl_sio_names *names)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(e->socket);
	struct sl_span channels[SL_CHANNELS_MAX], label = sl_sio_namespace_get_label(e->ns);
	unsigned before = sl_sio_changes_count(s, label), count = sl_sio_names_get(names, channels);
	sl_verbs_unsubscribe_as(s, channels, count, label);
	if (sl_eio_socket_is_closing(e->socket)) /* it asked for more than it may */
		return;
	if (sl_sio_changes_count(s, label) != before)
		sl_sio_changes_note(e->socket, e->ns, names, false);
	ack_channels(e, names, false);
}

static void
refuse_names(const struct emitted *e, const struct sl_sio_names *names)
{
	struct sl_refusal refusal;
	sl_refusal_set(&refusal, "bad_channel", e->event.count > 2 ? "there are too many arguments; use the name of a channel, "
		"or an array of names" : "the first argument is not valid; use the name of a channel, or an array of names");
	if (names->wrong[0])
		sl_refusal_format(&refusal, "bad_channel", "%s is not the name of a channel; use " SL_CHANNEL_NAME_FORM,
			names->wrong);
	refuse(e->socket, e->ns, e->id, &refusal);
}

static void
change_channels(const struct emitted *e, bool subscribes)
{
	struct sl_sio_names names = { .count = 0 };
	struct sl_refusal refusal;
	bool is_form = e->event.count >= 1 && e->event.count <= 1u + subscribes;
	int err = is_form ? sl_sio_names_add_json(&names, &e->event.first[0], false) : SL_EINVAL;
	if (err == 0 && names.count == 0)
		refuse_emitted(e, "no_channels", "no channel is named; use a name or an array of names");
	else if (err == SL_EINVAL)
		refuse_names(e, &names);
	else if (err == SL_EFULL)
		refuse(e->socket, e->ns, e->id, &sl_verbs_too_many_channels);
	else if (err != 0)
		sl_refusal_set_err(&refusal, err), refuse(e->socket, e->ns, e->id, &refusal);
	else if (subscribes)
		subscribe(e, &names);
	else
		unsubscribe(e, &names);
	sl_sio_names_finish(&names);
}

/* ---- publish, relay ---- */

/* [{"id":CURSOR}] */
static void
on_published(struct sl_subscriber *s, struct sl_span bytes, const struct sl_refusal *refusal, struct sl_cursor id)
{
	struct sl_buffer json = SL_BUFFER_INIT;
	struct ref ref;
	(void)s;
	memcpy(&ref, bytes.bytes, sizeof ref);
	struct sl_sio_namespace *ns = sl_sio_client_find_number(sl_sio_client_of(ref.socket), ref.number);
	if (!ns) /* it has left meanwhile */
		return;
	if (refusal) {
		refuse(ref.socket, ns, ref.id, refusal);
		return;
	}
	sl_buffer_append_str(&json, "[{\"id\":\"");
	sl_control_append_cursor(&json, id);
	sl_buffer_append_str(&json, "\"}]");
	ack(ref.socket, ns, ref.id, &json);
	sl_buffer_finish(&json);
}

static void
publish_payload(const struct emitted *e, struct sl_span channel, struct sl_payload *payload)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(e->socket);
	const struct sl_config *config = s->shard->config;
	struct ref ref = { e->socket, e->id, e->ns->number };
	struct sl_publication publication = { .message = NULL };
	struct sl_refusal refusal;
	payload->depth_max = (unsigned)config->max_json_depth;
	int err = payload->len > config->max_message_bytes ? SL_ETOOBIG :
		sl_message_create_from(&publication.message, channel, payload);
	if (err == 0) {
		sl_verbs_publish(s, &publication, (struct sl_span){ (const char *)&ref, sizeof ref }, on_published);
	} else if (err == SL_EINVAL) { /* a placeholder of what is not there */
		sl_sio_client_fail(e->socket);
	} else {
		sl_publication_refuse_payload(&refusal, err);
		refuse(e->socket, e->ns, e->id, &refusal);
	}
}

/* The text of a string argument, decoded into `space`; false when it is none. */
static bool
read_text(const struct sl_json_member *member, size_t max, struct sl_buffer *space, struct sl_span *out)
{
	if (member->kind != SL_JSON_STRING || member->value.len > 6 * max + 2)
		return false;
	struct sl_span raw = sl_json_unquote(member->value);
	bool is_text = sl_json_string_decode(space, raw.bytes, raw.len) == 0;
	*out = (struct sl_span){ space->bytes ? space->bytes : "", space->len };
	return is_text;
}

/* Shows the argument, or its JSON if it is no text. */
static void
refuse_text(const struct emitted *e, const char *code, const char *where, const struct sl_json_member *argument,
	const char *right)
{
	struct sl_refusal refusal;
	struct sl_span value = argument->kind == SL_JSON_STRING ? sl_json_unquote(argument->value) : argument->value;
	sl_refusal_set_value(&refusal, code, where, value, right);
	refuse(e->socket, e->ns, e->id, &refusal);
}

/* publish(channel, data[, event]) */
static void
publish(const struct emitted *e)
{
	struct sl_buffer channel_text = SL_BUFFER_INIT, name_text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	struct sl_span channel = { 0 }, name = { 0 };
	struct sl_payload payload = { .type = SL_JSON };
	const struct sl_sio_event *event = &e->event;
	bool has_name = event->count == 3 && event->first[2].kind != SL_JSON_NULL;
	if (event->count < 2 || event->count > 3)
		refuse_emitted(e, "bad_request", "publish takes 2 or 3 arguments; use a channel, data and, if you want, the name of an event");
	else if (!read_text(&event->first[0], SL_CHANNEL_MAX, &channel_text, &channel) ||
			!sl_channel_name_valid(channel.bytes, channel.len))
		refuse_text(e, "bad_channel", "the first argument", &event->first[0], SL_CHANNEL_NAME_FORM);
	else if (has_name && (!read_text(&event->first[2], SL_EVENT_MAX, &name_text, &name) ||
			!sl_event_name_valid(name.bytes, name.len)))
		refuse_text(e, "bad_event", "the third argument", &event->first[2], SL_EVENT_FORM);
	else if (sl_sio_event_make_data(event, 1, name, &space, &payload) == SL_EINVAL)
		refuse_emitted(e, "bad_request", "data that contains bytes needs the name of an event; use a third argument");
	else
		publish_payload(e, channel, &payload);
	sl_buffer_finish(&channel_text);
	sl_buffer_finish(&name_text);
	sl_buffer_finish(&space);
}

static void
relay(const struct emitted *e)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(e->socket);
	struct sl_span name = sl_sio_namespace_get_name(e->ns), channel = { name.bytes + 1, name.len - 1 };
	const char *of_main = s->shard->config->socketio_channel;
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_payload payload = { .type = SL_JSON };
	if (channel.len == 0)
		channel = (struct sl_span){ of_main, of_main ? strlen(of_main) : 0 };
	if (channel.len == 0) {
		refuse_emitted(e, "no_channel", "this namespace has no channel for the event; use a namespace with a channel");
		return;
	}
	sl_sio_event_make_payload(&e->event, &space, &payload);
	if (space.failed) {
		struct sl_refusal refusal;
		sl_refusal_set_err(&refusal, SL_ENOMEM);
		refuse(e->socket, e->ns, e->id, &refusal);
	} else {
		sl_metrics_add(&s->shard->metrics, SL_COUNTER_SIO_RELAYED, 1);
		publish_payload(e, channel, &payload);
	}
	sl_buffer_finish(&space);
}

void
sl_sio_events_handle(struct sl_eio_socket *socket, struct sl_sio_namespace *ns,
	const struct sl_sio_packet *packet, const struct sl_span *attachments, bool is_too_deep)
{
	struct emitted e = { .socket = socket, .ns = ns, .id = packet->id };
	struct sl_refusal refusal;
	int err = sl_sio_event_read(&e.event, packet->json, attachments, packet->attachments);
	if (is_too_deep)
		err = SL_ETOODEEP;
	if (err == SL_EINVAL) {
		refuse_emitted(&e, "bad_event", "the name of the event is not valid; use " SL_EVENT_FORM);
	} else if (err != 0) {
		sl_refusal_set_err(&refusal, err);
		refuse(socket, ns, e.id, &refusal);
	} else if (sl_span_equals(e.event.name, "subscribe")) {
		change_channels(&e, true);
	} else if (sl_span_equals(e.event.name, "unsubscribe")) {
		change_channels(&e, false);
	} else if (sl_span_equals(e.event.name, "publish")) {
		publish(&e);
	} else {
		relay(&e);
	}
}
