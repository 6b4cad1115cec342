/* Content: the facts about a publish's body in its head (RFC 9110, section 8).
 * Owner: nobody. Thread: any. Errors: as each call says. */
#ifndef SL_HTTP_CONTENT_H
#define SL_HTTP_CONTENT_H

#include <stdbool.h>

#include "bus/message.h"
#include "util/span.h"

struct sl_content {
	bool is_batch; /* NDJSON: several messages, one per line; `type` is that of each payload */
	enum sl_payload_type type;
};

/* Reads Content-Type (may be absent). The media type decides. Of its parameters only charset counts, for text
 * and json: text in another charset than UTF-8 would arrive as other characters. Errors: SL_EINVAL, publish
 * does not take this type; SL_EUTF8, the charset is neither UTF-8 nor ASCII. */
int sl_content_read_type(struct sl_span value, struct sl_content *content);

/* Reads Content-Encoding (may be absent): false if the body is not the payload itself. */
bool sl_content_is_identity(struct sl_span value);

#endif
