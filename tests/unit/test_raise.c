#include "config/raise.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/err.h"

static uint32_t
find_ip(const struct sl_raise_list *list, const char *ip)
{
	uint8_t bytes[16];
	CU_ASSERT_TRUE_FATAL(sl_network_parse_ip(bytes, (struct sl_span){ ip, strlen(ip) }));
	return sl_raise_list_find_address(list, bytes);
}

static void
test_raise_first_entry_that_fits_counts(void)
{
	static const char *const texts[] = { "192.0.2.7=3", "192.0.2.0/24=off", "10.0.0.0/8=100",
		"subject:backend=20", "subject:page-*=2", "0.0.0.0/0=7", "subject:*=9" };
	struct sl_raise_list list = { 0 };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CU_ASSERT_EQUAL(sl_raise_list_add(&list, texts[i]), 0);
	CU_ASSERT_EQUAL(find_ip(&list, "192.0.2.7"), 3);
	CU_ASSERT_EQUAL(find_ip(&list, "192.0.2.8"), SL_RAISE_OFF);
	CU_ASSERT_EQUAL(find_ip(&list, "10.9.9.9"), 100);
	CU_ASSERT_EQUAL(find_ip(&list, "198.51.100.1"), 7);
	CU_ASSERT_EQUAL(find_ip(&list, "2001:db8::1"), 1);
	CU_ASSERT_EQUAL(sl_raise_list_find_subject(&list, "backend"), 20);
	CU_ASSERT_EQUAL(sl_raise_list_find_subject(&list, "page-7"), 2);
	CU_ASSERT_EQUAL(sl_raise_list_find_subject(&list, "page-"), 2);
	CU_ASSERT_EQUAL(sl_raise_list_find_subject(&list, "page"), 9);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sl_buffer text = SL_BUFFER_INIT;
		sl_raise_list_append_text(&list, i, &text);
		char *string = sl_buffer_take_string(&text);
		CU_ASSERT_STRING_EQUAL(string, texts[i]);
		free(string);
	}
	sl_raise_list_finish(&list);
	CU_ASSERT_EQUAL(find_ip(&list, "10.9.9.9"), 1);
	CU_ASSERT_EQUAL(sl_raise_list_find_subject(&list, "backend"), 1);
}

/* Limits count a /64, so that is what an address of IPv6 stands for. */
static void
test_raise_address_of_ipv6_stands_for_its_network(void)
{
	struct sl_raise_list list = { 0 };
	CU_ASSERT_EQUAL(sl_raise_list_add(&list, "2001:db8:0:7::42=5"), 0);
	CU_ASSERT_EQUAL(sl_raise_list_add(&list, "2001:db8::/32=2"), 0);
	CU_ASSERT_EQUAL(sl_raise_list_add(&list, "::ffff:192.0.2.1=4"), 0);
	CU_ASSERT_EQUAL(find_ip(&list, "2001:db8:0:7::"), 5);
	CU_ASSERT_EQUAL(find_ip(&list, "2001:db8:0:7:1::9"), 5);
	CU_ASSERT_EQUAL(find_ip(&list, "2001:db8:0:8::42"), 2);
	CU_ASSERT_EQUAL(find_ip(&list, "192.0.2.1"), 4);
	CU_ASSERT_EQUAL(find_ip(&list, "192.0.2.2"), 1);
	sl_raise_list_finish(&list);
}

static void
test_raise_refuses_what_it_does_not_understand(void)
{
	static const struct {
		const char *text;
		int err;
	} rows[] = {
		{ "", SL_EINVAL }, { "10.0.0.1", SL_EINVAL }, { "10.0.0.1=", SL_EINVAL }, { "=5", SL_EINVAL },
		{ "10.0.0.1=0", SL_ETOOBIG }, { "10.0.0.1=1000001", SL_ETOOBIG }, { "10.0.0.1=1.5", SL_EINVAL },
		{ "10.0.0.1=Off", SL_EINVAL }, { "10.0.0.1/8=2", SL_EINVAL }, { "host=2", SL_EINVAL },
		{ "subject:=2", SL_EINVAL }, { "unix=2", SL_EINVAL }, { "subject=2", SL_EINVAL },
		{ "subject:a=b=2", 0 }, { "10.0.0.1=1000000", 0 }, { "::/0=1", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sl_raise_list list = { 0 };
		CU_ASSERT_EQUAL(sl_raise_list_add(&list, rows[i].text), rows[i].err);
		CU_ASSERT_EQUAL(list.count, rows[i].err == 0);
		sl_raise_list_finish(&list);
	}
}

static void
test_raise_copy_is_one_of_its_own_or_none(void)
{
	for_each_failing_allocation(failing) {
		struct sl_raise_list list = { 0 }, copy;
		int err = sl_raise_list_add(&list, "subject:a*=2");
		if (err == 0)
			err = sl_raise_list_add(&list, "10.0.0.1=3");
		if (err == 0)
			err = sl_raise_list_copy(&copy, &list);
		sl_raise_list_finish(&list);
		failing_expect(err);
		if (err != 0)
			continue;
		CU_ASSERT_EQUAL(sl_raise_list_find_subject(&copy, "ab"), 2);
		CU_ASSERT_EQUAL(find_ip(&copy, "10.0.0.1"), 3);
		sl_raise_list_finish(&copy);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_raise_first_entry_that_fits_counts),
		UNIT_TEST(test_raise_address_of_ipv6_stands_for_its_network),
		UNIT_TEST(test_raise_refuses_what_it_does_not_understand),
		UNIT_TEST(test_raise_copy_is_one_of_its_own_or_none),
		{ NULL, NULL },
	};
	return unit_main("raise", tests);
}
