/* Reply: a small answer as a handler sees it, before it becomes an HTTP response.
 * Owner: the exchange; a body that is set is copied or owned as each call says. Thread:
 * the shard's. Errors: none, a reply that could not be built becomes a bare 500. */
#ifndef SL_HTTP_REPLY_H
#define SL_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buffer.h"

#define SL_REPLY_HEADERS_MAX 12

struct sl_reply_header {
	const char *name;  /* static */
	const char *fixed; /* static; NULL: `value` counts */
	char value[128];
};

struct sl_reply {
	unsigned status; /* 0 until set */
	const char *content_type;  /* static; NULL without a body */
	const char *cache_control; /* static; NULL for no-store */
	const char *policy;        /* Content-Security-Policy; outlives the exchange, or NULL */
	struct sl_buffer body;     /* owns */
	bool is_for_head;          /* the answer to HEAD: all but the body */
	bool is_foreign;           /* to look like somebody else's: no `Sluice` header */
	struct sl_reply_header headers[SL_REPLY_HEADERS_MAX];
	unsigned header_count;
};

void sl_reply_finish(struct sl_reply *reply);

/* {"error":{"code":..,"message":..}} */
void sl_reply_set_error(struct sl_reply *reply, unsigned status, const char *code,
	const char *message);

/* The error's own code, sentence and status; with Retry-After where that is 429. */
void sl_reply_set_err(struct sl_reply *reply, int err);

/* True when a header of it says that the connection closes. */
bool sl_reply_closes(const struct sl_reply *reply);

/* The whole response, for a socket that is ours: `headers` are further lines, each ended by
 * CRLF, or NULL. */
void sl_reply_append_response(const struct sl_reply *reply, struct sl_buffer *out,
	const char *headers, bool keep_alive);

/* 200 with a JSON body that the caller appends to reply->body. */
void sl_reply_set_json(struct sl_reply *reply);

/* `value` is copied, up to 127 bytes; more than the room there is are dropped. */
void sl_reply_add_header(struct sl_reply *reply, const char *name, const char *value);

/* The same with a value that is static and of any length. */
void sl_reply_add_fixed_header(struct sl_reply *reply, const char *name, const char *value);

/* Borrowed from the header. */
const char *sl_reply_get_value(const struct sl_reply_header *header);

#endif
