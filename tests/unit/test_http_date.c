#include "util/http_date.h"

#include "tests/unit/expect_text.h"
#include "tests/unit/fixed_time.h"
#include "tests/unit/unit.h"

static void
expect_at(time_t now, const char *date)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	fixed_time = now;
	sl_http_date_append(&out);
	expect_text(&out, date);
}

static void
test_http_date_is_the_example_of_the_rfc(void)
{
	expect_at(784111777, FIXED_DATE);
}

static void
test_http_date_has_two_digits_for_everything_but_the_year(void)
{
	expect_at(0, "Thu, 01 Jan 1970 00:00:00 GMT");
	expect_at(1000000000, "Sun, 09 Sep 2001 01:46:40 GMT");
}

static void
test_http_date_names_every_day_and_month(void)
{
	static const char *const dates[] = { "Mon, 31 Jan 2028 00:00:00 GMT",
		"Tue, 29 Feb 2028 00:00:00 GMT", "Fri, 31 Mar 2028 00:00:00 GMT",
		"Sun, 30 Apr 2028 00:00:00 GMT", "Wed, 31 May 2028 00:00:00 GMT",
		"Fri, 30 Jun 2028 00:00:00 GMT", "Mon, 31 Jul 2028 00:00:00 GMT",
		"Thu, 31 Aug 2028 00:00:00 GMT", "Sat, 30 Sep 2028 00:00:00 GMT",
		"Tue, 31 Oct 2028 00:00:00 GMT", "Thu, 30 Nov 2028 00:00:00 GMT",
		"Sun, 31 Dec 2028 00:00:00 GMT" };
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	time_t at = 1830297600 - 86400; /* the day before 2028 */
	for (int i = 0; i < 12; i++) {
		at += days[i] * 86400;
		expect_at(at, dates[i]);
	}
	expect_at(at + 86399, "Sun, 31 Dec 2028 23:59:59 GMT");
	expect_at(at + 86400, "Mon, 01 Jan 2029 00:00:00 GMT");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_http_date_is_the_example_of_the_rfc),
		UNIT_TEST(test_http_date_has_two_digits_for_everything_but_the_year),
		UNIT_TEST(test_http_date_names_every_day_and_month),
		{ NULL, NULL },
	};
	return unit_main("http_date", tests);
}
