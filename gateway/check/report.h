/* Report: what the check page sends of a path, read, judged and written again
 * (doc/check-report.schema.json).
 * Owner: the caller's struct, to be finished. Thread: any. Errors: SL_EINVAL with a sentence,
 * SL_ENOMEM.
 *
 * A pure function of the text. What comes out consists of parsed values alone, in the schema's order:
 * numbers rounded to 0.1, the addresses within a Via hidden. */
#ifndef SL_CHECK_REPORT_H
#define SL_CHECK_REPORT_H

#include "check/code.h"
#include "util/buffer.h"
#include "util/metrics.h"

#define SL_REPORT_BYTES_MAX 16384
#define SL_REPORT_ERROR_MAX 512

struct sl_report {
	struct sl_buffer text;      /* owns: one line of JSON */
	char code[SL_CODE_LEN + 1];
	enum sl_verdict verdicts[SL_CODE_TRANSPORTS]; /* in the usual order */
};

/* Reads at most SL_REPORT_BYTES_MAX bytes. `error` says which member is wrong and what would be right, and
 * repeats nothing of the text. Errors: SL_EINVAL, SL_ENOMEM; nothing is to be finished then. */
int sl_report_read(struct sl_report *out, const char *text, size_t len,
	char error[SL_REPORT_ERROR_MAX]);

void sl_report_finish(struct sl_report *report);

#endif
