#include "bus/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "util/base64.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/utf8.h"

/* The object is its head, which grows to the left as the number has digits, and its tail,
 * which is laid out when the message is made:
 *
 *     {"id":"9f3a1c07-4182 ","channel":"chat","event":"said","time":1790000000000000,"data":...}
 *     `------ head -------'`--------------------------- tail ----------------------------------'
 *                           `-------------- time_at -------------'
 */
#define ID_OPEN "{\"id\":\""
#define CHANNEL_OPEN "\",\"channel\":\""
#define EVENT_OPEN "\",\"event\":\""
#define ARGS_OPEN "\",\"args\":\""
#define TIME_OPEN "\",\"time\":"
#define DATA_OPEN ",\"data\":"
#define BASE64_OPEN ",\"base64\":\""
#define TIME_DIGITS 16 /* microseconds up to November 2286 */
#define TIME_MAX_US 9999999999999999
#define LEN(literal) (sizeof(literal) - 1)
#define HEAD_MAX (LEN(ID_OPEN) + SL_CURSOR_MAX)

/* ---- names ---- */

static bool
is_plain_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_c1 = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;
		if (c < ' ' || c == 0x7f || is_c1)
			return false;
	}
	return sl_utf8_valid(text, len);
}

bool
sl_channel_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > SL_CHANNEL_MAX || (len == 1 && sl_channel_name_is_leased(name)))
		return false;
	return !memchr(name, '*', len) && is_plain_text(name, len);
}

const char *
sl_channel_name_explain(const char *name, size_t len)
{
	if (len == 0)
		return "is empty";
	if (len > SL_CHANNEL_MAX)
		return "is longer than 255 bytes";
	if (memchr(name, '*', len))
		return "has a *";
	if (len == 1 && sl_channel_name_is_leased(name))
		return "has nothing behind the ~";
	return sl_utf8_valid(name, len) ? "has a control character" : "is not UTF-8";
}

bool
sl_event_name_valid(const char *name, size_t len)
{
	return len > 0 && len <= SL_EVENT_MAX && is_plain_text(name, len);
}

/* Bytes that a name takes in the object; it holds no control characters. */
static size_t
escaped_len(struct sl_span name)
{
	size_t len = name.len;
	for (size_t i = 0; i < name.len; i++)
		len += name.bytes[i] == '"' || name.bytes[i] == '\\';
	return len;
}

static char *
put(char *at, const void *bytes, size_t len)
{
	if (len)
		memcpy(at, bytes, len);
	return at + len;
}

static char *
put_escaped(char *at, struct sl_span name)
{
	if (sl_json_plain_len(name.bytes, name.len) == name.len)
		return put(at, name.bytes, name.len);
	for (size_t i = 0; i < name.len; i++) {
		if (name.bytes[i] == '"' || name.bytes[i] == '\\')
			*at++ = '\\';
		*at++ = name.bytes[i];
	}
	return at;
}

/* ---- the payload ---- */

static int
check_event(const struct sl_payload *payload)
{
	if (!payload->event.bytes)
		return payload->args == SL_ARGS_ONE ? 0 : SL_EINVAL;
	if (!sl_event_name_valid(payload->event.bytes, payload->event.len))
		return SL_EINVAL;
	return payload->args == SL_ARGS_ONE || payload->type == SL_JSON ? 0 : SL_EINVAL;
}

static int
check_payload(const struct sl_payload *payload)
{
	if (payload->type == SL_BINARY)
		return 0;
	if (!sl_utf8_valid(payload->bytes, payload->len))
		return SL_EUTF8;
	if (payload->type == SL_TEXT)
		return 0;
	int err = sl_json_check(payload->bytes, payload->len, payload->depth_max);
	if (err == 0 && payload->args != SL_ARGS_ONE)
		err = sl_args_check(payload->args, (struct sl_span){ payload->bytes, payload->len });
	return err;
}

