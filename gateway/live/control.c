#include "live/control.h"

#include <string.h>

#include "config/config.h"
#include "shard.h"
#include "util/buffer.h"
#include "util/crypto.h"

#define DRAIN_RETRY_MIN_MS 500u
#define DRAIN_RETRY_SPREAD_MS 4500u
#define RETRY_MIN_MS 1000u
#define RETRY_SPREAD_MS 1000u

static const char *const reasons[SL_END_REASONS] = {
	[SL_END_DRAINING] = "draining",
	[SL_END_SLOW_CONSUMER] = "slow_consumer",
	[SL_END_GAP] = "gap",
	[SL_END_PROTOCOL] = "protocol",
	[SL_END_CLIENT] = "client",
};

const char *
sl_control_get_reason(enum sl_end_reason reason)
{
	return reasons[reason];
}

unsigned
sl_control_draw_retry_ms(enum sl_end_reason reason)
{
	uint32_t dice = 0;
	sl_crypto_random(&dice, sizeof dice); /* without it: all come back at the minimum */
	return reason == SL_END_DRAINING ? DRAIN_RETRY_MIN_MS + dice % DRAIN_RETRY_SPREAD_MS :
		RETRY_MIN_MS + dice % RETRY_SPREAD_MS;
}

static void
append_cursor(struct sl_buffer *out, struct sl_cursor cursor)
{
	char text[SL_CURSOR_MAX];
	size_t len = sl_cursor_format(cursor, text);
	sl_buffer_append(out, text, len);
}

static void
append_cursor_value(struct sl_buffer *out, struct sl_cursor cursor)
{
	if (!cursor.epoch) { /* asked with something that is no cursor at all */
		sl_buffer_append_str(out, "null");
		return;
	}
	sl_buffer_append_char(out, '"');
	append_cursor(out, cursor);
	sl_buffer_append_char(out, '"');
}

void
sl_control_append_gap(struct sl_buffer *out, const struct sl_gap *gap)
{
	sl_buffer_append_str(out, "{\"type\":\"gap\",\"channel\":\"");
	sl_buffer_append_str(out, gap->channel);
	sl_buffer_append_str(out, "\",\"after\":");
	append_cursor_value(out, gap->after);
	sl_buffer_append_str(out, ",\"resumed\":");
	append_cursor_value(out, gap->resumed);
	sl_buffer_append_char(out, '}');
}

void
sl_control_append_gap_header(struct sl_buffer *out, const struct sl_gap *gap)
{
	sl_buffer_append_str(out, "after=");
	if (gap->after.epoch)
		append_cursor(out, gap->after);
	sl_buffer_append_str(out, " resumed=");
	append_cursor(out, gap->resumed);
}

void
sl_control_append_bye(struct sl_buffer *out, const char *reason, unsigned retry_ms,
	uint64_t sent)
{
	sl_buffer_printf(out, "{\"type\":\"bye\",\"reason\":\"%s\",\"retry\":%u,\"sent\":%llu}",
		reason, retry_ms, (unsigned long long)sent);
}

void
sl_control_append_sent(struct sl_buffer *out, const struct sl_connection *connection)
{
	sl_buffer_append_str(out, ",\"sent\":");
	sl_buffer_append_u64(out, connection->sent);
}

void
sl_control_append_limits(struct sl_buffer *out, const struct sl_config *config)
{
	sl_buffer_append_str(out, ",\"limits\":{\"message\":");
	sl_buffer_append_u64(out, config->max_message_bytes);
	sl_buffer_append_str(out, ",\"channels\":");
	sl_buffer_append_u64(out, config->max_channels);
	sl_buffer_append_char(out, '}');
}

static bool
send_object(struct sl_connection *connection, struct sl_control *control,
	struct sl_buffer *object)
{
	bool has_form = true;
	control->object = object->bytes;
	control->object_len = object->len;
	control->cursor = sl_connection_get_cursor(connection);
	if (sl_buffer_status(object) == 0)
		has_form = sl_connection_send_control(connection, control);
	else
		sl_connection_close(connection);
	sl_buffer_finish(object);
	return has_form;
}

void
sl_control_send_open(struct sl_connection *connection)
{
	struct sl_control control = { .type = SL_CONTROL_OPEN, .name = "open" };
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_append_str(&object, "{\"type\":\"open\",\"cursor\":");
	append_cursor_value(&object, sl_connection_get_cursor(connection));
	sl_buffer_printf(&object, ",\"transport\":\"%s\",\"heartbeat\":%u",
		connection->transport->name, connection->heartbeat_s);
	sl_control_append_sent(&object, connection);
	sl_control_append_limits(&object, connection->shard->config);
	sl_buffer_append_char(&object, '}');
	send_object(connection, &control, &object);
}

void
sl_control_send_heartbeat(struct sl_connection *connection)
{
	struct sl_control control = { .type = SL_CONTROL_HEARTBEAT, .name = "heartbeat" };
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_append_str(&object, "{\"type\":\"heartbeat\",\"cursor\":");
	append_cursor_value(&object, sl_connection_get_cursor(connection));
	sl_control_append_sent(&object, connection);
	sl_buffer_append_char(&object, '}');
	connection->quiet_since_ms = connection->shard->loop.now_ms;
	sl_metrics_add(&connection->shard->metrics, SL_COUNTER_HEARTBEATS, 1);
	send_object(connection, &control, &object);
}

void
sl_control_send_mark(struct sl_connection *connection)
{
	struct sl_control control = { .type = SL_CONTROL_MARK, .name = "mark" };
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_buffer_append_str(&object, "{\"type\":\"mark\"}");
	send_object(connection, &control, &object);
}

bool
sl_control_send_gap(struct sl_connection *connection, const struct sl_gap *gap)
{
	struct sl_control control = {
		.type = SL_CONTROL_GAP,
		.name = "gap",
		.resumed = gap->resumed,
	};
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_control_append_gap(&object, gap);
	return send_object(connection, &control, &object);
}

void
sl_control_send_bye(struct sl_connection *connection, enum sl_end_reason reason)
{
	struct sl_control control = {
		.type = SL_CONTROL_BYE,
		.name = "bye",
		.reason = reason,
		.retry_ms = sl_control_draw_retry_ms(reason),
	};
	struct sl_buffer object = SL_BUFFER_INIT;
	sl_control_append_bye(&object, reasons[reason], control.retry_ms, connection->sent);
	send_object(connection, &control, &object);
}

void
sl_control_send_answer(struct sl_connection *connection, enum sl_control_type type,
	const char *name, const struct sl_buffer *object)
{
	struct sl_control control = {
		.type = type,
		.name = name,
		.object = object->bytes,
		.object_len = object->len,
		.cursor = sl_connection_get_cursor(connection),
	};
	sl_connection_send_control(connection, &control);
}
