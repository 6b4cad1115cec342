#include "check/report_api.h"

#include "http/exchange.h"
#include "tests/unit/unit.h"

static void
test_report_api_without_a_folder_takes_nothing(void)
{
	struct sl_exchange exchange = { .reply.head.status = 0 };
	sl_report_api_take(&exchange);
	CU_ASSERT_EQUAL(exchange.reply.head.status, 404);
	sl_reply_finish(&exchange.reply);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_report_api_without_a_folder_takes_nothing),
		{ NULL, NULL },
	};
	return unit_main("report_api", tests);
}
