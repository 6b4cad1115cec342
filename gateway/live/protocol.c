#include "live/protocol.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "live/control.h"
#include "live/fanout.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/json_members.h"
#include "util/digits.h"
#include "util/quote.h"
#include "util/limits.h"

#define PING_MAX 65536
#define TYPES "publish, subscribe, unsubscribe or ping"

/* The members of a client's object that anything is done with, as written. */
struct demand {
	struct sl_json_member type, channel, channels, data, ref, key, compress, event, args;
};

/* ---- answers ---- */

static void
append_ref(struct sl_buffer *out, struct sl_span ref)
{
	sl_buffer_append_str(out, ",\"ref\":");
	if (ref.len)
		sl_buffer_append(out, ref.bytes, ref.len);
	else
		sl_buffer_append_str(out, "null");
}

static void
send_object(struct sl_subscriber *s, enum sl_control_type type, const char *name,
	struct sl_buffer *object)
{
	sl_control_send_answer(s, type, name, object);
	sl_buffer_finish(object);
}

/* Where the format has no error: the close says what it can. */
static void
end_untold(struct sl_subscriber *s, const struct sl_refusal *refusal)
{
	if (refusal->retry_ms)
		sl_subscriber_end_limited(s, refusal->retry_ms);
	else
		sl_subscriber_end_in_order(s, refusal->is_final ? SL_END_FORBIDDEN : SL_END_REFUSED, 0);
}

/* What is refused is not free: whoever goes on being refused has its stream ended. */
static void
send_refusal(struct sl_subscriber *s, struct sl_span ref, const struct sl_refusal *refusal)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	if (!(s->encoder->capabilities & SL_CAN_TELL_ERROR)) {
		end_untold(s, refusal);
		return;
	}
	sl_buffer_append_str(&object, "{\"type\":\"error\"");
	append_ref(&object, ref);
	sl_buffer_printf(&object, ",\"code\":\"%s\",\"message\":", refusal->code);
	sl_buffer_append_json_string(&object, refusal->message, strlen(refusal->message));
	if (refusal->retry_ms)
		sl_buffer_printf(&object, ",\"retry\":%u", refusal->retry_ms);
	sl_buffer_append_char(&object, '}');
	send_object(s, SL_CONTROL_ANSWER, "error", &object);
	sl_verbs_ask(s, 1);
}

static void
send_error(struct sl_subscriber *s, struct sl_span ref, const char *code, const char *message)
{
	struct sl_refusal refusal;
	sl_refusal_set(&refusal, code, message);
	send_refusal(s, ref, &refusal);
}

static void
send_ack(struct sl_subscriber *s, struct sl_span ref, struct sl_cursor id)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_append_str(&object, "{\"type\":\"ack\"");
	append_ref(&object, ref);
	sl_buffer_append_str(&object, ",\"id\":\"");
	sl_control_append_cursor(&object, id);
	sl_buffer_append_str(&object, "\"}");
	send_object(s, SL_CONTROL_ANSWER, "ack", &object);
}

/* ---- publish ---- */

static void
answer_publish(struct sl_subscriber *s, struct sl_span ref, const struct sl_refusal *refusal,
	struct sl_cursor id)
{
	if (refusal)
		send_refusal(s, ref, refusal);
	else if (s->encoder->capabilities & SL_CAN_TELL_ERROR)
		send_ack(s, ref, id);
}

static void
refuse_publish(struct sl_subscriber *s, struct sl_span ref, const struct sl_refusal *refusal)
{
	sl_metrics_add(&s->shard->metrics, SL_COUNTER_PUBLISH_ERRORS, 1);
	send_refusal(s, ref, refusal);
}

void
sl_protocol_publish_raw(struct sl_subscriber *s, enum sl_payload_type type, const char *bytes,
	size_t len)
{
	const char *channel = sl_fanout_get_name(s->subscriptions[0].channel);
	struct sl_publication publication = { 0 };
	struct sl_span no_ref = { 0 };
	int err = sl_message_create(&publication.message, channel, strlen(channel), type, bytes, len);
	if (err == 0) {
		sl_verbs_publish(s, &publication, no_ref, answer_publish);
		return;
	}
	struct sl_refusal refusal;
	sl_refusal_set_err(&refusal, err);
	refuse_publish(s, no_ref, &refusal);
}

