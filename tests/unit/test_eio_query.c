#include "clients/engine_io/eio_query.h"

#include "http/params.h"
#include "tests/unit/unit.h"

static struct sl_eio_query
read_query(const char *revision, const char *transport, const char *id)
{
	const char *const values[] = { revision, transport, id };
	struct sl_params params = { .wait_s = -1 };
	struct sl_eio_query query;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (values[i])
			params.own[i] = (struct sl_span){ values[i], strlen(values[i]) };
	sl_eio_query_read(&query, &params);
	return query;
}

static void
test_the_names_stand_in_the_order_of_their_values(void)
{
	CU_ASSERT_STRING_EQUAL(sl_eio_query_names[0], "EIO");
	CU_ASSERT_STRING_EQUAL(sl_eio_query_names[1], "transport");
	CU_ASSERT_STRING_EQUAL(sl_eio_query_names[2], "sid");
	CU_ASSERT_PTR_NULL(sl_eio_query_names[3]);
	struct sl_eio_query query = read_query("4", "polling", "x");
	CU_ASSERT(sl_span_equals(query.revision, "4"));
	CU_ASSERT(sl_span_equals(query.transport, "polling"));
	CU_ASSERT(sl_span_equals(query.id, "x"));
	CU_ASSERT_PTR_NULL(read_query("4", "polling", "").id.bytes); /* an empty id is none */
}

static void
test_mistakes_have_the_errors_of_the_reference_in_its_order(void)
{
	static const struct {
		const char *revision, *transport, *id, *method;
		bool is_upgrade;
		enum sl_eio_error error;
	} cases[] = {
		{ "4", "polling", NULL, "GET", false, SL_EIO_NO_ERROR },
		{ "4", "polling", NULL, "GET", true, SL_EIO_NO_ERROR },
		{ "4", "websocket", NULL, "GET", true, SL_EIO_NO_ERROR },
		{ NULL, NULL, NULL, "GET", false, SL_EIO_TRANSPORT_UNKNOWN },
		{ "4", NULL, NULL, "POST", false, SL_EIO_TRANSPORT_UNKNOWN },
		{ "4", "abc", "x", "GET", false, SL_EIO_TRANSPORT_UNKNOWN },
		{ "4", "Polling", NULL, "GET", false, SL_EIO_TRANSPORT_UNKNOWN },
		{ "4", "webtransport", NULL, "GET", false, SL_EIO_TRANSPORT_UNKNOWN },
		{ "3", "polling", NULL, "POST", false, SL_EIO_BAD_METHOD },
		{ "4", "polling", NULL, "PUT", false, SL_EIO_BAD_METHOD },
		{ "4", "websocket", NULL, "GET", false, SL_EIO_BAD_REQUEST },
		{ "abc", "websocket", NULL, "GET", false, SL_EIO_BAD_REQUEST },
		{ NULL, "polling", NULL, "GET", false, SL_EIO_BAD_REVISION },
		{ "3", "polling", NULL, "GET", false, SL_EIO_BAD_REVISION },
		{ "abc", "websocket", NULL, "GET", true, SL_EIO_BAD_REVISION },
		/* of a session more is known where it is */
		{ NULL, "polling", "x", "PUT", false, SL_EIO_NO_ERROR },
		{ "3", "websocket", "x", "GET", false, SL_EIO_NO_ERROR },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_eio_query query = read_query(cases[i].revision, cases[i].transport, cases[i].id);
		struct sl_span method = { cases[i].method, strlen(cases[i].method) };
		CU_ASSERT_EQUAL(sl_eio_query_judge(&query, method, cases[i].is_upgrade), cases[i].error);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_the_names_stand_in_the_order_of_their_values),
		UNIT_TEST(test_mistakes_have_the_errors_of_the_reference_in_its_order),
		{ NULL, NULL },
	};
	return unit_main("eio_query", tests);
}
