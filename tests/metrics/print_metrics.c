/* Prints a metrics report with distinct values: print_metrics prometheus|openmetrics|json */
#include <stdio.h>
#include <string.h>

#include "http/metrics_text.h"
#include "tests/unit/report.h"

int
main(int argc, char **argv)
{
	struct sl_metrics_report report;
	struct sl_buffer out = SL_BUFFER_INIT;
	const char *format = argc > 1 ? argv[1] : "";
	report_fill(&report);
	if (strcmp(format, "prometheus") == 0)
		sl_metrics_text_append(&out, &report, SL_METRICS_PROMETHEUS);
	else if (strcmp(format, "openmetrics") == 0)
		sl_metrics_text_append(&out, &report, SL_METRICS_OPENMETRICS);
	else if (strcmp(format, "json") == 0)
		sl_metrics_text_append_json(&out, &report);
	else
		return 2;
	size_t written = fwrite(out.bytes, 1, out.len, stdout);
	int failed = sl_buffer_status(&out) != 0 || written != out.len;
	sl_buffer_finish(&out);
	return failed;
}
