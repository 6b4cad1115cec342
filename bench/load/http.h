/* HTTP/1.1 answers taken apart as they come, wherever reads end: what is head, what is the
 * framing of a body, what is body.
 * Owner: the struct is the caller's, finish frees the head. Thread: one at a time.
 * Errors: SL_EPROTO, SL_ETOOBIG (a head over 16 KiB), SL_ENOMEM.
 * RFC 9112, sections 4 to 7. */
#ifndef SL_BENCH_HTTP_H
#define SL_BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/answer.h"
#include "bench/peer.h"
#include "util/buffer.h"

enum bench_http_state {
	BENCH_HTTP_HEAD,
	BENCH_HTTP_LENGTH,      /* a body of known length */
	BENCH_HTTP_REST,        /* a body that ends with the connection, or another protocol */
	BENCH_HTTP_CHUNK_SIZE,
	BENCH_HTTP_CHUNK,
	BENCH_HTTP_CHUNK_END,
	BENCH_HTTP_TRAILER,
	BENCH_HTTP_DONE,        /* whole; restart before more is fed */
};

enum bench_piece { BENCH_PIECE_HEAD, BENCH_PIECE_FRAMING, BENCH_PIECE_BODY };

struct bench_http {
	enum bench_http_state state;
	unsigned status;          /* 0 until the head is whole */
	size_t left;              /* of the body or chunk */
	size_t line_len;          /* of the trailer's line so far */
	struct sl_buffer head;    /* owns */
	char body[BENCH_BODY_KEPT];
	size_t body_kept;
};

void bench_http_finish(struct bench_http *http);

/* Ready for the next answer. */
void bench_http_restart(struct bench_http *http);

/* Takes from the front of `bytes` (`len` > 0, not in state DONE) one piece of a kind;
 * `*taken` tells its length, at least 1. Returns an enum bench_piece. */
int bench_http_next(struct bench_http *http, const char *bytes, size_t len, size_t *taken);

/* The head, which is whole, says that the connection ends with this answer. */
bool bench_http_closes(const struct bench_http *http);

/* The answer so far, its head whole: body and body_len are what was kept. */
struct bench_answer bench_http_answer(const struct bench_http *http);

#endif
