#include "bus/nats_reply.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static int
parse(struct sl_nats_reply *out, const char *subject)
{
	return sl_nats_reply_parse(out, (struct sl_span){ subject, strlen(subject) });
}

static void
expect_reply(const char *subject)
{
	struct sl_nats_reply reply;
	CU_ASSERT_EQUAL_FATAL(parse(&reply, subject), 0);
	CU_ASSERT(sl_span_equals(reply.stream, "sluice-main"));
	CU_ASSERT(sl_span_equals(reply.consumer, "jq3Kd1Xy"));
	CU_ASSERT_EQUAL(reply.sseq, 4182);
	CU_ASSERT_EQUAL(reply.dseq, 17);
	CU_ASSERT_EQUAL(reply.time_ns, 1790000000123456789);
	CU_ASSERT_EQUAL(reply.pending, 3);
}

static void
test_both_forms_are_read(void)
{
	expect_reply("$JS.ACK.sluice-main.jq3Kd1Xy.1.4182.17.1790000000123456789.3");
	expect_reply("$JS.ACK.hub.ACCHASH.sluice-main.jq3Kd1Xy.1.4182.17.1790000000123456789.3");
	expect_reply("$JS.ACK._.ACCHASH.sluice-main.jq3Kd1Xy.1.4182.17.1790000000123456789.3.Rnd0");
}

static void
test_the_largest_numbers_are_read(void)
{
	struct sl_nats_reply reply;
	CU_ASSERT_EQUAL_FATAL(parse(&reply,
		"$JS.ACK.s.c.18446744073709551615.18446744073709551615.1.9223372036854775807.0"), 0);
	CU_ASSERT_EQUAL(reply.sseq, UINT64_MAX);
	CU_ASSERT_EQUAL(reply.time_ns, INT64_MAX);
	CU_ASSERT_EQUAL(reply.pending, 0);
}

static void
test_everything_else_is_refused(void)
{
	static const char *const wrong[] = { "", "$JS.ACK.", "$JS.ACK", "_INBOX.x",
		"$JS.ACK.s.c.1.2.3.4",               /* a token too few */
		"$JS.ACK.s.c.1.2.3.4.5.6",           /* neither form */
		"$JS.ACK.d.a.s.c.1.2.3.4.5.r.x",     /* a token too many */
		"$JS.ACK.s.c.1..3.4.5", "$JS.ACK..c.1.2.3.4.5", "$JS.ACK.s.c.1.2.3.4.", "$JS.ACK.s.c.1.2.3.4.5.",
		"$JS.ACK.s.c.x.2.3.4.5", "$JS.ACK.s.c.1.-2.3.4.5", "$JS.ACK.s.c.1.2.+3.4.5",
		"$JS.ACK.s.c.1.2.3.4a.5", "$JS.ACK.s.c.1.2.3.4. 5",
		"$JS.ACK.s.c.0.2.3.4.5", "$JS.ACK.s.c.1.0.3.4.5", "$JS.ACK.s.c.1.2.0.4.5",
		"$JS.ACK.s.c.1.18446744073709551616.3.4.5", "$JS.ACK.s.c.1.2.3.9223372036854775808.5",
		"$JS.FC.s.c.1.2.3.4.5", "$js.ack.s.c.1.2.3.4.5", "x$JS.ACK.s.c.1.2.3.4.5" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sl_nats_reply reply = { .sseq = 99 };
		CU_ASSERT_EQUAL(parse(&reply, wrong[i]), SL_EINVAL);
		CU_ASSERT_EQUAL(reply.sseq, 99); /* untouched */
	}
}

static void
test_nothing_is_read_behind_the_end(void)
{
	struct sl_nats_reply reply;
	const char text[] = "$JS.ACK.s.c.1.2.3.4.56";
	CU_ASSERT_EQUAL_FATAL(sl_nats_reply_parse(&reply, (struct sl_span){ text, sizeof text - 2 }), 0);
	CU_ASSERT_EQUAL(reply.pending, 5);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_both_forms_are_read),
		UNIT_TEST(test_the_largest_numbers_are_read),
		UNIT_TEST(test_everything_else_is_refused),
		UNIT_TEST(test_nothing_is_read_behind_the_end),
		{ NULL, NULL },
	};
	return unit_main("nats_reply", tests);
}
