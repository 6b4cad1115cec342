/* Preflight: the answer to OPTIONS, with which a browser asks what a page of another origin may do (Fetch, section
 * 3.3.2 and 4.8).
 * Owner: the reply is the caller's; it borrows the request's head. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_PREFLIGHT_H
#define SL_HTTP_PREFLIGHT_H

struct sl_reply;
struct sl_request;

/* A 204 with what the request's path allows; its CORS fields where the Origin is an allowed one. */
void sl_preflight_fill(struct sl_reply *reply, const struct sl_request *request);

#endif
