/* Reply: a small answer, filled by a handler: a response's head and its body.
 * Owner: the caller's struct. Thread: the shard's. Errors: none; a reply that could not be built has a `body`
 * that failed. */
#ifndef SL_HTTP_REPLY_H
#define SL_HTTP_REPLY_H

#include "http/response.h"
#include "util/buffer.h"

#define SL_REPLY_RETRY_AFTER_S "2" /* the usual value */

struct sl_reply {
	struct sl_response head; /* status 0 until set; its length is that of `body`; its fields' values
	                          * are terminated and outlive the reply */
	struct sl_buffer body;   /* owns */
	size_t more_len;         /* bytes behind the body that its sender has elsewhere */
	char retry_after[24];    /* if it is not the usual value */
	struct sl_span fixed;    /* for an ordinary route: replaces the body; outlives the answer */
};

void sl_reply_finish(struct sl_reply *reply);

/* Sets {"error":{"code":..,"message":..}}, with Retry-After if the status is 429. */
void sl_reply_set_error(struct sl_reply *reply, unsigned status, const char *code,
	const char *message);

/* Sets the Retry-After of a 429 to another value; do not move `reply` afterwards. */
void sl_reply_set_retry_after(struct sl_reply *reply, uint64_t seconds);

/* Sets the error's own code, sentence and status. */
void sl_reply_set_err(struct sl_reply *reply, int err);

/* Sets 200 with a JSON body, which the caller appends to reply->body. */
void sl_reply_set_json(struct sl_reply *reply);

/* Appends the whole response; `for_head`: for HEAD, so without the body. */
void sl_reply_append_response(struct sl_reply *reply, struct sl_buffer *out, bool for_head);

#endif
