#include "core/tls_groups.h"

#include "core/tls_pair.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#include <stdio.h>
#include <string.h>

#define PAIRS_MAX 8

static struct sl_tls_pair pairs[PAIRS_MAX];
static size_t pair_count;
static struct sl_tls_groups groups;

/* A certificate without anything but what groups look at. */
static void
add(const char *kind, const char *const *names)
{
	struct sl_tls_pair *pair = &pairs[pair_count++];
	static char address[] = "192.0.2.1";
	*pair = (struct sl_tls_pair){ .kind = kind, .label = address };
	for (; *names; names++)
		CU_ASSERT_EQUAL(sl_tls_names_add(&pair->names, *names, strlen(*names)), 0);
}
#define ADD(kind, ...) add(kind, (const char *const[]){ __VA_ARGS__, NULL })

static void
make(void)
{
	CU_ASSERT_EQUAL_FATAL(sl_tls_groups_make(&groups, pairs, pair_count), 0);
}

static void
finish(void)
{
	sl_tls_groups_finish(&groups);
	while (pair_count > 0)
		sl_tls_names_finish(&pairs[--pair_count].names);
}

/* The members of a name's group as digits; "-" where it has none. */
static const char *
find(const char *name)
{
	static char members[SL_TLS_KINDS_MAX + 1];
	size_t group, i;
	if (!sl_tls_groups_find(&groups, name, &group))
		return "-";
	for (i = 0; i < groups.groups[group].count; i++)
		members[i] = (char)('0' + groups.groups[group].members[i]);
	members[i] = '\0';
	return members;
}

static void
test_tls_groups_each_name_gets_its_certificate(void)
{
	ADD("ecdsa", "a.example", "www.a.example");
	ADD("ecdsa", "b.example", "*.b.example");
	make();
	CU_ASSERT_EQUAL(groups.count, 2);
	CU_ASSERT_STRING_EQUAL(find("a.example"), "0");
	CU_ASSERT_STRING_EQUAL(find("www.a.example"), "0");
	CU_ASSERT_STRING_EQUAL(find("b.example"), "1");
	CU_ASSERT_STRING_EQUAL(find("x.b.example"), "1");
	CU_ASSERT_STRING_EQUAL(find("x.y.b.example"), "-");
	CU_ASSERT_STRING_EQUAL(find("x.a.example"), "-");
	CU_ASSERT_STRING_EQUAL(find("c.example"), "-");
	CU_ASSERT_STRING_EQUAL(groups.groups[0].text, "a.example\nwww.a.example\n");
	CU_ASSERT_EQUAL(groups.groups[0].members[0], 0); /* the default */
	finish();
}

static void
test_tls_groups_kinds_of_one_address_stand_together(void)
{
	static char other[] = "192.0.2.2";
	add("ecdsa", (const char *const[]){ NULL });
	add("ecdsa", (const char *const[]){ NULL });
	add("rsa", (const char *const[]){ NULL });
	pairs[2].label = other;
	ADD("ed25519", "a.example");
	add("rsa", (const char *const[]){ NULL });
	make();
	CU_ASSERT_EQUAL(groups.count, 2);
	CU_ASSERT_EQUAL(groups.groups[0].count, 2);
	CU_ASSERT_EQUAL(groups.groups[0].members[0], 0);
	CU_ASSERT_EQUAL(groups.groups[0].members[1], 4);
	CU_ASSERT_STRING_EQUAL(find("a.example"), "3");
	finish();
}

static void
test_tls_groups_kinds_of_one_name_stand_together(void)
{
	ADD("ecdsa", "a.example");
	ADD("rsa", "a.example");
	make();
	CU_ASSERT_EQUAL(groups.count, 1);
	CU_ASSERT_STRING_EQUAL(find("a.example"), "01");
	finish();
}

static void
test_tls_groups_certificates_need_not_have_all_names_in_common(void)
{
	ADD("ecdsa", "a.example");
	ADD("rsa", "a.example", "old.example", "*.wide.example");
	ADD("ecdsa", "www.wide.example");
	make();
	CU_ASSERT_STRING_EQUAL(find("a.example"), "01");
	CU_ASSERT_STRING_EQUAL(find("old.example"), "1");
	CU_ASSERT_STRING_EQUAL(find("www.wide.example"), "21"); /* a wildcard covers it too */
	CU_ASSERT_STRING_EQUAL(find("x.wide.example"), "1");
	CU_ASSERT_STRING_EQUAL(groups.groups[0].text, "*.wide.example\na.example\nold.example\n");
	finish();
}

