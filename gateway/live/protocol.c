#include "live/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "config/config.h"
#include "http/params.h"
#include "live/connection.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/publication.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

#define REF_MAX 128    /* bytes of a ref as written */
#define PENDING_MAX 64 /* publishes of a connection waiting for the backend */
#define PING_MAX 65536

/* The members of a client's object that anything is done with, as written. */
struct demand {
	struct sl_json_member type, channel, channels, data, ref, key;
};

struct sl_pending_publish {
	struct sl_publish publish;         /* first: on_done gets it */
	struct sl_connection *connection;  /* NULL once it has closed */
	struct sl_pending_publish *next, **prev;
	size_t ref_len;
	char ref[REF_MAX];
};

/* ---- answers ---- */

static void
append_ref(struct sl_buffer *out, const char *ref, size_t ref_len)
{
	sl_buffer_append_str(out, ",\"ref\":");
	if (ref_len)
		sl_buffer_append(out, ref, ref_len);
	else
		sl_buffer_append_str(out, "null");
}

static void
send_object(struct sl_connection *c, enum sl_control_type type, const char *name,
	struct sl_buffer *object)
{
	if (sl_buffer_status(object) == 0)
		sl_control_send_answer(c, type, name, object);
	else
		sl_connection_close(c);
	sl_buffer_finish(object);
}

static void
send_error(struct sl_connection *c, struct sl_span ref, const char *code, const char *message)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_append_str(&object, "{\"type\":\"error\"");
	append_ref(&object, ref.bytes, ref.len);
	sl_buffer_printf(&object, ",\"code\":\"%s\",\"message\":", code);
	sl_buffer_append_json_string(&object, message, strlen(message));
	sl_buffer_append_char(&object, '}');
	send_object(c, SL_CONTROL_ANSWER, "error", &object);
}

static void
send_ack(struct sl_connection *c, struct sl_span ref, struct sl_cursor id)
{
	char text[SL_CURSOR_MAX];
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_cursor_format(id, text);
	sl_buffer_append_str(&object, "{\"type\":\"ack\"");
	append_ref(&object, ref.bytes, ref.len);
	sl_buffer_printf(&object, ",\"id\":\"%s\"}", text);
	send_object(c, SL_CONTROL_ANSWER, "ack", &object);
}

/* ---- publish ---- */

static void
unlink_pending(struct sl_pending_publish *pending)
{
	*pending->prev = pending->next;
	if (pending->next)
		pending->next->prev = pending->prev;
}

