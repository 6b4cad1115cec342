/* The frame of a unit test program: a table of named tests, run by CUnit.
 * Owner: static. Thread: main. Errors: the exit status is 1 when a test failed. */
#ifndef SL_TESTS_UNIT_H
#define SL_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdlib.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

#define UNIT_TEST(function) { #function, function }

/* Runs `tests` (ended by a NULL name) as one suite; returns the exit status. */
static inline int
unit_main(const char *suite_name, const struct unit_test *tests)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
	for (; suite && tests->name; tests++)
		if (!CU_add_test(suite, tests->name, tests->run))
			return 2;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}

#endif
