/* What sse and stream share: a response without end, its head, and chunks (RFC 9112, section
 * 7.1).
 * Owner: nobody. Thread: any; the shard's where a connection is given. Errors: those of the
 * buffer. */
#ifndef SL_TRANSPORTS_LONG_RESPONSE_H
#define SL_TRANSPORTS_LONG_RESPONSE_H

#include <stddef.h>

#include "transport.h"
#include "util/buffer.h"

struct sl_connection;
struct sl_request;

/* Bits of the encoding. */
enum sl_long_response_encoding {
	SL_LONG_RESPONSE_CHUNKED = 1,
	SL_LONG_RESPONSE_RAW = 2,
};

/* For a transport's open(): sets the encoding, and how long the client may acknowledge nothing. */
void sl_long_response_begin(struct sl_connection *connection, const struct sl_request *request);

/* Status line and headers of a long response, with the empty line: chunked for HTTP/1.1,
 * close-delimited for HTTP/1.0; `headers` are further lines, each ended by CRLF. */
void sl_long_response_append_head(struct sl_buffer *out, const struct sl_request *request,
	const char *content_type, const char *headers);

/* A chunk's size line is written in front of what follows: append it with the length
 * known, then the bytes, then the end. */
void sl_long_response_append_chunk_start(struct sl_buffer *out, size_t len);
void sl_long_response_append_chunk_end(struct sl_buffer *out);
void sl_long_response_append_last_chunk(struct sl_buffer *out);

/* A transport's frame_end(): the last chunk where there are chunks. */
void sl_long_response_frame_end(struct sl_connection *connection, enum sl_end_reason reason,
	struct sl_buffer *out);

#endif
