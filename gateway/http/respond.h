/* Respond: turns a reply into libmicrohttpd's response.
 * Owner: the exchange keeps the reply. Thread: the shard's. Errors: as each call says. */
#ifndef SL_HTTP_RESPOND_H
#define SL_HTTP_RESPOND_H

struct MHD_Connection;
struct sl_exchange;

/* Queues `exchange->reply`, with the fields of every answer of ours. Errors: SL_ENOMEM, SL_EIO: nothing is
 * queued. */
int sl_respond(struct sl_exchange *exchange, struct MHD_Connection *mhd);

#endif
