/* The small answers of Engine.IO: a payload, `ok`, an error; and what the gate's refusals become for its clients,
 * which read no errors of ours.
 * Owner: the caller's reply. Thread: any. Errors: none; a body that failed says so itself. */
#ifndef SL_CLIENTS_EIO_REPLY_H
#define SL_CLIENTS_EIO_REPLY_H

#include <stdbool.h>

#include "clients/engine_io/eio_query.h"

struct sl_gate_refusal;
struct sl_reply;
struct sl_request;

/* {"code":N,"message":".."} with the reference's status and words. `error` is one. */
void sl_eio_reply_set_error(struct sl_reply *reply, enum sl_eio_error error);

/* The head of a payload, which the caller appends to the body. */
void sl_eio_reply_set_payload(struct sl_reply *reply);

/* The answer to a POST. */
void sl_eio_reply_set_ok(struct sl_reply *reply);

/* For struct sl_transport: the status of the refusal, but 403 for 401 and 400 for 404 and 405; in the body the
 * protocol's number for it, and our sentence. */
bool sl_eio_reply_refuse(struct sl_reply *reply, const struct sl_request *request,
	const struct sl_gate_refusal *refusal);

#endif
