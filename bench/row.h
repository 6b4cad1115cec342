/* The rows of the comparison and how one of them is measured on one server.
 * Owner: static table; samples are values. Thread: one. Errors: told in the sample. */
#ifndef SL_BENCH_ROW_H
#define SL_BENCH_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/options.h"
#include "bench/peer.h"

enum bench_work {
	BENCH_FANOUT,       /* all subscribers on one channel */
	BENCH_OWN_CHANNELS, /* one channel a subscriber */
	BENCH_MEMORY,       /* idle connections */
	BENCH_ACCEPT,       /* opening connections */
};

struct bench_row {
	const char *name, *title;
	const char *peers; /* comma-separated: who can be measured */
	enum bench_work work;
	enum bench_transport transport;
	unsigned subscribers; /* 0: as the options say */
	double rate;          /* writes a second; of a fan-out with 1,000 subscribers, else less */
	unsigned burst;       /* messages a write */
};

struct bench_sample {
	bool ran;
	char error[96];          /* why not */
	double value;            /* µs of CPU, or KiB of memory */
	double start_mib;        /* memory before the first connection */
	double window_s;         /* first due time to last delivery */
	double server_share;     /* of a core, in the window */
	double own_share;        /* the same of the bench itself */
	double others_share;     /* the same of anybody else on the two cores */
	double late_p99_ms;      /* sends against their schedule */
	double overhang_s;       /* last delivery against the last due time */
	uint64_t deliveries, lost, doubled, unanswered;
	uint64_t unfinished;     /* still to come when the bench stopped waiting */
	bool overloaded, saturated, disturbed;
};

/* Ended by a NULL name. */
extern const struct bench_row bench_rows[];

/* Starts `peer`, measures, stops it. */
struct bench_sample bench_row_measure(const struct bench_row *row, const struct bench_peer *peer,
	const struct bench_options *options);

/* "µs" or "KB". */
const char *bench_row_unit(const struct bench_row *row);

#endif
