#include "util/http_date.h"

#include <time.h>

static void
append_two_digits(struct sl_buffer *out, int value)
{
	sl_buffer_append_char(out, (char)('0' + value / 10 % 10));
	sl_buffer_append_char(out, (char)('0' + value % 10));
}

void
sl_http_date_append(struct sl_buffer *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	sl_buffer_append(out, days + 3 * tm.tm_wday, 3);
	sl_buffer_append(out, ", ", 2);
	append_two_digits(out, tm.tm_mday);
	sl_buffer_append_char(out, ' ');
	sl_buffer_append(out, months + 3 * tm.tm_mon, 3);
	sl_buffer_append_char(out, ' ');
	sl_buffer_append_u64(out, (uint64_t)tm.tm_year + 1900);
	sl_buffer_append_char(out, ' ');
	append_two_digits(out, tm.tm_hour);
	sl_buffer_append_char(out, ':');
	append_two_digits(out, tm.tm_min);
	sl_buffer_append_char(out, ':');
	append_two_digits(out, tm.tm_sec);
	sl_buffer_append(out, " GMT", 4);
}
