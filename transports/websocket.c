/* websocket: RFC 6455. json: a text frame an object, both ways. raw: a frame is a payload,
 * both ways; control objects become pings and close codes. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "bus/message.h"
#include "config/config.h"
#include "http/api_probe.h"
#include "http/reply.h"
#include "http/request.h"
#include "live/connection.h"
#include "live/join.h"
#include "live/protocol.h"
#include "shard.h"
#include "transports/registry.h"
#include "transports/ws_frame.h"
#include "transports/ws_handshake.h"
#include "transports/ws_message.h"
#include "util/buffer.h"
#include "util/err.h"

enum { JSON, RAW }; /* encodings */

#define ENVELOPE_BYTES 1024 /* of a publish object around its data */

enum {
	CLOSE_NORMAL = 1000,
	CLOSE_UNSUPPORTED = 1003,
	CLOSE_RESTART = 1012,
	CLOSE_TRY_LATER = 1013,
	CLOSE_GAP = 4001,
};

struct websocket {
	struct sl_connection base;
	struct sl_ws_reader reader;
	char *nonce; /* owns; of a probe that has not seen a frame yet */
	uint16_t close_code; /* why we close, if not for one of the core's reasons */
};

static struct websocket *
from_base(struct sl_connection *connection)
{
	return (struct websocket *)connection;
}

static void
close_with(struct sl_connection *connection, unsigned code)
{
	if (connection->conclusion)
		return;
	from_base(connection)->close_code = (uint16_t)code;
	sl_connection_end_in_order(connection, SL_END_PROTOCOL);
}

/* ---- opening ---- */

static const char *
get_header(void *arg, const char *name)
{
	const struct sl_request *request = arg;
	return request->get_header(request, name);
}

static struct sl_ws_handshake_verdict
judge(const struct sl_request *request)
{
	/* The request is only read; the codec's argument is not const. */
	void *arg;
	memcpy(&arg, &request, sizeof arg);
	struct sl_ws_handshake_request handshake = {
		.http_version = request->http_minor >= 1 ? "HTTP/1.1" : "HTTP/1.0",
		.get = get_header,
		.arg = arg,
	};
	return sl_ws_handshake_check(&handshake);
}

static int
check(struct sl_shard *shard, const struct sl_request *request, struct sl_reply *refusal)
{
	struct sl_ws_handshake_verdict verdict = judge(request);
	if (verdict.outcome == SL_WS_HANDSHAKE_OK)
		return 0;
	sl_reply_set_error(refusal, verdict.status, verdict.code, verdict.message);
	if (verdict.status == 426) {
		if (request->params.probe.len)
			sl_probe_note(shard->app, request->params.probe, SL_PROBE_PLAIN_GET,
				shard->loop.now_ms);
		sl_reply_add_header(refusal, "Connection", "Upgrade");
		sl_reply_add_header(refusal, "Upgrade", "websocket");
		sl_reply_add_header(refusal, "Sec-WebSocket-Version", SL_WS_HANDSHAKE_VERSION);
	}
	return SL_EINVAL;
}

static int
open_websocket(struct sl_connection *connection, const struct sl_request *request)
{
	struct websocket *ws = from_base(connection);
	struct sl_buffer head = SL_BUFFER_INIT;
	struct sl_gap gaps[SL_PARAMS_CHANNELS_MAX];
	size_t gap_count;
	connection->encoding = connection->raw ? RAW : JSON;
	sl_ws_reader_init(&ws->reader);
	if (request->params.probe.len) {
		ws->nonce = strndup(request->params.probe.bytes, request->params.probe.len);
		sl_probe_note(connection->shard->app, request->params.probe,
			SL_PROBE_UPGRADED_NO_FRAME, connection->shard->loop.now_ms);
	}
	int err = sl_join_channels(connection, request, gaps, &gap_count);
	if (err == 0) {
		struct sl_ws_handshake_response response = {
			.key = judge(request).key,
			.sluice = SLUICE_VERSION,
		};
		sl_ws_handshake_append_response(&head, &response);
		err = sl_connection_begin(connection, request, &head, gaps, gap_count);
	}
	sl_buffer_finish(&head);
	return err;
}

static void
finish(struct sl_connection *connection)
{
	sl_ws_reader_finish(&from_base(connection)->reader);
	free(from_base(connection)->nonce);
}

/* ---- writing ---- */

static void
append_frame(struct sl_buffer *out, enum sl_ws_opcode opcode, const char *bytes, size_t len)
{
	uint8_t header[SL_WS_FRAME_HEADER_MAX];
	sl_buffer_append(out, header, sl_ws_frame_encode_header(header, opcode, len));
	sl_buffer_append(out, bytes, len);
}

