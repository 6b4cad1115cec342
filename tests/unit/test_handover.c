#include "http/handover.h"

#include <microhttpd.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static void
test_handover_self_test_passes_with_the_daemon_flags_of_the_front(void)
{
	for (int i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(sl_handover_self_test(), 0);
}

/* Guards the self-test: what it looks for does go wrong in a daemon without TURBO, which
 * shuts the socket down on closing, the duplicate with it. */
static void
test_handover_self_test_notices_a_daemon_that_shuts_sockets_down(void)
{
	unsigned flags = sl_handover_get_daemon_flags();
	CU_ASSERT_EQUAL(flags & MHD_USE_TURBO, MHD_USE_TURBO);
	CU_ASSERT_EQUAL(sl_handover_try(flags & ~(unsigned)MHD_USE_TURBO), SL_EIO);
}

static void
test_handover_self_test_fails_where_no_daemon_starts(void)
{
	/* Threads of its own and external polling exclude each other. */
	unsigned flags = sl_handover_get_daemon_flags();
	CU_ASSERT_EQUAL(sl_handover_try(flags | MHD_USE_THREAD_PER_CONNECTION), SL_EIO);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_handover_self_test_passes_with_the_daemon_flags_of_the_front),
		UNIT_TEST(test_handover_self_test_notices_a_daemon_that_shuts_sockets_down),
		UNIT_TEST(test_handover_self_test_fails_where_no_daemon_starts),
		{ NULL, NULL },
	};
	return unit_main("handover", tests);
}