static void
answer_publish(struct sl_connection *c, struct sl_span ref, int err, struct sl_cursor id)
{
	if (err != 0) {
		sl_metrics_add(&c->shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
		send_error(c, ref, sl_err_code(err), sl_strerror(err));
		return;
	}
	if (id.seq > c->published)
		c->published = id.seq;
	if (!c->raw)
		send_ack(c, ref, id);
}

static void
on_published(struct sl_publish *publish)
{
	struct sl_pending_publish *pending = (struct sl_pending_publish *)publish;
	struct sl_connection *c = pending->connection;
	if (c) {
		unlink_pending(pending);
		if (c->state < SL_ENDING)
			answer_publish(c, (struct sl_span){ pending->ref, pending->ref_len },
				publish->err, publish->id);
		if (c->conclusion)
			sl_connection_add_work(c);
	}
	free(pending);
}

void
sl_protocol_forget(struct sl_connection *c)
{
	for (struct sl_pending_publish *p = c->pending; p; p = p->next)
		p->connection = NULL;
	c->pending = NULL;
}

static struct sl_pending_publish *
create_pending(struct sl_connection *c, struct sl_span ref)
{
	unsigned count = 0;
	for (struct sl_pending_publish *p = c->pending; p; p = p->next)
		count++;
	struct sl_pending_publish *pending = count < PENDING_MAX ? calloc(1, sizeof *pending) : NULL;
	if (!pending)
		return NULL;
	pending->publish.on_done = on_published;
	pending->connection = c;
	pending->ref_len = ref.len;
	if (ref.len)
		memcpy(pending->ref, ref.bytes, ref.len);
	pending->next = c->pending;
	pending->prev = &c->pending;
	if (pending->next)
		pending->next->prev = &pending->next;
	c->pending = pending;
	return pending;
}

/* Takes the message. */
static void
publish(struct sl_connection *c, const struct sl_publication *publication, struct sl_span ref)
{
	struct sl_pending_publish *pending = create_pending(c, ref);
	if (!pending) {
		sl_message_unref(publication->message);
		answer_publish(c, ref, SL_EFULL, (struct sl_cursor){ 0 });
		return;
	}
	struct sl_cursor id = { 0 };
	int result = sl_publication_publish(c->shard, c->transport->class, publication,
		&pending->publish, &id);
	if (result == SL_PENDING)
		return;
	unlink_pending(pending);
	free(pending);
	answer_publish(c, ref, result, id);
}

static void
publish_raw(struct sl_connection *c, enum sl_payload_type type, const char *bytes, size_t len)
{
	const char *channel = sl_fanout_get_name(c->subscriptions[0].channel);
	struct sl_publication publication = { 0 };
	struct sl_span none = { 0 };
	int err = sl_message_create(&publication.message, channel, strlen(channel), type, bytes, len);
	if (err != 0)
		answer_publish(c, none, err, (struct sl_cursor){ 0 });
	else
		publish(c, &publication, none);
}

void
sl_protocol_publish_text(struct sl_connection *c, const char *text, size_t len)
{
	publish_raw(c, SL_TEXT, text, len);
}

void
sl_protocol_publish_binary(struct sl_connection *c, const char *bytes, size_t len)
{
	publish_raw(c, SL_BINARY, bytes, len);
}

/* A member that must be a string: decoded into `out`, false when it is not one or too
 * long for any use made of it here. */
static bool
decode_string(const struct sl_json_member *member, struct sl_buffer *out)
{
	if (!member->value.bytes || member->kind != SL_JSON_STRING)
		return false;
	struct sl_span raw = sl_json_unquote(member->value);
	return raw.len <= 6 * SL_CHANNEL_MAX && sl_json_string_decode(out, raw.bytes, raw.len) == 0;
}

static void
handle_publish(struct sl_connection *c, const struct demand *demand)
{
	struct sl_publication_members members = { demand->channel, demand->data, demand->key };
	struct sl_publication publication;
	struct sl_publication_refusal refusal;
	int err = sl_publication_make(&publication, &members, (struct sl_span){ 0 },
		c->shard->config, &refusal);
	if (err == 0) {
		publish(c, &publication, demand->ref.value);
		return;
	}
	sl_metrics_add(&c->shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
	send_error(c, demand->ref.value, refusal.code, refusal.message);
}

/* ---- channels ---- */

/* The names of `channels` one after the other, each ended by NUL; returns how many, or -1
 * after an error was sent. */
static int
read_channels(struct sl_connection *c, const struct demand *demand, struct sl_buffer *names)
{
	struct sl_json_members elements;
	struct sl_json_member element;
	int count = 0;
	if (demand->channels.kind != SL_JSON_ARRAY || !demand->channels.value.bytes ||
			sl_json_elements_open(&elements, demand->channels.value.bytes,
				demand->channels.value.len) != 0) {
		send_error(c, demand->ref.value, "no_channels", "channels must be an array of names");
		return -1;
	}
	while (sl_json_members_next(&elements, &element)) {
		size_t before = names->len;
		if (!decode_string(&element, names) || names->len == before ||
				!sl_channel_name_valid(names->bytes + before, names->len - before)) {
			send_error(c, demand->ref.value, "bad_channel",
				"channels holds something that is not a legal channel name");
			return -1;
		}
		sl_buffer_append_char(names, '\0');
		if (++count > SL_PARAMS_CHANNELS_MAX) {
			send_error(c, demand->ref.value, "too_many_channels",
				"more channels than a connection may have");
			return -1;
		}
	}
	if (count == 0) {
		send_error(c, demand->ref.value, "no_channels", "channels is empty");
		return -1;
	}
	return count;
}

static void
send_channels(struct sl_connection *c, const char *type, struct sl_span ref)
{
	char text[SL_CURSOR_MAX];
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_printf(&object, "{\"type\":\"%s\"", type);
	append_ref(&object, ref.bytes, ref.len);
	sl_buffer_append_str(&object, ",\"channels\":[");
	for (size_t i = 0; i < c->subscription_count; i++)
		sl_buffer_printf(&object, "%s\"%s\"", i ? "," : "",
			sl_fanout_get_name(c->subscriptions[i].channel));
	sl_cursor_format(sl_connection_get_cursor(c), text);
	sl_buffer_printf(&object, "],\"cursor\":\"%s\"}", text);
	send_object(c, SL_CONTROL_STATE, type, &object);
}

/* How many of `names` the connection does not have yet. */
static unsigned
count_new(const struct sl_connection *c, const char *names, int count)
{
	unsigned added = 0;
	for (; count > 0; count--) {
		size_t len = strlen(names);
		added += sl_fanout_find(c, names, len) < 0;
		names += len + 1;
	}
	return added;
}

static void
handle_subscribe(struct sl_connection *c, const struct demand *demand)
{
	struct sl_buffer names = SL_BUFFER_INIT;
	int count = read_channels(c, demand, &names);
	if (count < 0)
		goto out;
	uint64_t max = c->shard->config->max_channels;
	if (c->subscription_count + count_new(c, names.bytes, count) > max) {
		send_error(c, demand->ref.value, "too_many_channels",
			"more channels than a connection may have");
		goto out;
	}
	/* It takes effect at the position: what the new channels got since is caught up with,
	 * so that the order over all channels stays. */
	c->position = sl_connection_get_cursor(c).seq;
	if (c->state == SL_LIVE)
		c->state = SL_BEHIND;
	sl_connection_add_work(c);
	const char *name = names.bytes;
	for (int i = 0; i < count; i++) {
		size_t len = strlen(name), index;
		int err = sl_fanout_subscribe(c, name, len, &index);
		if (err != 0) {
			send_error(c, demand->ref.value, sl_err_code(err), sl_strerror(err));
			goto out;
		}
		name += len + 1;
	}
	send_channels(c, "subscribed", demand->ref.value);
out:
	sl_buffer_finish(&names);
}

static void
handle_unsubscribe(struct sl_connection *c, const struct demand *demand)
{
	struct sl_buffer names = SL_BUFFER_INIT;
	int count = read_channels(c, demand, &names);
	if (count >= 0) {
		const char *name = names.bytes;
		for (int i = 0; i < count; i++) {
			size_t len = strlen(name);
			int index = sl_fanout_find(c, name, len);
			if (index >= 0)
				sl_fanout_unsubscribe(c, (size_t)index);
			name += len + 1;
		}
		send_channels(c, "unsubscribed", demand->ref.value);
	}
	sl_buffer_finish(&names);
}

static void
handle_ping(struct sl_connection *c, const struct demand *demand)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	if (demand->data.value.len > PING_MAX) {
		send_error(c, demand->ref.value, "too_large", "data of a ping is too large");
		return;
	}
	sl_buffer_append_str(&object, "{\"type\":\"pong\",\"data\":");
	if (demand->data.value.bytes)
		sl_buffer_append(&object, demand->data.value.bytes, demand->data.value.len);
	else
		sl_buffer_append_str(&object, "null");
	sl_control_append_sent(&object, c);
	sl_buffer_append_char(&object, '}');
	send_object(c, SL_CONTROL_STATE, "pong", &object);
}

/* ---- the client's object ---- */

/* Libraries write null for an optional member that is not there. */
static void
forget_null(struct sl_json_member *member)
{
	if (member->kind == SL_JSON_NULL)
		*member = (struct sl_json_member){ 0 };
}

/* Errors: SL_ESYNTAX, it is no object; SL_ETOODEEP, with `*demand` filled nevertheless. */
static int
read_demand(const struct sl_config *config, const char *text, size_t len, struct demand *demand)
{
	struct { const char *name; struct sl_json_member *member; } wanted[] = {
		{ "type", &demand->type }, { "channel", &demand->channel },
		{ "channels", &demand->channels }, { "data", &demand->data },
		{ "ref", &demand->ref }, { "key", &demand->key },
	};
	struct sl_json_check check;
	sl_json_check_init(&check, (unsigned)config->max_json_depth + 1);
	int err = sl_json_check_feed(&check, text, len);
	if (err == 0)
		err = sl_json_check_finish(&check);
	struct sl_json_members members;
	struct sl_json_member member;
	if (err == SL_ESYNTAX || sl_json_members_open(&members, text, len) != 0)
		return SL_ESYNTAX;
	while (sl_json_members_next(&members, &member))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (sl_json_string_equals(member.name.bytes, member.name.len, wanted[i].name))
				*wanted[i].member = member;
	forget_null(&demand->ref);
	forget_null(&demand->key);
	return err;
}

static bool
has_type(const struct demand *demand, const char *type)
{
	struct sl_span raw = sl_json_unquote(demand->type.value);
	return sl_json_string_equals(raw.bytes, raw.len, type);
}

void
sl_protocol_handle(struct sl_connection *c, const char *text, size_t len)
{
	struct demand demand = { 0 };
	struct sl_span no_ref = { 0 };
	int err = read_demand(c->shard->config, text, len, &demand);
	if (err == SL_ESYNTAX) {
		send_error(c, no_ref, "bad_json", "a JSON object is expected (RFC 8259)");
		return;
	}
	struct sl_json_member *ref = &demand.ref;
	if (ref->value.bytes && ((ref->kind != SL_JSON_STRING && ref->kind != SL_JSON_NUMBER) ||
			ref->value.len > REF_MAX)) {
		send_error(c, no_ref, "bad_ref", "ref must be a string or number of at most 128 bytes");
		return;
	}
	if (err != 0)
		send_error(c, ref->value, sl_err_code(err), sl_strerror(err));
	else if (!demand.type.value.bytes || demand.type.kind != SL_JSON_STRING)
		send_error(c, ref->value, "bad_type", "type is missing or not a string");
	else if (has_type(&demand, "publish"))
		handle_publish(c, &demand);
	else if (has_type(&demand, "subscribe"))
		handle_subscribe(c, &demand);
	else if (has_type(&demand, "unsubscribe"))
		handle_unsubscribe(c, &demand);
	else if (has_type(&demand, "ping"))
		handle_ping(c, &demand);
	else
		send_error(c, ref->value, "bad_type",
			"type must be publish, subscribe, unsubscribe or ping");
}
