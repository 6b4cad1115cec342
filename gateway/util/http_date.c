#include "util/http_date.h"

#include <string.h>
#include <time.h>

static void
put_two_digits(char *out, int value)
{
	out[0] = (char)('0' + value / 10 % 10);
	out[1] = (char)('0' + value % 10);
}

void
sl_http_date_append(struct sl_buffer *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[] = "Sun, 06 Nov 1994 08:49:37 GMT"; /* the form (RFC 9110, section 5.6.7) */
	time_t now = time(NULL);
	struct tm tm;
	gmtime_r(&now, &tm);
	memcpy(text, days + 3 * tm.tm_wday, 3);
	put_two_digits(text + 5, tm.tm_mday);
	memcpy(text + 8, months + 3 * tm.tm_mon, 3);
	put_two_digits(text + 12, tm.tm_year / 100 + 19);
	put_two_digits(text + 14, tm.tm_year);
	put_two_digits(text + 17, tm.tm_hour);
	put_two_digits(text + 20, tm.tm_min);
	put_two_digits(text + 23, tm.tm_sec);
	sl_buffer_append(out, text, sizeof text - 1);
}
