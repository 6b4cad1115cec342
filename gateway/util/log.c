#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/err.h"

#define LINE_MAX_BYTES 1024
#define LIMIT_PER_SECOND 10

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static _Atomic int threshold = SL_LOG_INFO;

void
sl_log_set_level(enum sl_log_level level)
{
	threshold = level;
}

int
sl_log_parse_level(const char *name, enum sl_log_level *level)
{
	for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
		if (strcmp(name, level_names[i]) == 0) {
			*level = (enum sl_log_level)i;
			return 0;
		}
	return SL_EINVAL;
}

const char *
sl_log_level_name(enum sl_log_level level)
{
	return level_names[level];
}

static void __attribute__((format(printf, 4, 0)))
write_line(enum sl_log_level level, const char *event, unsigned suppressed,
	const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t len = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(line + len, sizeof line - len, ".%03ldZ %s %s ",
		now.tv_nsec / 1000000, level_names[level], event);
	int more = vsnprintf(line + len, sizeof line - len, format, args);
	if (more > 0)
		len += (size_t)more;
	if (len > sizeof line - 32)
		len = sizeof line - 32;
	if (suppressed)
		len += (size_t)snprintf(line + len, sizeof line - len, " suppressed=%u", suppressed);
	while (len && line[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to say it */
}

void
sl_log(enum sl_log_level level, const char *event, const char *format, ...)
{
	if ((int)level > threshold)
		return;
	va_list args;
	va_start(args, format);
	write_line(level, event, 0, format, args);
	va_end(args);
}

void
sl_log_limited_(struct sl_log_limit *limit, enum sl_log_level level, const char *event,
	const char *format, ...)
{
	if ((int)level > threshold)
		return;
	uint64_t second = sl_clock_monotonic_ms() / 1000;
	if (atomic_exchange(&limit->second, second) != second)
		limit->count = 0;
	if (atomic_fetch_add(&limit->count, 1) >= LIMIT_PER_SECOND) {
		atomic_fetch_add(&limit->suppressed, 1);
		return;
	}
	va_list args;
	va_start(args, format);
	write_line(level, event, atomic_exchange(&limit->suppressed, 0), format, args);
	va_end(args);
}
