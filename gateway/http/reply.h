/* Reply: a small answer as a handler fills it: a response's head and its body.
 * Owner: the caller's struct. Thread: the shard's. Errors: none; one that could not be built has a
 * `body` that failed. */
#ifndef SL_HTTP_REPLY_H
#define SL_HTTP_REPLY_H

#include "http/response.h"
#include "util/buffer.h"

#define SL_REPLY_RETRY_AFTER_S "2" /* the usual one */

struct sl_reply {
	struct sl_response head; /* status 0 until set; its length is that of `body`; its fields' values
	                          * are terminated and outlive the reply */
	struct sl_buffer body;   /* owns */
	size_t more_len;         /* bytes that its sender puts behind the body, and has elsewhere */
	char retry_after[24];    /* where it is not the usual one */
	struct sl_span fixed;    /* the body instead, of an ordinary route: outlives the answer */
};

void sl_reply_finish(struct sl_reply *reply);

/* {"error":{"code":..,"message":..}}; with Retry-After where the status is 429. */
void sl_reply_set_error(struct sl_reply *reply, unsigned status, const char *code,
	const char *message);

/* Retry-After of a 429 in place of the usual one; `reply` must stay where it is. */
void sl_reply_set_retry_after(struct sl_reply *reply, uint64_t seconds);

/* The error's own code, sentence and status. */
void sl_reply_set_err(struct sl_reply *reply, int err);

/* 200 with a JSON body that the caller appends to reply->body. */
void sl_reply_set_json(struct sl_reply *reply);

/* The whole response; `for_head`: to HEAD, so all but the body. */
void sl_reply_append_response(struct sl_reply *reply, struct sl_buffer *out, bool for_head);

#endif
