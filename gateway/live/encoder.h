/* Encoder: how messages and control objects look inside one transport, for one of its formats
 * (websocket x json, sse x raw x chunked, ...).
 * Owner: constant tables, in the transports' files. Thread: any; what a slot appends depends on its
 * arguments alone, since it is shared. Errors: those of the buffer.
 *
 * An encoder and a label are a framing (live/framing.h): a run is framed once for each framing
 * that somebody needs, whatever the number of its subscribers. */
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
	SL_ONE_SHOT = 1,       /* a subscriber is answered once, by its ops->answer */
	SL_CAN_TELL_GAP = 2,   /* else a gap ends the subscriber (SL_END_GAP) */
	SL_CAN_TELL_ERROR = 4, /* acks too; else an error ends the subscriber (SL_END_REFUSED) */
	SL_ASKS_CLIENT_PUBLISH = 8, /* of another library: without a token its clients publish to --client-publish only */
};

/* When a subscriber's encoder is asked for a heartbeat (live/heartbeat.h). */
enum sl_beats {
	SL_BEATS_WHEN_QUIET, /* when nothing was sent for an interval */
	SL_BEATS_ALWAYS,     /* each interval, whatever was sent; the client must answer each in time */
	SL_BEATS_NEVER,      /* the protocol has none, or its own */
};

enum sl_control_type {
	SL_CONTROL_OPEN,
	SL_CONTROL_HEARTBEAT,
	SL_CONTROL_MARK,
	SL_CONTROL_GAP,
	SL_CONTROL_BYE,
	SL_CONTROL_BACKEND, /* it is away, or back */
	SL_CONTROL_ANSWER, /* ack, error: to what the client sent */
	SL_CONTROL_STATE,  /* subscribed, unsubscribed, pong: the same, with a cursor or a count */
	SL_CONTROL_TYPES
};

/* Why the gateway ends a subscriber; the names are the `reason` of bye. */
enum sl_end_reason {
	SL_END_DRAINING,
	SL_END_SLOW_CONSUMER,
	SL_END_GAP,        /* formats that have no other way to tell one */
	SL_END_EXPIRED,    /* a channel of it was lent, and its time is over */
	SL_END_TOKEN_EXPIRED, /* the token that opened it */
	SL_END_TOKEN_REVOKED, /* the same, and those of its subject issued until then */
	SL_END_EPOCH,      /* the bus has another log: its cursor is of the old one */
	SL_END_LIMIT,      /* its client asks for more than it may, and goes on doing so */
	SL_END_REFUSED,    /* formats that have no other way to tell an error; no bye */
	SL_END_FORBIDDEN,  /* the same where to ask again does not help; no bye */
	SL_END_PROTOCOL,   /* the client broke the protocol; no bye */
	SL_END_CLIENT,     /* the client said goodbye first; no bye */
	SL_END_SILENT,     /* the client has not answered a beat that it must answer; no bye */
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

/* What a subscription's messages are framed under, where a protocol repeats it in each frame. */
struct sl_label {
	struct sl_span text;
};

/* With what a shard compresses messages. */
struct sl_compression {
	struct sl_deflater *deflater; /* owns; NULL until one of its clients has agreed on compression */
	uint64_t least_bytes;         /* of a message that is compressed */
	struct sl_metrics *metrics;   /* borrows */
};

struct sl_encoder {
	const char *transport; /* its name on the wire: "websocket", ... */
	enum sl_class class;
	unsigned capabilities;
	unsigned variant;      /* which of the transport's formats: for its own functions */
	unsigned window_bits;  /* of the client that messages are compressed for; 0: they are not */
	enum sl_beats beats;

	/* Mandatory. Appends messages 0.. to `out` and notes the offset behind each in `ends`. Returns
	 * how many were framed: fewer than `count` only where an answer has a size limit, and none only
	 * where `out` holds something already (messages of another label). `label` is NULL where there is none. */
	size_t (*frame_messages)(const struct sl_encoder *encoder, const struct sl_label *label,
		struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends);

	/* Optional, and then called in the place of frame_messages(). The same with `compression` (borrows),
	 * which counts what is compressed, and whose memory zlib works in. */
	size_t (*frame_compressed)(const struct sl_encoder *encoder, struct sl_compression *compression,
		struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends);

	/* Mandatory unless one-shot. Appends a control object; nothing where the format has no
	 * such thing. */
	void (*frame_control)(const struct sl_encoder *encoder, const struct sl_control *control,
		struct sl_buffer *out);

	/* Mandatory unless one-shot. Appends what ends the stream cleanly (after bye); `code` is what the
	 * transport said to sl_subscriber_end_with(), or 0. */
	void (*frame_end)(const struct sl_encoder *encoder, enum sl_end_reason reason, unsigned code,
		struct sl_buffer *out);
};

#endif
