/* Long response: the shared parts of sse and stream: a response without end, its head, and chunks (RFC 9112,
 * section 7.1).
 * Owner: nobody. Thread: any; the shard's for calls with a connection. Errors: those of the buffer. */
#ifndef SL_TRANSPORTS_LONG_RESPONSE_H
#define SL_TRANSPORTS_LONG_RESPONSE_H

#include "live/encoder.h"
#include "util/buffer.h"

struct sl_connection;
struct sl_gap;
struct sl_request;
struct sl_response;

/* Bits of an encoder's variant. */
enum sl_long_response_variant {
	SL_LONG_RESPONSE_CHUNKED = 1,
	SL_LONG_RESPONSE_RAW = 2,
	SL_LONG_RESPONSE_VARIANTS = 4,
};

/* Fills the head of a long response: chunked for HTTP/1.1, close-delimited for HTTP/1.0. */
void sl_long_response_fill(struct sl_response *out, const struct sl_request *request,
	const char *content_type);

/* The first part of a transport's open(): the subscriber joins its channels (live/join.h), with the request's
 * variant of `encoders`. Also limits the time in which the client may acknowledge nothing. */
int sl_long_response_join(struct sl_connection *connection, const struct sl_request *request,
	const struct sl_encoder encoders[SL_LONG_RESPONSE_VARIANTS], struct sl_gap *gaps,
	size_t *gap_count);

/* The second part: queues the filled head, and begins. */
int sl_long_response_begin(struct sl_connection *connection, const struct sl_request *request,
	struct sl_response *response, const struct sl_gap *gaps, size_t gap_count);

/* A chunk begins with a size line. Append the start with the chunk's length, then the bytes, then the end. */
void sl_long_response_append_chunk_start(struct sl_buffer *out, size_t len);
void sl_long_response_append_chunk_end(struct sl_buffer *out);

/* An encoder's frame_end(): appends the last chunk, if the response has chunks. */
void sl_long_response_frame_end(const struct sl_encoder *encoder, enum sl_end_reason reason,
	unsigned code, struct sl_buffer *out);

/* The encoders of a long-response transport, by their variants. They use the file's frame_messages() and
 * frame_control(). */
#define SL_LONG_RESPONSE_ENCODERS(name, its_class, json_can, raw_can) { \
	SL_LONG_RESPONSE_ENCODER(0, name, its_class, json_can), \
	SL_LONG_RESPONSE_ENCODER(SL_LONG_RESPONSE_CHUNKED, name, its_class, json_can), \
	SL_LONG_RESPONSE_ENCODER(SL_LONG_RESPONSE_RAW, name, its_class, raw_can), \
	SL_LONG_RESPONSE_ENCODER(SL_LONG_RESPONSE_RAW | SL_LONG_RESPONSE_CHUNKED, name, its_class, \
		raw_can), \
}
#define SL_LONG_RESPONSE_ENCODER(bits, name, its_class, can) \
	[bits] = { \
		.transport = name, \
		.class = its_class, \
		.capabilities = can, \
		.variant = bits, \
		.frame_messages = frame_messages, \
		.frame_control = frame_control, \
		.frame_end = sl_long_response_frame_end, \
	}

#endif
