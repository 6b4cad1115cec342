#include "clients/socket_io/sio_event.h"

#include <string.h>

#include "util/base64.h"
#include "util/err.h"

/* ---- reading ---- */

/* A number counts as the text that it is written as. */
static int
read_name(struct sl_sio_event *out, const struct sl_json_member *member)
{
	struct sl_buffer decoded = SL_BUFFER_INIT;
	struct sl_span name = member->value;
	int err = 0;
	if (member->kind == SL_JSON_STRING) {
		name = sl_json_unquote(name);
		if (name.len > 6 * SL_EVENT_MAX)
			return SL_EINVAL;
		err = sl_json_string_decode(&decoded, name.bytes, name.len);
		name = (struct sl_span){ decoded.bytes, decoded.len };
	}
	if (err == 0 && !sl_event_name_valid(name.bytes, name.len))
		err = SL_EINVAL;
	if (err == 0) {
		memcpy(out->name_bytes, name.bytes, name.len);
		out->name = (struct sl_span){ out->name_bytes, name.len };
	}
	sl_buffer_finish(&decoded);
	return err == SL_EUTF8 ? SL_EINVAL : err;
}

int
sl_sio_event_read(struct sl_sio_event *out, struct sl_span json, const struct sl_span *attachments,
	unsigned attachment_count)
{
	struct sl_json_members elements;
	struct sl_json_member element;
	memset(out, 0, offsetof(struct sl_sio_event, name_bytes));
	out->attachment_count = attachment_count;
	for (unsigned i = 0; i < attachment_count; i++)
		out->attachments[i] = attachments[i];
	sl_json_elements_open(&elements, json.bytes, json.len);
	sl_json_members_next(&elements, &element);
	int err = read_name(out, &element);
	out->list = (struct sl_span){ json.bytes, 0 };
	for (; sl_json_members_next(&elements, &element); out->count++) {
		if (out->count == 0)
			out->list.bytes = element.value.bytes;
		if (out->count < SL_SIO_EVENT_FIRST)
			out->first[out->count] = element;
		out->list.len = (size_t)(element.value.bytes + element.value.len - out->list.bytes);
	}
	return err;
}

/* ---- becoming a message ---- */

/* The attachment that a value is, and nothing else; or NULL. */
static const struct sl_span *
find_attachment(const struct sl_sio_event *event, const struct sl_json_member *value)
{
	struct sl_json_members members;
	struct sl_json_member member;
	bool is_placeholder = false;
	uint64_t num = UINT64_MAX;
	if (event->attachment_count == 0 || value->kind != SL_JSON_OBJECT)
		return NULL;
	sl_json_members_open(&members, value->value.bytes, value->value.len);
	while (sl_json_members_next(&members, &member)) {
		if (sl_json_string_equals(member.name.bytes, member.name.len, "_placeholder"))
			is_placeholder = member.kind == SL_JSON_TRUE;
		else if (!sl_json_string_equals(member.name.bytes, member.name.len, "num") ||
				!sl_span_to_number(member.value, event->attachment_count - 1u, &num))
			return NULL;
	}
	return is_placeholder && num < event->attachment_count ? &event->attachments[num] : NULL;
}

static void
set_bytes(struct sl_payload *payload, enum sl_payload_type type, struct sl_span bytes, enum sl_args args)
{
	payload->type = type;
	payload->bytes = bytes.bytes ? bytes.bytes : "";
	payload->len = bytes.len;
	payload->args = args;
}

/* {"list":[..],"attachments":["<base64>",..]} */
static int
write_binary(const struct sl_sio_event *event, struct sl_span list, struct sl_buffer *space)
{
	sl_buffer_append_str(space, "{\"list\":[");
	sl_buffer_append(space, list.bytes, list.len);
	sl_buffer_append_str(space, "],\"attachments\":[");
	for (unsigned i = 0; i < event->attachment_count; i++) {
		sl_buffer_append_str(space, i ? ",\"" : "\"");
		sl_base64_append(space, event->attachments[i].bytes, event->attachments[i].len);
		sl_buffer_append_char(space, '"');
	}
	sl_buffer_append_str(space, "]}");
	return sl_buffer_status(space);
}

static int
write_list(const struct sl_sio_event *event, struct sl_buffer *space)
{
	sl_buffer_append_char(space, '[');
	sl_buffer_append(space, event->list.bytes, event->list.len);
	sl_buffer_append_char(space, ']');
	return sl_buffer_status(space);
}

static struct sl_span
get_span(const struct sl_buffer *space)
{
	return (struct sl_span){ space->bytes, space->len };
}

int
sl_sio_event_make_payload(const struct sl_sio_event *event, struct sl_buffer *space,
	struct sl_payload *payload)
{
	if (event->count == 1)
		return sl_sio_event_make_data(event, 0, event->name, space, payload);
	bool is_binary = event->attachment_count > 0;
	int err = is_binary ? write_binary(event, event->list, space) : write_list(event, space);
	payload->event = event->name;
	set_bytes(payload, SL_JSON, get_span(space), is_binary ? SL_ARGS_BINARY : SL_ARGS_LIST);
	return err;
}

int
sl_sio_event_make_data(const struct sl_sio_event *event, unsigned index, struct sl_span name,
	struct sl_buffer *space, struct sl_payload *payload)
{
	const struct sl_json_member *data = &event->first[index];
	const struct sl_span *attachment = find_attachment(event, data);
	int err = 0;
	payload->event = name;
	if (attachment) {
		set_bytes(payload, SL_BINARY, *attachment, SL_ARGS_ONE);
	} else if (event->attachment_count == 0) {
		set_bytes(payload, SL_JSON, data->value, SL_ARGS_ONE);
	} else if (name.bytes) {
		err = write_binary(event, data->value, space);
		set_bytes(payload, SL_JSON, get_span(space), SL_ARGS_BINARY);
	} else {
		err = SL_EINVAL;
	}
	return err;
}