static size_t
frame_messages(unsigned encoding, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		const struct sl_message *message = messages[i];
		if (encoding == JSON)
			append_frame(out, SL_WS_OPCODE_TEXT, message->object, message->object_len);
		else
			append_frame(out, message->type == SL_BINARY ? SL_WS_OPCODE_BINARY :
				SL_WS_OPCODE_TEXT, message->payload, message->payload_len);
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

static void
frame_control(struct sl_connection *connection, const struct sl_control *control,
	struct sl_buffer *out)
{
	if (!connection->raw)
		append_frame(out, SL_WS_OPCODE_TEXT, control->object, control->object_len);
	else if (control->type == SL_CONTROL_HEARTBEAT || control->type == SL_CONTROL_MARK)
		append_frame(out, SL_WS_OPCODE_PING, "", 0);
	else if (control->type == SL_CONTROL_ANSWER && strcmp(control->name, "error") == 0)
		close_with(connection, CLOSE_TRY_LATER); /* raw has no other way to say it */
}

static void
frame_end(struct sl_connection *connection, enum sl_end_reason reason, struct sl_buffer *out)
{
	static const uint16_t codes[SL_END_REASONS] = {
		[SL_END_DRAINING] = CLOSE_RESTART,
		[SL_END_SLOW_CONSUMER] = CLOSE_TRY_LATER,
		[SL_END_GAP] = CLOSE_GAP,
		[SL_END_PROTOCOL] = CLOSE_UNSUPPORTED,
		[SL_END_CLIENT] = CLOSE_NORMAL,
	};
	struct websocket *ws = from_base(connection);
	uint8_t frame[SL_WS_CLOSE_FRAME_MAX + 2];
	bool is_own = reason == SL_END_PROTOCOL || reason == SL_END_CLIENT;
	unsigned code = is_own && ws->close_code ? ws->close_code : codes[reason];
	sl_buffer_append(out, frame, sl_ws_frame_encode_close(frame, code, NULL));
}

static void
ping(struct sl_connection *connection)
{
	struct sl_buffer frame = SL_BUFFER_INIT;
	append_frame(&frame, SL_WS_OPCODE_PING, "", 0);
	sl_metrics_add(&connection->shard->metrics, SL_COUNTER_PINGS, 1);
	sl_connection_send(connection, frame.bytes, frame.len);
	sl_buffer_finish(&frame);
}

/* ---- reading ---- */

static void
handle_message(struct sl_connection *connection, const struct sl_ws_event *event)
{
	bool text = event->type == SL_WS_MESSAGE_TEXT;
	if (!connection->raw && text)
		sl_protocol_handle(connection, event->bytes, event->len);
	else if (!connection->raw)
		close_with(connection, CLOSE_UNSUPPORTED);
	else if (text)
		sl_protocol_publish_text(connection, event->bytes, event->len);
	else
		sl_protocol_publish_binary(connection, event->bytes, event->len);
}

static void
handle_event(struct sl_connection *connection, const struct sl_ws_event *event)
{
	struct sl_buffer frame = SL_BUFFER_INIT;
	switch (event->type) {
	case SL_WS_MESSAGE_TEXT:
	case SL_WS_MESSAGE_BINARY:
		handle_message(connection, event);
		break;
	case SL_WS_PING:
		append_frame(&frame, SL_WS_OPCODE_PONG, event->bytes, event->len);
		sl_connection_send(connection, frame.bytes, frame.len);
		sl_buffer_finish(&frame);
		break;
	case SL_WS_PONG:
		break;
	case SL_WS_CLOSE:
		/* Echoed, as RFC 6455, section 5.5.1 says; then the server closes first. */
		from_base(connection)->close_code = event->close_code;
		sl_connection_end_in_order(connection, SL_END_CLIENT);
		break;
	}
}

static void
note_frame(struct websocket *ws)
{
	struct sl_shard *shard = ws->base.shard;
	if (!ws->nonce)
		return;
	sl_probe_note(shard->app, (struct sl_span){ ws->nonce, strlen(ws->nonce) },
		SL_PROBE_UPGRADED, shard->loop.now_ms);
	free(ws->nonce);
	ws->nonce = NULL;
}

static void
on_readable(struct sl_connection *connection)
{
	struct websocket *ws = from_base(connection);
	const struct sl_config *config = connection->shard->config;
	struct sl_ws_limits limits = {
		.max_message_bytes = config->max_message_bytes + (connection->raw ? 0 : ENVELOPE_BYTES),
		.max_fragments = (unsigned)config->max_fragments,
	};
	char *bytes = connection->shard->read_buffer;
	ssize_t got = sl_connection_read(connection, bytes, SL_READ_BUFFER);
	if (got == SL_EAGAIN)
		return;
	if (got < 0) {
		sl_connection_close(connection);
		return;
	}
	for (size_t at = 0;;) {
		struct sl_ws_event event;
		size_t used = 0;
		int result = sl_ws_reader_feed(&ws->reader, &limits, bytes + at, (size_t)got - at,
			&used, &event);
		at += used;
		if (result == 0)
			return;
		if (result < 0) {
			close_with(connection, ws->reader.close_code);
			return;
		}
		note_frame(ws);
		handle_event(connection, &event);
		if (connection->state >= SL_ENDING || connection->conclusion)
			return;
	}
}

const struct sl_transport sl_transport_websocket = {
	.name = "websocket",
	.path = "ws",
	.class = SL_CLASS_WEBSOCKET,
	.capabilities = SL_NEEDS_EMPTY_PIPE,
	.connection_size = sizeof(struct websocket),
	.check = check,
	.open = open_websocket,
	.on_readable = on_readable,
	.frame_messages = frame_messages,
	.frame_control = frame_control,
	.frame_end = frame_end,
	.ping = ping,
	.finish = finish,
};