/* How the payload stands in the object. */
struct body {
	size_t len;               /* bytes between the member's colon and the last brace */
	size_t payload_at;        /* where in them the payload's own bytes begin */
	bool is_shared;           /* they hold the payload as it is */
	struct sl_buffer escaped; /* owns; only for a text that needs escapes */
};

static int
plan_body(struct body *body, enum sl_payload_type type, const char *payload, size_t len)
{
	*body = (struct body){ .len = len };
	if (type == SL_BINARY) {
		body->len = sl_base64_encoded_len(len) + 1; /* its first quote is in BASE64_OPEN */
	} else if (type == SL_JSON) {
		body->is_shared = !memchr(payload, '\n', len) && !memchr(payload, '\r', len);
	} else if (sl_json_plain_len(payload, len) == len) {
		body->len += 2;
		body->payload_at = 1;
		body->is_shared = true;
	} else {
		sl_buffer_append_json_string(&body->escaped, payload, len);
		body->len = body->escaped.len;
		return sl_buffer_status(&body->escaped);
	}
	return 0;
}

static void
put_body(char *at, const struct body *body, enum sl_payload_type type, const char *payload,
	size_t len)
{
	if (type == SL_BINARY) {
		sl_base64_encode(at, payload, len);
		at[body->len - 1] = '"';
	} else if (body->escaped.len) {
		put(at, body->escaped.bytes, body->len);
	} else if (type == SL_TEXT) {
		*at++ = '"';
		at = put(at, payload, len);
		*at = '"';
	} else {
		put(at, payload, len);
		/* valid JSON has line breaks between its tokens only */
		for (size_t i = 0; !body->is_shared && i < len; i++)
			if (at[i] == '\n' || at[i] == '\r')
				at[i] = ' ';
	}
}

/* From the tail's start to its time. */
static char *
put_names(char *at, const struct sl_message *message, struct sl_span channel, struct sl_span event)
{
	at = put(at, CHANNEL_OPEN, LEN(CHANNEL_OPEN));
	at = put_escaped(at, channel);
	if (!event.bytes)
		return put(at, TIME_OPEN, LEN(TIME_OPEN));
	at = put(at, EVENT_OPEN, LEN(EVENT_OPEN));
	at = put_escaped(at, event);
	const char *args = sl_args_get_name(message->args);
	if (args) {
		at = put(at, ARGS_OPEN, LEN(ARGS_OPEN));
		at = put(at, args, strlen(args));
	}
	return put(at, TIME_OPEN, LEN(TIME_OPEN));
}

static char *
put_name(char *at, struct sl_span name)
{
	at = put(at, name.bytes, name.len);
	*at++ = '\0';
	return at;
}

/* Lays out the names, the object's tail and the payload behind the struct. */
static void
lay_out(struct sl_message *message, struct sl_span channel, const struct sl_payload *payload,
	const struct body *body)
{
	bool is_binary = message->type == SL_BINARY;
	char *at = (char *)(message + 1);
	message->channel = at;
	at = put_name(at, channel);
	if (payload->event.bytes) {
		message->event = at;
		at = put_name(at, payload->event);
	}
	at += HEAD_MAX;
	char *tail = at;
	message->object = tail;
	at = put_names(at, message, channel, payload->event);
	message->time_at = (uint16_t)(at - tail);
	memset(at, '0', TIME_DIGITS);
	at += TIME_DIGITS;
	at = is_binary ? put(at, BASE64_OPEN, LEN(BASE64_OPEN)) : put(at, DATA_OPEN, LEN(DATA_OPEN));
	put_body(at, body, message->type, payload->bytes, message->payload_len);
	message->payload = at + body->payload_at;
	at += body->len;
	*at++ = '}';
	message->object_len = (uint32_t)(at - tail);
	if (!body->is_shared) {
		message->payload = at;
		put(at, payload->bytes, message->payload_len);
	}
}

