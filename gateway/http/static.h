/* Static files: the demo page and the browser client, read into memory at start.
 * Owner: the settings; a reload makes a new one. Thread: any may read it once loaded. Errors: SL_EIO,
 * SL_ENOMEM, SL_ETOOBIG from loading; unknown paths are answered 404. */
#ifndef SL_HTTP_STATIC_H
#define SL_HTTP_STATIC_H

struct sl_exchange;
struct sl_request;
struct sl_static;

/* Reads index.html, check.html, check/, client/ and demo/ below `folder`. A missing folder gives no files.
 * NAME.gz beside a file NAME is no file of its own: clients that accept gzip get it, if it has the same
 * content. Returns new in `*out`. */
int sl_static_load(struct sl_static **out, const char *folder);
void sl_static_destroy(struct sl_static *files);

/* Answers GET /, /check/..., /client/..., /demo/..., and routes that name a file. If the client already has the
 * file, prepare() answers with 304. */
void sl_static_prepare(struct sl_exchange *exchange, const struct sl_request *request);
void sl_static_serve(struct sl_exchange *exchange);

#endif
