/* Bytes by kind, each way: what subscribers' connections carried.
 * Owner: values. Thread: any. Errors: none. "Down" is towards the subscriber. */
#ifndef SL_BENCH_ACCOUNT_H
#define SL_BENCH_ACCOUNT_H

#include <jansson.h>
#include <stdint.h>

#include "bench/load/stream.h"

struct bench_way {
	uint64_t wire;    /* of the TCP stream */
	uint64_t clear;   /* the same without TLS */
	uint64_t heads;   /* of HTTP requests and answers, in `clear` */
	uint64_t payload; /* in `clear` */
	uint64_t segment_headers; /* of IP and TCP, beside `wire` */
};

struct bench_account {
	struct bench_way down, up;
	uint64_t messages;
};

/* Adds what `stream` has carried so far. */
void bench_account_add_stream(struct bench_account *account, const struct bench_stream *stream);

void bench_account_add(struct bench_account *account, const struct bench_account *more);

/* What was carried between the two. */
struct bench_account bench_account_between(const struct bench_account *before,
	const struct bench_account *after);

/* All bytes on the wire, both ways, with the headers of segments. */
uint64_t bench_account_total(const struct bench_account *account);

/* Sets in the object `figures` for both ways, a delivered message: payload framing heads
 * tcp_ip tls total (down_payload, ...); all of it over `seconds` as bytes_per_s. Nothing when there
 * was no message. */
void bench_account_set_figures(const struct bench_account *account, double seconds,
	json_t *figures);

#endif
