#include "transports/ws_extension.h"

#include <stdio.h>
#include <string.h>

#include "http/head.h"
#include "tests/unit/unit.h"

#define NONE "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define NAMED(bits) NONE "; server_max_window_bits=" bits
#define DECLINED ""
#define MALFORMED "400"
#define LINES_MAX 4

/* What the lines of the field are answered with: the value, DECLINED or MALFORMED. */
struct negotiation {
	const char *answer;
	const char *lines[LINES_MAX];
};

static const char *
negotiate(const char *const *lines)
{
	static char text[2048], room[SL_WS_EXTENSION_MAX], answer[SL_WS_EXTENSION_MAX];
	struct sl_head head;
	struct sl_head_refusal refusal;
	struct sl_ws_agreement agreement;
	size_t len = (size_t)snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\nHost: a\r\n");
	for (size_t i = 0; i < LINES_MAX && lines[i]; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s: %s\r\nX-Other: %zu\r\n",
			i % 2 ? "sec-websocket-extensions" : "Sec-WebSocket-Extensions", lines[i], i);
	len += (size_t)snprintf(text + len, sizeof text - len, "\r\n");
	CU_ASSERT_TRUE_FATAL(sl_head_parse(&head, text, len, &refusal));
	if (!sl_ws_extension_read(&head, &agreement))
		return MALFORMED;
	if (!agreement.window_bits)
		return DECLINED;
	struct sl_span value = sl_ws_extension_write(&agreement, room);
	snprintf(answer, sizeof answer, "%.*s", (int)value.len, value.bytes);
	return answer;
}

static void
expect(const struct negotiation *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *answer = negotiate(cases[i].lines);
		CU_ASSERT_STRING_EQUAL(answer, cases[i].answer);
		if (strcmp(answer, cases[i].answer) != 0)
			printf("\n    %s: %s", cases[i].lines[0] ? cases[i].lines[0] : "no line", answer);
	}
}

#define EXPECT(cases) expect(cases, sizeof cases / sizeof *cases)

/* ---- RFC 7692 ---- */

/* Section 5: a list of offers, in the order of preference; permessage-foo stands in its examples for other
 * extensions. */
static void
test_ws_extension_takes_the_first_offer_that_can_be_accepted(void)
{
	static const struct negotiation cases[] = {
		{ DECLINED, { NULL } },
		{ DECLINED, { "permessage-foo" } },
		{ DECLINED, { "permessage-foo, permessage-bar" } },
		{ DECLINED, { "permessage-foo; use_y, permessage-foo" } },
		{ NONE, { "permessage-foo; use_y, permessage-deflate" } },
		{ NONE, { "permessage-deflate, permessage-foo" } },
		{ NAMED("10"), { "permessage-deflate; server_max_window_bits=10, permessage-deflate" } },
		{ NONE, { "permessage-deflate, permessage-deflate; server_max_window_bits=10" } },
		{ NAMED("9"), { "permessage-deflate; server_max_window_bits=9, "
			"permessage-deflate; server_max_window_bits=12" } },
		{ NONE, { "permessage-deflate; foo, permessage-deflate" } },
		{ NAMED("11"), { "permessage-deflate; server_max_window_bits=16, permessage-deflate; foo=1, "
			"permessage-deflate; server_max_window_bits=11" } },
		/* what an offer that is declined asked for is forgotten */
		{ NONE, { "permessage-deflate; server_max_window_bits=9; foo, permessage-deflate" } },
		/* 7.1.2.1, 7.1.3 */
		{ NAMED("10"), { "permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
			"permessage-deflate; client_max_window_bits" } },
		{ NAMED("10"), { "permessage-deflate; server_no_context_takeover; server_max_window_bits=10" } },
	};
	EXPECT(cases);
}

