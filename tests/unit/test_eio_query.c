#include "clients/engine_io/eio_query.h"

#include "tests/unit/unit.h"

static struct sl_eio_query
read_query(const char *target)
{
	struct sl_eio_query query;
	sl_eio_query_read(&query, (struct sl_span){ target, strlen(target) });
	return query;
}

static void
test_a_handshake_has_no_id(void)
{
	struct sl_eio_query query = read_query("/engine.io/?EIO=4&transport=polling&t=x1y2");
	CU_ASSERT(sl_span_equals(query.revision, "4"));
	CU_ASSERT(sl_span_equals(query.transport, "polling"));
	CU_ASSERT_PTR_NULL(query.id.bytes);
	CU_ASSERT_PTR_NULL(read_query("/engine.io/?EIO=4&sid=&transport=polling").id.bytes);
}

static void
test_the_last_of_several_counts(void)
{
	/* The page's own parameters come first; so does what is left of an escape that was decoded in place. */
	struct sl_eio_query query = read_query("/engine.io/?sid=a&transport=b&EIO=3&x&&=&EIO=4&transport=websocket&sid=c");
	CU_ASSERT(sl_span_equals(query.revision, "4"));
	CU_ASSERT(sl_span_equals(query.transport, "websocket"));
	CU_ASSERT(sl_span_equals(query.id, "c"));
}

static void
test_what_is_missing_is_absent(void)
{
	static const char *const targets[] = { "", "/engine.io/", "/engine.io/?", "/engine.io/?eio=4&Transport=polling",
		"?&&&", "?EIO&transport&sid" };
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct sl_eio_query query = read_query(targets[i]);
		CU_ASSERT_PTR_NULL(query.revision.bytes);
		CU_ASSERT_PTR_NULL(query.transport.bytes);
		CU_ASSERT_PTR_NULL(query.id.bytes);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_a_handshake_has_no_id),
		UNIT_TEST(test_the_last_of_several_counts),
		UNIT_TEST(test_what_is_missing_is_absent),
		{ NULL, NULL },
	};
	return unit_main("eio_query", tests);
}
