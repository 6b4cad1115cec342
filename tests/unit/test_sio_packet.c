#include "clients/socket_io/sio_packet.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define DEPTH 8

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static int
parse(struct sl_sio_packet *out, const char *text)
{
	return sl_sio_packet_read(out, span(text), DEPTH);
}

/* As text: type, attachments, namespace, id, JSON. */
static void
expect(const char *text, const char *expected)
{
	struct sl_sio_packet packet;
	char got[256];
	CU_ASSERT_EQUAL_FATAL(parse(&packet, text), 0);
	snprintf(got, sizeof got, "%d %u %.*s %d %.*s", (int)packet.type, packet.attachments, (int)packet.nsp.len,
		packet.nsp.bytes, (int)packet.id, (int)packet.json.len, packet.json.bytes ? packet.json.bytes : "");
	CU_ASSERT_STRING_EQUAL(got, expected);
}

static void
test_sio_packet_has_the_parts_that_the_protocol_shows(void)
{
	expect("0", "0 0 / -1 ");
	expect("0{\"token\":\"123\"}", "0 0 / -1 {\"token\":\"123\"}");
	expect("0/admin,", "0 0 /admin -1 ");
	expect("0/admin", "0 0 /admin -1 ");
	expect("0/admin,{}", "0 0 /admin -1 {}");
	expect("1", "1 0 / -1 ");
	expect("1/admin,", "1 0 /admin -1 ");
	expect("2[\"foo\"]", "2 0 / -1 [\"foo\"]");
	expect("2/admin,[\"bar\",1]", "2 0 /admin -1 [\"bar\",1]");
	expect("212[\"foo\"]", "2 0 / 12 [\"foo\"]");
	expect("20[\"foo\"]", "2 0 / 0 [\"foo\"]"); /* 0 is an id */
	expect("2/admin,456[\"foo\"]", "2 0 /admin 456 [\"foo\"]");
	expect("2[7]", "2 0 / -1 [7]"); /* a number is a name */
	expect("2 [ \"foo\" ] ", "2 0 / -1  [ \"foo\" ] ");
	expect("3/admin,13[]", "3 0 /admin 13 []");
	expect("31", "3 0 / 1 ");
	expect("51-[\"baz\",{\"_placeholder\":true,\"num\":0}]",
		"5 1 / -1 [\"baz\",{\"_placeholder\":true,\"num\":0}]");
	expect("52-/admin,7[\"baz\"]", "5 2 /admin 7 [\"baz\"]");
	expect("510-[\"baz\"]", "5 10 / -1 [\"baz\"]");
	expect("3[]", "3 0 / -1 []"); /* the reference ignores it too */
	expect("61-[]", "6 1 / -1 []");
	expect("61-/admin,456[{\"_placeholder\":true,\"num\":0}]",
		"6 1 /admin 456 [{\"_placeholder\":true,\"num\":0}]");
	expect("2999999999[\"a\"]", "2 0 / 999999999 [\"a\"]");
	expect("2[\"\\u0063onnects\"]", "2 0 / -1 [\"\\u0063onnects\"]");
}

static void
test_sio_packet_refuses_what_closes_the_transport(void)
{
	static const char *const bad[] = {
		"", "7", "a", "-", "{}", "\xff", "/",
		"0[]", "0\"a\"", "0null", "0{", "0{}x", "01{", "0/admin,{]", /* CONNECT has an object */
		"1{}", "1[]", "1/admin,[]", "1x",
		"2", "2/admin,", "2{}", "2[]", "2\"a\"", "2null", "2[null]", "2[{}]", "2[[]]", "2[true]", "2[\"a\"", "2[\"a\"]]",
		"2[\"connect\"]", "2[\"connect_error\",1]", "2[\"disconnect\"]", "2[\"disconnecting\"]",
		"2[\"newListener\"]", "2[\"removeListener\"]", "2[\"\\u0063onnect\"]", "2[\"discon\\u006eect\"]",
		"2-1[\"a\"]", "21.5[\"a\"]", "21e3[\"a\"]", "2 1[\"a\"]", "21 2[\"a\"]", "21x[\"a\"]", "2+1[\"a\"]", "20x1[\"a\"]",
		"21000000000[\"a\"]", "299999999999999999999999[\"a\"]",
		"31{}", "31\"a\"", "31[", "3{}",
		"4", "4{}", "4\"a\"", "4/admin,{\"message\":\"x\"}", /* clients say no such thing */
		"5[\"a\"]", "5-[\"a\"]", "50-[\"a\"]", "500-[\"a\"]", "5a-[\"a\"]", "51[\"a\"]", "5 1-[\"a\"]", "511-[\"a\"]", "51.0-[\"a\"]", "5-1-[\"a\"]", "51-",
		"51-[]", "51-{}", "51-[\"connect\"]",
		"6[]", "611-1[]",
		"2[\"a\",\"\xff\"]", "2/\xc3,[\"a\"]", "2[\"a\",\"\xed\xa0\x80\"]", "2[\"a\tb\"]",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sl_sio_packet packet;
		int err = parse(&packet, bad[i]);
		CU_ASSERT_EQUAL(err, SL_EPROTO);
		if (err != SL_EPROTO)
			printf("\naccepted: %s\n", bad[i]);
	}
}

