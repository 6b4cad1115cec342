/* Log lines on standard error: `time level event key=value ...`, one write each.
 * Owner: nobody; the level is one of the three global variables there are. Thread: any.
 * Errors: none, a line that cannot be written is lost.
 * Payloads and tokens never go into a log. A line that a client can trigger is logged
 * with sl_log_limited(). */
#ifndef SL_UTIL_LOG_H
#define SL_UTIL_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum sl_log_level { SL_LOG_ERROR, SL_LOG_WARNING, SL_LOG_INFO, SL_LOG_DEBUG };

/* Lines above `level` are dropped from now on. */
void sl_log_set_level(enum sl_log_level level);

/* SL_EINVAL for an unknown name; "error", "warning", "info", "debug" are known. */
int sl_log_parse_level(const char *name, enum sl_log_level *level);
const char *sl_log_level_name(enum sl_log_level level);

/* `event` is a word or words joined by dots; `format` gives the `key=value` pairs. A value
 * with spaces is written in quotes by the caller. */
void sl_log(enum sl_log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* At most ten lines a second for each place; what was left out is counted in the next
 * line as suppressed=N. */
struct sl_log_limit {
	_Atomic uint64_t second;
	_Atomic unsigned count, suppressed;
};
void sl_log_limited_(struct sl_log_limit *limit, enum sl_log_level level, const char *event,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
#define sl_log_limited(level, event, ...) \
	do { \
		static struct sl_log_limit limit_; \
		sl_log_limited_(&limit_, level, event, __VA_ARGS__); \
	} while (0)

#endif
