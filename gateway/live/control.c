#include "live/control.h"

#include <string.h>

#include "config/config.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/crypto.h"

/* Milliseconds until a client may come back: from the least, spread over the rest. */
static const struct { unsigned min_ms, spread_ms; } retries[SL_END_REASONS] = {
	[SL_END_DRAINING] = { 500, 4500 },
	[SL_END_SLOW_CONSUMER] = { 1000, 1000 },
	[SL_END_GAP] = { 1000, 1000 },
	[SL_END_EXPIRED] = { 1000, 1000 },
	[SL_END_TOKEN_EXPIRED] = { 0, 2000 },
	[SL_END_TOKEN_REVOKED] = { 0, 2000 },
	[SL_END_EPOCH] = { 500, 4500 },
	[SL_END_LIMIT] = { 1000, 1000 },
	[SL_END_REFUSED] = { 1000, 1000 },
	[SL_END_FORBIDDEN] = { 1000, 1000 },
	[SL_END_PROTOCOL] = { 1000, 1000 },
	[SL_END_CLIENT] = { 1000, 1000 },
	[SL_END_SILENT] = { 1000, 1000 },
};

static const char *const reasons[SL_END_REASONS] = {
	[SL_END_DRAINING] = "draining",
	[SL_END_SLOW_CONSUMER] = "slow_consumer",
	[SL_END_GAP] = "gap",
	[SL_END_EXPIRED] = "expired",
	[SL_END_TOKEN_EXPIRED] = "token_expired",
	[SL_END_TOKEN_REVOKED] = "token_revoked",
	[SL_END_EPOCH] = "epoch",
	[SL_END_LIMIT] = "rate_limited",
	[SL_END_REFUSED] = "refused",
	[SL_END_FORBIDDEN] = "forbidden",
	[SL_END_PROTOCOL] = "protocol",
	[SL_END_CLIENT] = "client",
	[SL_END_SILENT] = "silent",
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
	return retries[reason].min_ms + dice % retries[reason].spread_ms;
}

void
sl_control_append_cursor(struct sl_buffer *out, struct sl_cursor cursor)
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
	sl_control_append_cursor(out, cursor);
	sl_buffer_append_char(out, '"');
}

void
sl_control_append_gap(struct sl_buffer *out, const struct sl_gap *gap)
{
	sl_buffer_append_str(out, "{\"type\":\"gap\",\"channel\":");
	sl_buffer_append_json_string(out, gap->channel, strlen(gap->channel));
	sl_buffer_append_str(out, ",\"after\":");
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
		sl_control_append_cursor(out, gap->after);
	sl_buffer_append_str(out, " resumed=");
	sl_control_append_cursor(out, gap->resumed);
}

void
sl_control_append_bye(struct sl_buffer *out, const char *reason, unsigned retry_ms,
	uint64_t sent)
{
	sl_buffer_printf(out, "{\"type\":\"bye\",\"reason\":\"%s\",\"retry\":%u,\"sent\":%llu}",
		reason, retry_ms, (unsigned long long)sent);
}

void
sl_control_append_sent(struct sl_buffer *out, const struct sl_subscriber *subscriber)
{
	sl_buffer_append_str(out, ",\"sent\":");
	sl_buffer_append_u64(out, subscriber->sent);
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

/* The shard's buffer for objects, empty. */
static struct sl_buffer *
begin_object(struct sl_subscriber *subscriber)
{
	struct sl_buffer *object = &subscriber->shard->framer.object;
	sl_buffer_clear(object);
	return object;
}

static void
send_object(struct sl_subscriber *subscriber, const struct sl_buffer *before,
	struct sl_control *control, const struct sl_buffer *object)
{
	control->object = (struct sl_span){ object->bytes, object->len };
	control->cursor = sl_subscriber_get_cursor(subscriber);
	if (sl_buffer_status(object) == 0)
		sl_subscriber_send_control(subscriber, before, control);
	else
		sl_link_close(subscriber->link);
}

void
sl_control_send_open(struct sl_subscriber *subscriber, const struct sl_buffer *head)
{
	struct sl_control control = { .type = SL_CONTROL_OPEN, .name = "open" };
	struct sl_buffer *object = begin_object(subscriber);
	sl_buffer_append_str(object, "{\"type\":\"open\",\"cursor\":");
	append_cursor_value(object, sl_subscriber_get_cursor(subscriber));
	sl_buffer_append_str(object, ",\"transport\":\"");
	sl_buffer_append_str(object, subscriber->encoder->transport);
	sl_buffer_append_str(object, "\",\"heartbeat\":");
	sl_buffer_append_u64(object, subscriber->beat_interval_ms / 1000);
	sl_control_append_sent(object, subscriber);
	sl_control_append_limits(object, subscriber->shard->config);
	sl_buffer_append_char(object, '}');
	send_object(subscriber, head, &control, object);
}

void
sl_control_send_heartbeat(struct sl_subscriber *subscriber)
{
	struct sl_control control = { .type = SL_CONTROL_HEARTBEAT, .name = "heartbeat" };
	struct sl_buffer *object = begin_object(subscriber);
	sl_buffer_append_str(object, "{\"type\":\"heartbeat\",\"cursor\":");
	append_cursor_value(object, sl_subscriber_get_cursor(subscriber));
	sl_control_append_sent(object, subscriber);
	sl_buffer_append_char(object, '}');
	subscriber->last_beat_ms = subscriber->shard->loop.now_ms;
	sl_metrics_add(&subscriber->shard->metrics, SL_COUNTER_HEARTBEATS, 1);
	send_object(subscriber, NULL, &control, object);
}

void
sl_control_send_mark(struct sl_subscriber *subscriber)
{
	struct sl_control control = { .type = SL_CONTROL_MARK, .name = "mark" };
	struct sl_buffer *object = begin_object(subscriber);
	sl_buffer_append_str(object, "{\"type\":\"mark\"}");
	send_object(subscriber, NULL, &control, object);
}

void
sl_control_send_gap(struct sl_subscriber *subscriber, const struct sl_gap *gap)
{
	struct sl_control control = {
		.type = SL_CONTROL_GAP,
		.name = "gap",
		.resumed = gap->resumed,
	};
	struct sl_buffer *object = begin_object(subscriber);
	sl_control_append_gap(object, gap);
	send_object(subscriber, NULL, &control, object);
}

void
sl_control_send_backend(struct sl_subscriber *subscriber, bool is_away)
{
	struct sl_control control = { .type = SL_CONTROL_BACKEND, .name = "backend" };
	struct sl_buffer *object = begin_object(subscriber);
	sl_buffer_printf(object, "{\"type\":\"backend\",\"state\":\"%s\"}", is_away ? "away" : "back");
	send_object(subscriber, NULL, &control, object);
}

void
sl_control_send_bye(struct sl_subscriber *subscriber, enum sl_end_reason reason)
{
	unsigned drawn_ms = sl_control_draw_retry_ms(reason);
	struct sl_control control = {
		.type = SL_CONTROL_BYE,
		.name = "bye",
		.reason = reason,
		.retry_ms = drawn_ms > subscriber->retry_ms ? drawn_ms : subscriber->retry_ms,
	};
	struct sl_buffer *object = begin_object(subscriber);
	sl_control_append_bye(object, reasons[reason], control.retry_ms, subscriber->sent);
	send_object(subscriber, NULL, &control, object);
}

void
sl_control_send_answer(struct sl_subscriber *subscriber, enum sl_control_type type,
	const char *name, const struct sl_buffer *object)
{
	struct sl_control control = { .type = type, .name = name };
	send_object(subscriber, NULL, &control, object);
}