static void
test_ws_extension_reads_several_lines_as_one_list(void)
{
	static const struct negotiation cases[] = {
		{ NONE, { "foo", "permessage-deflate" } },
		{ NAMED("12"), { "permessage-deflate; bar", "foo;a=b",
			"permessage-deflate;server_max_window_bits=12", "permessage-deflate" } },
		{ NONE, { "", "permessage-deflate" } },
		{ MALFORMED, { "permessage-deflate", "foo;" } },
		{ MALFORMED, { "foo;", "permessage-deflate" } },
	};
	EXPECT(cases);
}

/* Section 7.1.1: neither has a value. */
static void
test_ws_extension_answers_context_takeover_always_alike(void)
{
	static const struct negotiation cases[] = {
		{ NONE, { "permessage-deflate" } },
		{ NONE, { "permessage-deflate; server_no_context_takeover" } },
		{ NONE, { "permessage-deflate; client_no_context_takeover" } },
		{ NONE, { "permessage-deflate; client_no_context_takeover; server_no_context_takeover" } },
		{ DECLINED, { "permessage-deflate; server_no_context_takeover=1" } },
		{ DECLINED, { "permessage-deflate; client_no_context_takeover=true" } },
		{ DECLINED, { "permessage-deflate; server_no_context_takeover=\"8\"" } },
		{ DECLINED, { "permessage-deflate; client_no_context_takeover=15" } },
	};
	EXPECT(cases);
}

