/* The report as one page that loads nothing: a template with the JSON set into it.
 * Owner: the report is borrowed. Thread: one.
 * Errors: SL_ENOENT (no template), SL_ESYNTAX (no place for the JSON in it), SL_ENOMEM,
 * SL_EIO (errno says why). */
#ifndef SL_BENCH_HTML_H
#define SL_BENCH_HTML_H

#include "bench/results/report.h"
#include "util/buffer.h"

/* Writes `template_path` to `path` with the report in the place of "@REPORT@". */
int bench_html_write(const struct bench_report *report, const char *template_path, const char *path);

/* Appends JSON as it may stand in a script element (HTML, 13.1.3): without a "<", which JSON
 * has only in strings. */
void bench_html_append_json(struct sl_buffer *out, const char *json);

#endif
