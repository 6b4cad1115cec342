/* Encoder: how messages and control objects look inside one transport, for one of its formats (websocket x
 * json, sse x raw x chunked, ...).
 * Owner: constant tables, in the transports' files. Thread: any. A slot's output depends on its arguments
 * alone, since clients share it. Errors: those of the buffer.
 *
 * An encoder and a label are a framing (live/framing.h). A run is framed once for each framing in use, whatever
 * the number of its subscribers. */
#ifndef SL_LIVE_ENCODER_H
#define SL_LIVE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "bus/cursor.h"
#include "util/metrics.h"
#include "util/span.h"

struct sl_buffer;
struct sl_deflater;
struct sl_message;

enum sl_encoder_capability {
	SL_ONE_SHOT = 1,       /* each subscriber is answered once, by its ops->answer */
	SL_CAN_TELL_GAP = 2,   /* without it a gap ends the subscriber (SL_END_GAP) */
	SL_CAN_TELL_ERROR = 4, /* acks too; without it an error ends the subscriber (SL_END_REFUSED) */
	SL_ASKS_CLIENT_PUBLISH = 8, /* for other libraries: without a token its clients publish to --client-publish only */
};

/* When the gateway asks a subscriber's encoder for a heartbeat (live/heartbeat.h). */
enum sl_beats {
	SL_BEATS_WHEN_QUIET, /* if nothing was sent for an interval */
	SL_BEATS_ALWAYS,     /* in each interval, also on a busy link; the client must answer each in time */
	SL_BEATS_NEVER,      /* the protocol has no heartbeat, or one of its own */
};

enum sl_control_type {
	SL_CONTROL_OPEN,
	SL_CONTROL_HEARTBEAT,
	SL_CONTROL_MARK,
	SL_CONTROL_GAP,
	SL_CONTROL_BYE,
	SL_CONTROL_BACKEND, /* the backend is away, or back */
	SL_CONTROL_ANSWER, /* ack, error: answers to the client's objects */
	SL_CONTROL_STATE,  /* subscribed, unsubscribed, pong: answers with a cursor or a count */
	SL_CONTROL_TYPES
};

/* Why the gateway ends a subscriber; the names are the `reason` of bye. */
enum sl_end_reason {
	SL_END_DRAINING,
	SL_END_SLOW_CONSUMER,
	SL_END_GAP,        /* for formats that cannot report a gap */
	SL_END_EXPIRED,    /* the lease of one of its channels is over */
	SL_END_TOKEN_EXPIRED, /* the token that opened it expired */
	SL_END_TOKEN_REVOKED, /* that token was revoked, with all tokens issued to its subject until then */
	SL_END_EPOCH,      /* the bus has another log; the subscriber's cursor is of the old one */
	SL_END_LIMIT,      /* its client stays above a limit */
	SL_END_REFUSED,    /* for formats that cannot report an error; no bye */
	SL_END_FORBIDDEN,  /* the same, if a retry cannot help; no bye */
	SL_END_PROTOCOL,   /* the client broke the protocol; no bye */
	SL_END_CLIENT,     /* the client said goodbye first; no bye */
	SL_END_SILENT,     /* the client did not answer a beat in time; no bye */
	SL_END_REASONS
};

struct sl_control {
	enum sl_control_type type;
	const char *name;          /* the object's "type" */
	struct sl_span object;     /* the JSON object */
	struct sl_cursor cursor;   /* the subscriber's position */
	struct sl_cursor resumed;  /* gap only */
	enum sl_end_reason reason; /* bye only */
	unsigned retry_ms;         /* bye only */
};

/* The text that a protocol repeats in each frame of a subscription. */
struct sl_label {
	struct sl_span text;
};

/* A shard's tools for compressing messages. */
struct sl_compression {
	struct sl_deflater *deflater; /* owns; NULL until a client has agreed on compression */
	uint64_t least_bytes;         /* smaller messages are not compressed */
	struct sl_metrics *metrics;   /* borrows */
};

struct sl_encoder {
	const char *transport; /* its name on the wire: "websocket", ... */
	enum sl_class class;
	unsigned capabilities;
	unsigned variant;      /* one of the transport's formats: for its own functions */
	unsigned window_bits;  /* the window of clients with compression; 0: no compression */
	enum sl_beats beats;

	/* Mandatory. Appends messages 0.. to `out`, and notes the offset behind each in `ends`. Returns the number
	 * of framed messages: fewer than `count` only if an answer has a size limit. It returns 0 only if `out`
	 * already has messages of another label. `label` is NULL if there is none. */
	size_t (*frame_messages)(const struct sl_encoder *encoder, const struct sl_label *label,
		struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends);

	/* Optional; if present, it replaces frame_messages(). The same with `compression` (borrows), which counts
	 * the compressed messages, and has the memory that zlib works in. */
	size_t (*frame_compressed)(const struct sl_encoder *encoder, struct sl_compression *compression,
		struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends);

	/* Mandatory unless one-shot. Appends a control object, or nothing if the format has no such object. */
	void (*frame_control)(const struct sl_encoder *encoder, const struct sl_control *control,
		struct sl_buffer *out);

	/* Mandatory unless one-shot. Appends a clean end of the stream (after bye). `code` is the transport's
	 * argument to sl_subscriber_end_with(), or 0. */
	void (*frame_end)(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
		struct sl_buffer *out);
};

#endif
