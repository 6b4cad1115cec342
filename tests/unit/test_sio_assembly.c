#include "clients/socket_io/sio_assembly.h"

#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static const struct sl_span text = { "52-[\"a\"]", 8 };

static void
test_sio_assembly_is_complete_with_the_last_attachment(void)
{
	struct sl_span got[SL_SIO_ATTACHMENTS_MAX];
	struct sl_sio_assembly *assembly = sl_sio_assembly_create(text, 2);
	CU_ASSERT_PTR_NOT_NULL_FATAL(assembly);
	CU_ASSERT_FALSE(sl_sio_assembly_is_complete(assembly));
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "one", 3, 100), 0);
	CU_ASSERT_FALSE(sl_sio_assembly_is_complete(assembly));
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, NULL, 0, 100), 0); /* an empty one is one */
	CU_ASSERT_TRUE(sl_sio_assembly_is_complete(assembly));
	CU_ASSERT_TRUE(sl_span_equals(sl_sio_assembly_get_text(assembly), "52-[\"a\"]"));
	CU_ASSERT_EQUAL_FATAL(sl_sio_assembly_get_attachments(assembly, got), 2);
	CU_ASSERT_TRUE(sl_span_equals(got[0], "one"));
	CU_ASSERT_TRUE(sl_span_equals(got[1], ""));
	sl_sio_assembly_destroy(assembly);
	sl_sio_assembly_destroy(NULL);
}

static void
test_sio_assembly_is_bounded_over_all(void)
{
	struct sl_sio_assembly *assembly = sl_sio_assembly_create(text, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(assembly);
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "12345", 5, 12), SL_ETOOBIG);
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "123", 3, 12), 0);
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "12", 2, 12), SL_ETOOBIG);
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "1", 1, 12), 0);
	CU_ASSERT_EQUAL(sl_sio_assembly_add(assembly, "1", 1, 0), SL_ETOOBIG);
	CU_ASSERT_FALSE(sl_sio_assembly_is_complete(assembly));
	sl_sio_assembly_destroy(assembly);
}

static void
test_sio_assembly_without_memory_is_as_it_was(void)
{
	static const char bytes[4096];
	for_each_failing_allocation(failing) {
		struct sl_sio_assembly *assembly = sl_sio_assembly_create(text, 1);
		int err = assembly ? sl_sio_assembly_add(assembly, bytes, sizeof bytes, 9000) : SL_ENOMEM;
		failing_expect(err);
		if (assembly) {
			CU_ASSERT_EQUAL(sl_sio_assembly_is_complete(assembly), err == 0);
			CU_ASSERT_TRUE(sl_span_equals(sl_sio_assembly_get_text(assembly), "52-[\"a\"]"));
		}
		sl_sio_assembly_destroy(assembly);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_assembly_is_complete_with_the_last_attachment),
		UNIT_TEST(test_sio_assembly_is_bounded_over_all),
		UNIT_TEST(test_sio_assembly_without_memory_is_as_it_was),
		{ NULL, NULL },
	};
	return unit_main("sio_assembly", tests);
}
