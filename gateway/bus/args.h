/* Args: the arguments of an event, in the data of its message (PROTOCOL.md, events).
 * Owner: results borrow the data. Thread: any. Errors: SL_EINVAL, the data does not have the form of its kind
 * of arguments; SL_ENOMEM from decoding.
 *
 * An event has arguments, as clients of Socket.IO send them: one, any number, or some with binary attachments.
 * The data of a message is the first, or `[..]`, or `{"list":[..],"attachments":["<base64>",..]}`. In the list
 * `{"_placeholder":true,"num":N}` stands for attachment N. */
#ifndef SL_BUS_ARGS_H
#define SL_BUS_ARGS_H

#include <stdbool.h>

#include "util/buffer.h"
#include "util/span.h"

#define SL_ATTACHMENTS_MAX 10 /* the most that clients of Socket.IO take */

enum sl_args {
	SL_ARGS_ONE,    /* data, of any type, is the one argument */
	SL_ARGS_LIST,   /* data is a JSON array: the arguments */
	SL_ARGS_BINARY, /* data is a JSON object: a list, and attachments */
};

/* Returns "list" or "binary"; NULL for SL_ARGS_ONE. */
const char *sl_args_get_name(enum sl_args args);

/* False for any other word. */
bool sl_args_parse(struct sl_span word, enum sl_args *args);

/* `data` is one JSON text. Checks that each placeholder has an attachment, and that attachments are base64.
 * Errors: SL_EINVAL, SL_ENOMEM. */
int sl_args_check(enum sl_args args, struct sl_span data);

struct sl_args_binary {
	struct sl_span list;                            /* a JSON array */
	struct sl_span attachments[SL_ATTACHMENTS_MAX]; /* JSON strings, as written, without quotes */
	unsigned count;
};

/* Finds the members; checks neither placeholders nor base64. Errors: SL_EINVAL. */
int sl_args_read_binary(struct sl_args_binary *out, struct sl_span data);

/* Appends the attachment's bytes. Errors: SL_EINVAL, with nothing appended, and SL_ENOMEM. */
int sl_args_decode_attachment(struct sl_buffer *out, struct sl_span attachment);

#endif
