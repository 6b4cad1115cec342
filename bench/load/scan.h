/* Finds messages and cursors in the bytes of a delivery in Sluice's json format (PROTOCOL.md),
 * wherever reads end and whatever frames them.
 * Owner: the struct is the caller's; zeroed it is at the start. Thread: one at a time.
 * Errors: none; what is no cursor is passed over. */
#ifndef SL_BENCH_SCAN_H
#define SL_BENCH_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "bench/marker.h"
#include "bench/peer.h"

enum bench_found {
	BENCH_FOUND_NOTHING, /* the bytes are used up */
	BENCH_FOUND_CURSOR,  /* of the connection: `cursor` */
	BENCH_FOUND_MESSAGE, /* number `seq`, its id in `cursor` */
};

struct bench_scan {
	struct bench_marker marker;
	uint8_t id_matched, cursor_matched; /* of the texts before a value */
	enum { BENCH_SCAN_TEXT, BENCH_SCAN_ID, BENCH_SCAN_CURSOR } reading;
	size_t len;                         /* of the value so far */
	char cursor[BENCH_CURSOR_MAX];
	uint32_t seq;
};

/* Goes on from `*at` to `end`, up to the next thing found. */
enum bench_found bench_scan_next(struct bench_scan *scan, const char **at, const char *end);

/* The number in the cursor `<epoch>-<number>`; 0 where there is none. */
uint64_t bench_cursor_number(const char *cursor);

#endif
