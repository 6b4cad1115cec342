# One program a module, named after it; each ends with CUnit's own summary.
unit_tests =
unit_cflags = $(AM_CFLAGS) $(CUNIT_CFLAGS)
unit_ldadd = $(LDADD) $(CUNIT_LIBS)

EXTRA_DIST += tests/unit/unit.h

unit_tests += tests/unit/test_buffer
tests_unit_test_buffer_SOURCES = tests/unit/test_buffer.c
tests_unit_test_buffer_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_utf8
tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_crypto
tests_unit_test_crypto_SOURCES = tests/unit/test_crypto.c
tests_unit_test_crypto_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c
tests_unit_test_base64_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_hash
tests_unit_test_hash_SOURCES = tests/unit/test_hash.c
tests_unit_test_hash_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_json_check
tests_unit_test_json_check_SOURCES = tests/unit/test_json_check.c
tests_unit_test_json_check_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_json_members
tests_unit_test_json_members_SOURCES = tests/unit/test_json_members.c
tests_unit_test_json_members_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_message
tests_unit_test_message_SOURCES = tests/unit/test_message.c
tests_unit_test_message_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_mailbox
tests_unit_test_mailbox_SOURCES = tests/unit/test_mailbox.c
tests_unit_test_mailbox_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_history
tests_unit_test_history_SOURCES = tests/unit/test_history.c
tests_unit_test_history_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_bus_threads
tests_unit_test_bus_threads_SOURCES = tests/unit/test_bus_threads.c
tests_unit_test_bus_threads_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_bus
tests_unit_test_bus_SOURCES = tests/unit/test_bus.c
tests_unit_test_bus_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_dedupe
tests_unit_test_dedupe_SOURCES = tests/unit/test_dedupe.c
tests_unit_test_dedupe_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_backend_contract
tests_unit_test_backend_contract_SOURCES = tests/unit/test_backend_contract.c
tests_unit_test_backend_contract_LDADD = $(unit_ldadd)

if HAVE_CUNIT
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
