#include "bus/nats_ack.h"

#include "tests/unit/unit.h"
#include "util/err.h"

#define STREAM "sluice-main"
#define COUNT(array) (sizeof array / sizeof *array)

static struct sl_nats_ack
read_ack(const char *status, const char *body)
{
	struct sl_nats_ack ack;
	sl_nats_ack_read(&ack, status, (struct sl_span){ body, strlen(body) }, STREAM);
	return ack;
}

static void
test_nats_ack_tells_the_number(void)
{
	struct sl_nats_ack ack = read_ack(NULL, "{\"stream\":\"sluice-main\", \"seq\":17}");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_STORED);
	CU_ASSERT_EQUAL(ack.seq, 17);
	CU_ASSERT_FALSE(ack.is_duplicate);
	ack = read_ack(NULL, "{\"stream\":\"sluice-main\",\"domain\":\"hub\",\"seq\":18446744073709551615,"
		"\"duplicate\": true}");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_STORED);
	CU_ASSERT_EQUAL(ack.seq, UINT64_MAX);
	CU_ASSERT_TRUE(ack.is_duplicate);
	ack = read_ack(NULL, "{\"type\":\"io.nats.jetstream.api.v1.pub_ack\",\"error\":null,"
		"\"stream\":\"sluice-main\",\"seq\":1,\"duplicate\":false}");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_STORED);
	CU_ASSERT_FALSE(ack.is_duplicate);
}

static void
test_nats_ack_a_duplicate_without_a_number_has_begun(void)
{
	static const struct { const char *body; enum sl_nats_ack_kind kind; } cases[] = {
		{ "{\"stream\":\"sluice-main\",\"seq\":0,\"duplicate\":true}", SL_NATS_ACK_BEGUN },
		{ "{\"duplicate\":true,\"stream\":\"sluice-main\"}", SL_NATS_ACK_BEGUN },
		{ "{\"stream\":\"sluice-main\"}", SL_NATS_ACK_AGAIN },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_nats_ack ack = read_ack(NULL, cases[i].body);
		CU_ASSERT_EQUAL(ack.kind, cases[i].kind);
		CU_ASSERT_FALSE(ack.is_certain);
	}
}

static void
test_nats_ack_where_nobody_listens_it_is_certainly_not_stored(void)
{
	struct sl_nats_ack ack = read_ack("503", "");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_AGAIN);
	CU_ASSERT_TRUE(ack.is_certain);
	CU_ASSERT_EQUAL(ack.code, 503);
	CU_ASSERT_EQUAL(read_ack("100", "").kind, SL_NATS_ACK_NOTHING);
	CU_ASSERT_EQUAL(read_ack("", "").kind, SL_NATS_ACK_NOTHING);
	CU_ASSERT_EQUAL(read_ack("503", "{\"stream\":\"sluice-main\",\"seq\":1}").kind,
		SL_NATS_ACK_NOTHING);
}

static struct sl_nats_ack
read_error(unsigned http_code, unsigned code)
{
	static char body[256]; /* what is read points into it */
	snprintf(body, sizeof body, "{\"error\":{\"code\":%u,\"err_code\":%u,\"description\":\"why it is\"},"
		"\"stream\":\"sluice-main\",\"seq\":0}", http_code, code);
	return read_ack(NULL, body);
}

static void
test_nats_ack_judges_each_error(void)
{
	static const struct { unsigned http_code, code; enum sl_nats_ack_kind kind; bool is_certain; int err; }
	cases[] = {
		{ 400, 10054, SL_NATS_ACK_REFUSED, true, SL_ETOOBIG },  /* too long */
		{ 400, 10109, SL_NATS_ACK_REFUSED, true, SL_EBACKEND }, /* sealed */
		{ 503, 10023, SL_NATS_ACK_AGAIN, true, 0 },             /* insufficient resources */
		{ 500, 10047, SL_NATS_ACK_AGAIN, true, 0 },             /* no storage left */
		{ 400, 10002, SL_NATS_ACK_AGAIN, true, 0 },             /* the account's limit */
		{ 503, 10077, SL_NATS_ACK_AGAIN, false, 0 },            /* the leader could not write; the others may have */
		{ 500, 19999, SL_NATS_ACK_AGAIN, false, 0 },
		{ 400, 19999, SL_NATS_ACK_AGAIN, false, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sl_nats_ack ack = read_error(cases[i].http_code, cases[i].code);
		CU_ASSERT_EQUAL(ack.kind, cases[i].kind);
		CU_ASSERT_EQUAL(ack.is_certain, cases[i].is_certain);
		CU_ASSERT_EQUAL(ack.err, cases[i].err);
		CU_ASSERT_EQUAL(ack.code, cases[i].code);
		CU_ASSERT_TRUE(sl_span_equals(ack.why, "why it is"));
	}
	struct sl_nats_ack ack = read_ack(NULL, "{\"error\":{\"code\":503}}");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_AGAIN);
	CU_ASSERT_EQUAL(ack.code, 503);
	CU_ASSERT_PTR_NULL(ack.why.bytes);
}

static void
test_nats_ack_of_another_stream_is_a_refusal(void)
{
	struct sl_nats_ack ack = read_ack(NULL, "{\"stream\":\"orders\",\"seq\":4}");
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_REFUSED);
	CU_ASSERT_EQUAL(ack.err, SL_EBACKEND);
	CU_ASSERT_TRUE(sl_span_equals(ack.why, "orders"));
}

static void
test_nats_ack_of_any_other_form_is_nothing(void)
{
	static const char *const bodies[] = { "", "+OK", "-ERR", "{}", "[]", "17", "null", "{\"seq\":17}",
		"{\"stream\":\"sluice-main\",\"seq\":-1}", "{\"stream\":\"sluice-main\",\"seq\":1.5}",
		"{\"stream\":\"sluice-main\",\"seq\":18446744073709551616}",
		"{\"stream\":\"sluice-main\",\"seq\":\"17\"}", "{\"stream\":17,\"seq\":17}",
		"{\"stream\":\"sluice-main\",\"seq\":17", "{\"stream\":\"sluice-main\",\"seq\":17}}",
		"{\"error\":\"none\"}", "{\"error\":{\"code\":\"a\"}}", "{\"error\":{\"err_code\":-1}}" };
	for (size_t i = 0; i < COUNT(bodies); i++)
		CU_ASSERT_EQUAL(read_ack(NULL, bodies[i]).kind, SL_NATS_ACK_NOTHING);
	struct sl_nats_ack ack;
	sl_nats_ack_read(&ack, NULL, (struct sl_span){ 0 }, STREAM);
	CU_ASSERT_EQUAL(ack.kind, SL_NATS_ACK_NOTHING);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_nats_ack_tells_the_number),
		UNIT_TEST(test_nats_ack_a_duplicate_without_a_number_has_begun),
		UNIT_TEST(test_nats_ack_where_nobody_listens_it_is_certainly_not_stored),
		UNIT_TEST(test_nats_ack_judges_each_error),
		UNIT_TEST(test_nats_ack_of_another_stream_is_a_refusal),
		UNIT_TEST(test_nats_ack_of_any_other_form_is_nothing),
		{ NULL, NULL },
	};
	return unit_main("nats_ack", tests);
}