static void
test_sio_packet_may_not_have_a_zero_byte(void)
{
	struct sl_sio_packet packet;
	CU_ASSERT_EQUAL(sl_sio_packet_read(&packet, (struct sl_span){ "2\0[\"a\"]", 7 }, DEPTH), SL_EPROTO);
	CU_ASSERT_EQUAL(sl_sio_packet_read(&packet, (struct sl_span){ "2[\"a\0\"]", 7 }, DEPTH), SL_EPROTO);
}

/* Names that are no channel's are read, and answered; without end they are not. */
static void
test_sio_packet_has_a_namespace_of_bounded_length(void)
{
	char text[SL_SIO_NAMESPACE_MAX + 4];
	struct sl_sio_packet packet;
	memset(text, 'x', sizeof text);
	memcpy(text, "0/", 2);
	CU_ASSERT_EQUAL(sl_sio_packet_read(&packet, (struct sl_span){ text, 1 + SL_SIO_NAMESPACE_MAX }, DEPTH), 0);
	CU_ASSERT_EQUAL(packet.nsp.len, SL_SIO_NAMESPACE_MAX);
	CU_ASSERT_EQUAL(sl_sio_packet_read(&packet, (struct sl_span){ text, 2 + SL_SIO_NAMESPACE_MAX }, DEPTH),
		SL_EPROTO);
	expect("2/a/b c*,[\"x\"]", "2 0 /a/b c* -1 [\"x\"]");
}

/* The array around the arguments is none of theirs. */
static void
test_sio_packet_knows_what_is_too_deep(void)
{
	struct sl_sio_packet packet;
	CU_ASSERT_EQUAL(parse(&packet, "21[\"a\",[[[[[[[[]]]]]]]]]"), 0);
	CU_ASSERT_EQUAL(parse(&packet, "21[\"a\",[[[[[[[[[]]]]]]]]]]"), SL_ETOODEEP);
	CU_ASSERT_EQUAL(packet.id, 1);
	CU_ASSERT_EQUAL(parse(&packet, "21[[[[[[[[[[[]]]]]]]]]]]"), SL_EPROTO); /* no name */
}

static void
expect_head(enum sl_sio_type type, unsigned attachments, const char *nsp, int32_t id, const char *expected)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_sio_packet_append_head(&out, type, attachments, span(nsp), id);
	CU_ASSERT_EQUAL_FATAL(out.len, strlen(expected));
	CU_ASSERT_EQUAL(memcmp(out.bytes, expected, out.len), 0);
	sl_buffer_finish(&out);
}

static void
test_sio_packet_head_is_what_a_client_reads(void)
{
	expect_head(SL_SIO_CONNECT, 0, "/", SL_SIO_NO_ID, "0");
	expect_head(SL_SIO_CONNECT_ERROR, 0, "/x", SL_SIO_NO_ID, "4/x,");
	expect_head(SL_SIO_EVENT, 0, "/", SL_SIO_NO_ID, "2");
	expect_head(SL_SIO_EVENT, 3, "/x", 0, "2/x,0"); /* no attachments where the type has none */
	expect_head(SL_SIO_ACK, 0, "/", 17, "317");
	expect_head(SL_SIO_BINARY_EVENT, 2, "/", SL_SIO_NO_ID, "52-");
	expect_head(SL_SIO_BINARY_ACK, 1, "/x", 999999999, "61-/x,999999999");
}

/* A name with escapes has to be decoded; without memory it counts as reserved. */
static void
test_sio_packet_without_memory_is_refused(void)
{
	for_each_failing_allocation(failing) {
		struct sl_sio_packet packet;
		int err = parse(&packet, "2[\"\\u0063onnects\"]");
		failing_expect(err == SL_EPROTO ? SL_ENOMEM : err);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_packet_has_the_parts_that_the_protocol_shows),
		UNIT_TEST(test_sio_packet_refuses_what_closes_the_transport),
		UNIT_TEST(test_sio_packet_may_not_have_a_zero_byte),
		UNIT_TEST(test_sio_packet_has_a_namespace_of_bounded_length),
		UNIT_TEST(test_sio_packet_knows_what_is_too_deep),
		UNIT_TEST(test_sio_packet_head_is_what_a_client_reads),
		UNIT_TEST(test_sio_packet_without_memory_is_refused),
		{ NULL, NULL },
	};
	return unit_main("sio_packet", tests);
}