static void
handle_publish(struct sl_subscriber *s, const struct demand *demand)
{
	struct sl_publication_members members = { demand->channel, demand->data, demand->key,
		demand->compress, demand->event, demand->args };
	struct sl_publication publication;
	struct sl_refusal refusal;
	int err = sl_publication_make(&publication, &members, &(struct sl_publication_defaults){ 0 },
		s->shard->config, &refusal);
	if (err != 0)
		refuse_publish(s, demand->ref.value, &refusal);
	else
		sl_verbs_publish(s, &publication, demand->ref.value, answer_publish);
}

/* ---- channels ---- */

/* The names of a demand; their bytes stand in `text` one behind the other. */
struct names {
	struct sl_buffer text;
	struct sl_span spans[SL_CHANNELS_MAX];
	unsigned count;
};

static const struct sl_refusal
	no_array = { "no_channels", "channels: the value is not an array; use an array of names" },
	no_names = { "no_channels", "channels: the array is empty; use at least one name" };

/* Appends a name to the text; false when it is none, or too long for one. */
static bool
read_name(const struct sl_json_member *element, struct sl_buffer *text)
{
	size_t before = text->len;
	if (element->kind != SL_JSON_STRING)
		return false;
	struct sl_span raw = sl_json_unquote(element->value);
	return raw.len <= 6 * SL_CHANNEL_MAX &&
		sl_json_string_decode(text, raw.bytes, raw.len) == 0 && text->len > before &&
		sl_channel_name_valid(text->bytes + before, text->len - before);
}

/* Of what read_name() has refused, which may have left some of it behind `before`. */
static const struct sl_refusal *
refuse_name(const struct names *names, size_t before, const struct sl_json_member *element,
	struct sl_refusal *out)
{
	char where[32];
	struct sl_span name = sl_json_unquote(element->value);
	if (names->text.len > before)
		name = (struct sl_span){ names->text.bytes + before, names->text.len - before };
	snprintf(where, sizeof where, "channels[%u]", names->count);
	if (element->kind == SL_JSON_STRING && !sl_channel_name_valid(name.bytes, name.len)) {
		sl_refusal_set_channel(out, where, name);
		return out;
	}
	sl_refusal_format(out, "bad_channel", "%s: this is not a text; use " SL_CHANNEL_NAME_FORM, where);
	return out;
}

/* NULL, or why not: `out`, or a constant. */
static const struct sl_refusal *
read_names(const struct demand *demand, struct names *names, struct sl_refusal *out)
{
	const struct sl_json_member *list = &demand->channels;
	struct sl_json_members elements;
	struct sl_json_member element;
	if (list->kind != SL_JSON_ARRAY || !list->value.bytes ||
			sl_json_elements_open(&elements, list->value.bytes, list->value.len) != 0)
		return &no_array;
	while (sl_json_members_next(&elements, &element)) {
		size_t before = names->text.len;
		if (!read_name(&element, &names->text))
			return refuse_name(names, before, &element, out);
		if (names->count == SL_CHANNELS_MAX)
			return &sl_verbs_too_many_channels;
		names->spans[names->count++].len = names->text.len - before;
	}
	const char *at = names->text.bytes; /* where they stay from now on */
	for (unsigned i = 0; i < names->count; i++) {
		names->spans[i].bytes = at;
		at += names->spans[i].len;
	}
	return names->count ? NULL : &no_names;
}

static void
send_channels(struct sl_subscriber *s, const char *type, struct sl_span ref)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_printf(&object, "{\"type\":\"%s\"", type);
	append_ref(&object, ref);
	sl_buffer_append_str(&object, ",\"channels\":[");
	for (size_t i = 0; i < s->subscription_count; i++) {
		const char *name = sl_fanout_get_name(s->subscriptions[i].channel);
		sl_buffer_append_str(&object, i ? "," : "");
		sl_buffer_append_json_string(&object, name, strlen(name));
	}
	sl_buffer_append_str(&object, "],\"cursor\":\"");
	sl_control_append_cursor(&object, sl_subscriber_get_cursor(s));
	sl_buffer_append_str(&object, "\"}");
	send_object(s, SL_CONTROL_STATE, type, &object);
}

