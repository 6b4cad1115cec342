#include "bus/nats_arrival.h"

#include <stdbool.h>

#include "bus/nats_names.h"
#include "util/err.h"

/* 0: nobody. */
static uint64_t
read_owner(struct sl_span text)
{
	uint64_t owner = 0;
	if (!text.bytes || text.len != 16)
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.bytes[i];
		if (c >= '0' && c <= '9')
			owner = owner << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			owner = owner << 4 | (uint64_t)(c - 'a' + 10);
		else
			return 0;
	}
	return owner;
}

/* A type that is not told is tried. JSON that is too deep is JSON all the same: another node took it as
 * that. */
static int
create_of_any_type(struct sl_message **out, struct sl_span channel, struct sl_payload *payload)
{
	static const enum sl_payload_type types[] = { SL_JSON, SL_TEXT, SL_BINARY };
	int err = SL_ESYNTAX;
	for (size_t i = 0; i < 3 && (err == SL_ESYNTAX || err == SL_EUTF8); i++) {
		payload->type = types[i];
		err = sl_message_create_from(out, channel, payload);
	}
	return err;
}

static int
create(struct sl_message **out, struct sl_span channel, struct sl_payload *payload,
	struct sl_span type)
{
	if (!type.bytes)
		return create_of_any_type(out, channel, payload);
	if (sl_span_equals(type, "json"))
		payload->type = SL_JSON;
	else if (sl_span_equals(type, "text"))
		payload->type = SL_TEXT;
	else if (sl_span_equals(type, "binary"))
		payload->type = SL_BINARY;
	else
		return SL_EINVAL;
	return sl_message_create_from(out, channel, payload);
}

static int
read_event(struct sl_payload *payload, char name[SL_EVENT_MAX + 1], const struct sl_nats_arrival *arrival)
{
	if (arrival->event.bytes) {
		int err = sl_nats_event_read(name, &payload->event.len, arrival->event);
		if (err)
			return err;
		payload->event.bytes = name;
	}
	return !arrival->args.bytes || sl_args_parse(arrival->args, &payload->args) ? 0 : SL_EINVAL;
}

int
sl_nats_arrival_read(struct sl_message **out, const struct sl_nats_arrival *arrival,
	const struct sl_nats_arrival_limits *limits)
{
	char name[SL_CHANNEL_MAX + 1], event[SL_EVENT_MAX + 1];
	size_t name_len;
	int err = sl_nats_channel_of(name, &name_len, limits->bus_name, arrival->subject);
	if (err || !sl_channel_name_valid(name, name_len))
		return SL_EINVAL;
	if (arrival->payload.len > limits->message_max)
		return SL_ETOOBIG;
	struct sl_payload payload = {
		.bytes = arrival->payload.bytes, .len = arrival->payload.len,
		.depth_max = limits->json_depth_max,
		.uncompressed = sl_span_equals(arrival->compress, "no"),
	};
	err = read_event(&payload, event, arrival);
	if (!err)
		err = create(out, (struct sl_span){ name, name_len }, &payload, arrival->type);
	if (!err)
		(*out)->owner = read_owner(arrival->owner);
	return err;
}
