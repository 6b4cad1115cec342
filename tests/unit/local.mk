# One program a module, named after it; each ends with CUnit's own summary.
unit_tests =
unit_cflags = $(AM_CFLAGS) $(CUNIT_CFLAGS)
unit_ldadd = $(LDADD) $(CUNIT_LIBS)

EXTRA_DIST += tests/unit/unit.h

unit_tests += tests/unit/test_buffer
tests_unit_test_buffer_SOURCES = tests/unit/test_buffer.c
tests_unit_test_buffer_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c
tests_unit_test_config_LDADD = $(unit_ldadd)

if HAVE_CUNIT
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