static void
handle_channels(struct sl_subscriber *s, const struct demand *demand, bool subscribes)
{
	struct names names = { .count = 0 };
	struct sl_refusal refusal;
	const struct sl_refusal *refused = read_names(demand, &names, &refusal);
	if (!refused && !subscribes)
		sl_verbs_unsubscribe(s, names.spans, names.count);
	else if (!refused && sl_verbs_subscribe(s, names.spans, names.count, &refusal) != 0)
		refused = &refusal;
	if (refused)
		send_refusal(s, demand->ref.value, refused);
	else
		send_channels(s, subscribes ? "subscribed" : "unsubscribed", demand->ref.value);
	sl_buffer_finish(&names.text);
}

static void
handle_ping(struct sl_subscriber *s, const struct demand *demand)
{
	struct sl_buffer object = SL_BUFFER_INIT;
	struct sl_span data = demand->data.value;
	if (data.len > PING_MAX) {
		send_error(s, demand->ref.value, "too_large", "data: the data of a ping is too large; use at most "
			SL_DIGITS(PING_MAX) " bytes");
		return;
	}
	if (!sl_verbs_beat(s))
		return;
	sl_buffer_append_str(&object, "{\"type\":\"pong\",\"data\":");
	if (data.bytes)
		sl_buffer_append(&object, data.bytes, data.len);
	else
		sl_buffer_append_str(&object, "null");
	sl_control_append_sent(&object, s);
	sl_buffer_append_char(&object, '}');
	send_object(s, SL_CONTROL_STATE, "pong", &object);
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
	const struct sl_wanted_member wanted[] = {
		{ "type", &demand->type }, { "channel", &demand->channel },
		{ "channels", &demand->channels }, { "data", &demand->data },
		{ "ref", &demand->ref }, { "key", &demand->key }, { "compress", &demand->compress },
		{ "event", &demand->event }, { "args", &demand->args },
	};
	int err = sl_publication_read_object((struct sl_span){ text, len },
		(unsigned)config->max_json_depth, wanted, sizeof wanted / sizeof *wanted);
	forget_null(&demand->ref);
	forget_null(&demand->key);
	forget_null(&demand->compress);
	forget_null(&demand->event);
	forget_null(&demand->args);
	return err;
}

static bool
has_type(const struct demand *demand, const char *type)
{
	struct sl_span raw = sl_json_unquote(demand->type.value);
	return sl_json_string_equals(raw.bytes, raw.len, type);
}

static void
refuse_type(struct sl_subscriber *s, struct sl_span ref, struct sl_span type)
{
	struct sl_refusal refusal;
	char quoted[SL_QUOTED_SIZE];
	sl_quote(quoted, type);
	sl_refusal_format(&refusal, "bad_type", "type: %s is unknown; use " TYPES, quoted);
	send_refusal(s, ref, &refusal);
}

void
sl_protocol_handle(struct sl_subscriber *s, const char *text, size_t len)
{
	struct demand demand = { 0 };
	struct sl_span no_ref = { 0 };
	int err = read_demand(s->shard->config, text, len, &demand);
	if (err == SL_ESYNTAX) {
		send_error(s, no_ref, "bad_json", "the message is not a JSON object (RFC 8259); use {\"type\":...}");
		return;
	}
	struct sl_json_member *ref = &demand.ref;
	if (ref->value.bytes && ((ref->kind != SL_JSON_STRING && ref->kind != SL_JSON_NUMBER) ||
			ref->value.len > SL_REF_MAX)) {
		send_error(s, no_ref, "bad_ref", "ref: the value is not valid; use a string or number of at most 128 bytes");
		return;
	}
	if (err != 0)
		send_error(s, ref->value, sl_err_code(err), sl_strerror(err));
	else if (!demand.type.value.bytes || demand.type.kind != SL_JSON_STRING)
		send_error(s, ref->value, "bad_type", "type: the member is missing or not a string; use " TYPES);
	else if (has_type(&demand, "publish"))
		handle_publish(s, &demand);
	else if (has_type(&demand, "subscribe"))
		handle_channels(s, &demand, true);
	else if (has_type(&demand, "unsubscribe"))
		handle_channels(s, &demand, false);
	else if (has_type(&demand, "ping"))
		handle_ping(s, &demand);
	else
		refuse_type(s, ref->value, sl_json_unquote(demand.type.value));
}
