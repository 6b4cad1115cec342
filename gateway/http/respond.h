/* Respond: from a reply to libmicrohttpd's response.
 * Owner: the exchange keeps the reply. Thread: the shard's. Errors: as said. */
#ifndef SL_HTTP_RESPOND_H
#define SL_HTTP_RESPOND_H

struct sl_exchange;

/* Queues `exchange->reply`, with the headers that every answer of ours carries. Errors:
 * SL_ENOMEM, SL_EIO: nothing is queued. */
int sl_respond(struct sl_exchange *exchange);

/* Writes a 413 to the socket itself, where libmicrohttpd would not take an answer. */
void sl_respond_canned_413(struct sl_exchange *exchange);

#endif