static void
test_tls_groups_the_first_certificate_of_a_kind_counts(void)
{
	ADD("rsa", "a.example", "b.example");
	ADD("rsa", "b.example");
	ADD("rsa", "b.example", "c.example");
	make();
	CU_ASSERT_STRING_EQUAL(find("b.example"), "0");
	CU_ASSERT_STRING_EQUAL(find("c.example"), "2");
	CU_ASSERT_TRUE(sl_tls_groups_use(&groups, 0));
	CU_ASSERT_FALSE(sl_tls_groups_use(&groups, 1));
	CU_ASSERT_TRUE(sl_tls_groups_use(&groups, 2));
	finish();
}

static void
test_tls_groups_a_listed_name_counts_more_than_a_wildcard(void)
{
	ADD("ecdsa", "*.a.example", "b.example");
	ADD("ecdsa", "www.a.example");
	make();
	CU_ASSERT_STRING_EQUAL(find("www.a.example"), "1");
	CU_ASSERT_STRING_EQUAL(find("x.a.example"), "0");
	CU_ASSERT_EQUAL(groups.groups[0].members[0], 0);
	finish();
}

static void
test_tls_groups_a_certificate_without_names_is_the_default_or_nothing(void)
{
	add("rsa", (const char *const[]){ NULL });
	ADD("rsa", "a.example");
	make();
	CU_ASSERT_EQUAL(groups.count, 2);
	CU_ASSERT_EQUAL(groups.groups[0].members[0], 0);
	CU_ASSERT_STRING_EQUAL(groups.groups[0].text, "");
	CU_ASSERT_STRING_EQUAL(find("a.example"), "1");
	finish();
	ADD("rsa", "a.example");
	add("rsa", (const char *const[]){ NULL });
	make();
	CU_ASSERT_FALSE(sl_tls_groups_use(&groups, 1));
	finish();
}

static void
test_tls_groups_of_many_names_are_found(void)
{
	char names[PAIRS_MAX][100][24];
	size_t group;
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		struct sl_tls_pair *pair = &pairs[pair_count++];
		*pair = (struct sl_tls_pair){ .kind = "rsa" };
		for (size_t j = 0; j < 100; j++) {
			snprintf(names[i][j], sizeof names[i][j], "%c%zu-%zu.example", (char)('a' + j % 26), j, i);
			sl_tls_names_add(&pair->names, names[i][j], strlen(names[i][j]));
		}
	}
	make();
	CU_ASSERT_EQUAL(groups.count, PAIRS_MAX);
	CU_ASSERT_EQUAL(groups.name_count, 100 * PAIRS_MAX);
	for (size_t i = 0; i < PAIRS_MAX; i++)
		for (size_t j = 0; j < 100; j++) {
			CU_ASSERT_TRUE(sl_tls_groups_find(&groups, names[i][j], &group));
			CU_ASSERT_EQUAL(groups.groups[group].members[0], i);
		}
	CU_ASSERT_EQUAL(groups.groups[0].members[0], 0);
	finish();
}

static void
test_tls_groups_without_memory_are_an_error(void)
{
	ADD("ecdsa", "a.example");
	ADD("rsa", "a.example", "b.example");
	for_each_failing_allocation(failing) {
		failing_expect(sl_tls_groups_make(&groups, pairs, pair_count));
		sl_tls_groups_finish(&groups);
	}
	finish();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_tls_groups_each_name_gets_its_certificate),
		UNIT_TEST(test_tls_groups_kinds_of_one_address_stand_together),
		UNIT_TEST(test_tls_groups_kinds_of_one_name_stand_together),
		UNIT_TEST(test_tls_groups_certificates_need_not_have_all_names_in_common),
		UNIT_TEST(test_tls_groups_the_first_certificate_of_a_kind_counts),
		UNIT_TEST(test_tls_groups_a_listed_name_counts_more_than_a_wildcard),
		UNIT_TEST(test_tls_groups_a_certificate_without_names_is_the_default_or_nothing),
		UNIT_TEST(test_tls_groups_of_many_names_are_found),
		UNIT_TEST(test_tls_groups_without_memory_are_an_error),
		{ NULL, NULL },
	};
	return unit_main("tls_groups", tests);
}