/* Section 7.1.2.1: with a value always, 8 to 15 in decimal without leading zeros. */
static void
test_ws_extension_answers_the_window_that_is_asked_for(void)
{
	static const struct negotiation cases[] = {
		{ NAMED("8"), { "permessage-deflate; server_max_window_bits=8" } },
		{ NAMED("9"), { "permessage-deflate; server_max_window_bits=9" } },
		{ NAMED("10"), { "permessage-deflate; server_max_window_bits=10" } },
		{ NAMED("11"), { "permessage-deflate; server_max_window_bits=11" } },
		{ NAMED("12"), { "permessage-deflate; server_max_window_bits=12" } },
		{ NAMED("13"), { "permessage-deflate; server_max_window_bits=13" } },
		{ NAMED("14"), { "permessage-deflate; server_max_window_bits=14" } },
		{ NAMED("15"), { "permessage-deflate; server_max_window_bits=15" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=7" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=16" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=0" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=1" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=08" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=010" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=+9" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=-9" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=9.0" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=0x9" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=1a" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=150" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=4294967305" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=18446744073709551625" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=ten" } },
	};
	EXPECT(cases);
}

/* Section 7.1.2.2: with a value or without. It is not answered: the gateway reads any window. */
static void
test_ws_extension_reads_a_window_of_the_client_and_does_not_answer_it(void)
{
	static const struct negotiation cases[] = {
		{ NONE, { "permessage-deflate; client_max_window_bits" } },
		{ NONE, { "permessage-deflate; client_max_window_bits=8" } },
		{ NONE, { "permessage-deflate; client_max_window_bits=10" } },
		{ NONE, { "permessage-deflate; client_max_window_bits=15" } },
		{ DECLINED, { "permessage-deflate; client_max_window_bits=7" } },
		{ DECLINED, { "permessage-deflate; client_max_window_bits=16" } },
		{ DECLINED, { "permessage-deflate; client_max_window_bits=09" } },
		{ DECLINED, { "permessage-deflate; client_max_window_bits=all" } },
		{ NAMED("9"), { "permessage-deflate; client_max_window_bits=10; server_max_window_bits=9" } },
	};
	EXPECT(cases);
}

/* Section 7.1: each of these declines the offer, and nothing more. */
static void
test_ws_extension_declines_offers_with_unknown_or_doubled_parameters(void)
{
	static const struct negotiation cases[] = {
		{ DECLINED, { "permessage-deflate; foo" } },
		{ DECLINED, { "permessage-deflate; foo=bar; server_no_context_takeover" } },
		{ DECLINED, { "permessage-deflate; Server_no_context_takeover" } },
		{ DECLINED, { "permessage-deflate; server_no_context_takeover; server_no_context_takeover" } },
		{ DECLINED, { "permessage-deflate; client_no_context_takeover; client_no_context_takeover" } },
		{ DECLINED, { "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9" } },
		{ DECLINED, { "permessage-deflate; client_max_window_bits; client_max_window_bits=9" } },
		{ NONE, { "permessage-deflate; client_max_window_bits; client_max_window_bits, "
			"permessage-deflate" } },
		{ DECLINED, { "x-webkit-deflate-frame" } },
		{ DECLINED, { "permessage-deflated" } },
		{ DECLINED, { "permessage-deflat" } },
	};
	EXPECT(cases);
}

/* ---- RFC 6455, section 9.1 ---- */

static void
test_ws_extension_reads_quoted_values_as_what_they_stand_for(void)
{
	static const struct negotiation cases[] = {
		{ NAMED("10"), { "permessage-deflate; server_max_window_bits=\"10\"" } },
		{ NAMED("10"), { "permessage-deflate; server_max_window_bits=\"1\\0\"" } },
		{ NAMED("10"), { "permessage-deflate; server_max_window_bits=\"\\1\\0\"" } },
		{ NONE, { "foo; a=\"b\", permessage-deflate" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=\"\"" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=\"10" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=\"10\\" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=\"1 0\"" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=\"10\"1" } },
		{ MALFORMED, { "foo; a=\"b\\\"\", permessage-deflate" } },
		{ MALFORMED, { "foo; a=\"b,permessage-deflate\"" } },
	};
	EXPECT(cases);
}

static void
test_ws_extension_allows_white_space_and_empty_elements(void)
{
	static const struct negotiation cases[] = {
		{ NAMED("9"), { "permessage-deflate;server_max_window_bits=9" } },
		{ NAMED("9"), { "\t permessage-deflate\t; server_max_window_bits\t=  9\t" } },
		{ NONE, { ", ,permessage-deflate,,permessage-deflate ," } },
		{ DECLINED, { "" } },
		{ DECLINED, { " , ," } },
	};
	EXPECT(cases);
}

static void
test_ws_extension_finds_what_breaks_the_grammar(void)
{
	static const struct negotiation cases[] = {
		{ MALFORMED, { "permessage-deflate;" } },
		{ MALFORMED, { "permessage-deflate; ;server_no_context_takeover" } },
		{ MALFORMED, { "permessage-deflate server_no_context_takeover" } },
		{ MALFORMED, { "permessage-deflate=1" } },
		{ MALFORMED, { "permessage-deflate; =9" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=9=9" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=9 9" } },
		{ MALFORMED, { "permessage-deflate; server_max_window_bits=(9)" } },
		{ MALFORMED, { "permessage-deflate, ; foo" } },
		{ MALFORMED, { "; permessage-deflate" } },
		{ MALFORMED, { "\"permessage-deflate\"" } },
		{ MALFORMED, { "permessage-deflate, foo/1" } },
	};
	EXPECT(cases);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_extension_takes_the_first_offer_that_can_be_accepted),
		UNIT_TEST(test_ws_extension_reads_several_lines_as_one_list),
		UNIT_TEST(test_ws_extension_answers_context_takeover_always_alike),
		UNIT_TEST(test_ws_extension_answers_the_window_that_is_asked_for),
		UNIT_TEST(test_ws_extension_reads_a_window_of_the_client_and_does_not_answer_it),
		UNIT_TEST(test_ws_extension_declines_offers_with_unknown_or_doubled_parameters),
		UNIT_TEST(test_ws_extension_reads_quoted_values_as_what_they_stand_for),
		UNIT_TEST(test_ws_extension_allows_white_space_and_empty_elements),
		UNIT_TEST(test_ws_extension_finds_what_breaks_the_grammar),
		{ NULL, NULL },
	};
	return unit_main("ws_extension", tests);
}
