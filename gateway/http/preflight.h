/* Preflight: the answer to OPTIONS, by which a browser asks for the permissions of a page of another origin
 * (Fetch, section 3.3.2 and 4.8).
 * Owner: the reply is the caller's; it borrows the request's head. Thread: the shard's. Errors: none. */
#ifndef SL_HTTP_PREFLIGHT_H
#define SL_HTTP_PREFLIGHT_H

struct sl_reply;
struct sl_request;

/* Fills a 204 with the permissions of the request's path. It has CORS fields if the Origin is an allowed one. */
void sl_preflight_fill(struct sl_reply *reply, const struct sl_request *request);

#endif
