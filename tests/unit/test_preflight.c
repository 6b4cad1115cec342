#include "http/preflight.h"

#include <stdio.h>

#include "http/reply.h"
#include "tests/unit/read_head.h"
#include "tests/unit/visit_family.h"
#include "transports/registry.h"

static char text[4096];

/* The answer to OPTIONS with these fields, for an allowed origin or none. */
static const char *
ask(const struct sl_route *route, bool has_origin, const char *fields)
{
	char whole[3000];
	struct sl_request request = { .head = &head, .route = route };
	struct sl_reply reply = { .head.status = 0 };
	struct sl_buffer out = SL_BUFFER_INIT;
	snprintf(whole, sizeof whole, "OPTIONS /x HTTP/1.1\r\nHost: localhost\r\n%s\r\n", fields);
	CU_ASSERT_EQUAL_FATAL(read_head(whole), 0);
	if (has_origin)
		request.cors = reply.head.cors = (struct sl_cors){ "https://app.example", true };
	sl_preflight_fill(&reply, &request);
	sl_reply_append_response(&reply, &out, false);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_FATAL(sl_buffer_status(&out) == 0 && out.len <= sizeof text);
	memcpy(text, out.bytes, out.len);
	sl_buffer_finish(&out);
	sl_reply_finish(&reply);
	forget_head();
	return text;
}

#define ASKED(names) "Access-Control-Request-Headers: " names "\r\n"

static void
test_preflight_tells_what_a_path_allows(void)
{
	const char *answer = ask(NULL, false, "");
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "HTTP/1.1 204 "));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Allow: GET, HEAD, POST, OPTIONS\r\n"));
	CU_ASSERT_PTR_NULL(strstr(answer, "Access-Control-"));
	answer = ask(&sl_transport_routes[1], true, ASKED("x-mine"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Headers: " SL_CORS_ALLOWED "\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Max-Age: 600\r\n"));
	CU_ASSERT_PTR_NULL(strstr(answer, "x-mine"));
}

static void
test_preflight_echoes_the_fields_asked_for_where_the_route_does(void)
{
	const char *answer = ask(family_routes, true, ASKED("x-mine, Authorization"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Headers: x-mine, Authorization\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Vary: Access-Control-Request-Headers\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Max-Age: 86400\r\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Credentials: true\r\n"));
	answer = ask(family_routes, false, ASKED("x-mine"));
	CU_ASSERT_PTR_NULL(strstr(answer, "x-mine"));
}

static void
test_preflight_echoes_nothing_but_a_list_of_names(void)
{
	char long_list[1200] = "Access-Control-Request-Headers: ";
	static const char *const bad[] = { "", ASKED("a;b"), ASKED("a=b"), ASKED("\"a\""), ASKED("a\xc3\xa9"), ASKED("") };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *answer = ask(family_routes, true, bad[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(answer, "Access-Control-Allow-Headers: " SL_CORS_ALLOWED "\r\n"));
		CU_ASSERT_PTR_NULL(strstr(answer, "Vary: Access-Control-Request-Headers"));
	}
	size_t len = strlen(long_list);
	memset(long_list + len, 'a', 1100);
	memcpy(long_list + len + 1100, "\r\n", 3);
	CU_ASSERT_PTR_NULL(strstr(ask(family_routes, true, long_list), "aaaa"));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_preflight_tells_what_a_path_allows),
		UNIT_TEST(test_preflight_echoes_the_fields_asked_for_where_the_route_does),
		UNIT_TEST(test_preflight_echoes_nothing_but_a_list_of_names),
		{ NULL, NULL },
	};
	return unit_main("preflight", tests);
}