/* Bytes of a message, the struct's among them. */
static size_t
measure(struct sl_span channel, const struct sl_payload *payload, const struct body *body)
{
	size_t size = sizeof(struct sl_message) + HEAD_MAX + channel.len + 1 + LEN(CHANNEL_OPEN) +
		escaped_len(channel) + LEN(TIME_OPEN) + TIME_DIGITS + LEN(BASE64_OPEN) + body->len + 1 +
		(body->is_shared ? 0 : payload->len);
	if (payload->event.bytes)
		size += payload->event.len + 1 + LEN(EVENT_OPEN) + escaped_len(payload->event) +
			LEN(ARGS_OPEN) + LEN("binary");
	return size;
}

int
sl_message_create_from(struct sl_message **out, struct sl_span channel,
	const struct sl_payload *payload)
{
	assert(sl_channel_name_valid(channel.bytes, channel.len));
	struct body body;
	int err = check_event(payload);
	if (err == 0)
		err = check_payload(payload);
	if (err)
		return err;
	err = plan_body(&body, payload->type, payload->bytes, payload->len);
	if (err)
		goto out;
	size_t size = measure(channel, payload, &body);
	struct sl_message *message = size <= UINT32_MAX ? malloc(size) : NULL;
	if (!message) {
		err = SL_ENOMEM;
		goto out;
	}
	*message = (struct sl_message){
		.refs = 1, .type = payload->type, .args = payload->args,
		.event_len = (uint8_t)payload->event.len, .uncompressed = payload->uncompressed,
		.payload_len = (uint32_t)payload->len, .channel_len = (uint16_t)channel.len,
	};
	lay_out(message, channel, payload, &body);
	*out = message;
out:
	sl_buffer_finish(&body.escaped);
	return err;
}

/* Right-aligned behind spaces, which JSON allows before a number, unlike zeros. A machine that
 * has no clock yet says it is 1970. */
static void
put_time(char *at, int64_t time_us)
{
	char room[20];
	int64_t cut_us = time_us < 0 ? 0 : time_us > TIME_MAX_US ? TIME_MAX_US : time_us;
	struct sl_span digits = sl_span_of_number((uint64_t)cut_us, room);
	memset(at, ' ', TIME_DIGITS - digits.len);
	put(at + TIME_DIGITS - digits.len, digits.bytes, digits.len);
}

int
sl_message_create(struct sl_message **out, const char *channel, size_t channel_len,
	enum sl_payload_type type, const char *payload, size_t payload_len)
{
	return sl_message_create_from(out, (struct sl_span){ channel, channel_len },
		&(struct sl_payload){ type, payload, payload_len, SL_JSON_DEPTH_MAX });
}

void
sl_message_stamp(struct sl_message *message, struct sl_cursor id, int64_t time_us)
{
	assert(message->seq == 0 && id.seq > 0);
	message->seq = id.seq;
	message->epoch = id.epoch;

	/* the tail's start; writable, it is the message's own storage */
	char *tail = (char *)message + (message->object - (const char *)message);
	put_time(tail + message->time_at, time_us);

	char cursor[SL_CURSOR_MAX];
	size_t cursor_len = sl_cursor_format(id, cursor);
	char *head = tail - cursor_len - LEN(ID_OPEN);
	put(put(head, ID_OPEN, LEN(ID_OPEN)), cursor, cursor_len);
	message->object = head;
	message->object_len += (uint32_t)(tail - head);
}

struct sl_message *
sl_message_ref(struct sl_message *message)
{
	atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
	return message;
}

void
sl_message_unref(struct sl_message *message)
{
	if (message && atomic_fetch_sub_explicit(&message->refs, 1, memory_order_acq_rel) == 1)
		free(message);
}

size_t
sl_message_bytes(const struct sl_message *message)
{
	const char *end = message->object + message->object_len;
	if (message->payload == end)
		end += message->payload_len;
	return (size_t)(end - (const char *)message);
}
