/* The values of faults as people write them: 5s, 64K, 0.3, rst.
 * Owner: nobody. Thread: any. Errors: SL_EINVAL. */
#ifndef SL_BENCH_OBSTACLE_VALUE_H
#define SL_BENCH_OBSTACLE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#define OB_WORD_MAX 63
#define OB_MILLION 1000000u

enum ob_kind {
	OB_NO_VALUE,
	OB_TIME,   /* 200ms, 5s, 2m; in milliseconds */
	OB_SIZE,   /* 512, 64K, 1M; in bytes */
	OB_COUNT,  /* a number of 1 and more */
	OB_SHARE,  /* 0 to 1; in millionths */
	OB_PORT,   /* 1 to 65535 */
	OB_ENDING, /* what becomes of the connection: an ending below, or a status 200 to 599 */
	OB_WORD,   /* visible characters without comma and at-sign */
};

/* How something ends; a number from 200 is an answer with this status where no response has
 * begun, else OB_END_FIN. */
enum ob_ending {
	OB_END_FIN = 1,   /* closed */
	OB_END_RST,       /* reset */
	OB_END_HOLE,      /* nothing passes any more, nobody is told */
	OB_END_HOLE_UP,   /* the same from the client to the origin only */
	OB_END_HOLE_DOWN, /* the same from the origin to the client only */
};

struct ob_value {
	uint64_t number;
	char word[OB_WORD_MAX + 1];
};

/* What a value of this kind looks like, e.g. "a time such as 200ms or 5s". */
const char *ob_kind_help(enum ob_kind kind);

/* The kind in a synopsis, e.g. "TIME". */
const char *ob_kind_name(enum ob_kind kind);

/* Reads exactly `len` bytes. Errors: SL_EINVAL. */
int ob_value_parse(enum ob_kind kind, const char *text, size_t len, struct ob_value *value);

#endif
