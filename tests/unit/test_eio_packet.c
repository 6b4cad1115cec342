#include "clients/engine_io/eio_packet.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
expect(const struct sl_buffer *buffer, const char *text)
{
	CU_ASSERT_EQUAL(sl_buffer_status(buffer), 0);
	CU_ASSERT_EQUAL(buffer->len, strlen(text));
	CU_ASSERT(buffer->len == strlen(text) && memcmp(buffer->bytes, text, buffer->len) == 0);
}

static void
test_each_digit_is_a_packet_with_what_follows_it(void)
{
	static const char *const texts[SL_EIO_PACKET_TYPES] = { "0{}", "1", "2probe", "3", "4hello", "5", "6" };
	struct sl_buffer decoded = SL_BUFFER_INIT;
	for (unsigned type = 0; type < SL_EIO_PACKET_TYPES; type++) {
		struct sl_eio_packet packet;
		CU_ASSERT_EQUAL(sl_eio_packet_read(&packet, span(texts[type]), &decoded), 0);
		CU_ASSERT_EQUAL(packet.type, type);
		CU_ASSERT_FALSE(packet.is_binary);
		CU_ASSERT(sl_span_equals(packet.data, texts[type] + 1));
	}
	sl_buffer_finish(&decoded);
}

static void
test_what_is_no_packet_is_refused(void)
{
	static const char *const wrong[] = { "", "abc", "7", "9hello", " 4", "\xc3\xa9", "B", "\x1e", "bA", "bAQID=",
		"b=", "bAQ===", "bA Q=", "bAQ-_", "b=AQI", "bAQ=I" };
	struct sl_buffer decoded = SL_BUFFER_INIT;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct sl_eio_packet packet;
		CU_ASSERT_EQUAL(sl_eio_packet_read(&packet, span(wrong[i]), &decoded), SL_EINVAL);
	}
	sl_buffer_finish(&decoded);
}

static void
test_binary_is_base64_with_or_without_its_padding(void)
{
	static const struct { const char *text, *bytes; size_t len; } cases[] = {
		{ "b", "", 0 }, { "bAQIDBA==", "\1\2\3\4", 4 }, { "bAQIDBA", "\1\2\3\4", 4 }, { "bAA==", "\0", 1 },
		{ "b//79", "\xff\xfe\xfd", 3 }, { "b++8=", "\xfb\xef", 2 }, { "bAQJ=", "\1\2", 2 },
	};
	struct sl_buffer decoded = SL_BUFFER_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sl_eio_packet packet;
		CU_ASSERT_EQUAL(sl_eio_packet_read(&packet, span(cases[i].text), &decoded), 0);
		CU_ASSERT(packet.type == SL_EIO_MESSAGE && packet.is_binary);
		CU_ASSERT_EQUAL_FATAL(packet.data.len, cases[i].len);
		CU_ASSERT_EQUAL(memcmp(packet.data.bytes, cases[i].bytes, cases[i].len), 0);
	}
	sl_buffer_finish(&decoded);
}

static void
expect_texts(struct sl_span payload, const char *const *texts)
{
	struct sl_span text;
	for (; *texts; texts++) {
		CU_ASSERT_FATAL(sl_eio_packet_next(&payload, &text));
		CU_ASSERT(sl_span_equals(text, *texts));
	}
	CU_ASSERT_FALSE(sl_eio_packet_next(&payload, &text));
}

static void
test_a_payload_is_cut_at_its_separators(void)
{
	expect_texts(span("4a\x1e" "4b\x1e" "bAQ=="), (const char *const[]){ "4a", "4b", "bAQ==", NULL });
	expect_texts(span("3"), (const char *const[]){ "3", NULL });
	expect_texts(span(""), (const char *const[]){ "", NULL });
	expect_texts(span("4a\x1e"), (const char *const[]){ "4a", "", NULL });
	expect_texts(span("\x1e"), (const char *const[]){ "", "", NULL });
}

static void
test_messages_are_written_as_the_client_reads_them(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_eio_packet_append_message(&out, span("hello"), false);
	sl_buffer_append_char(&out, SL_EIO_SEPARATOR);
	sl_eio_packet_append_message(&out, span("\1\2\3\4"), true);
	sl_buffer_append_char(&out, SL_EIO_SEPARATOR);
	sl_eio_packet_append_message(&out, span(""), false);
	sl_buffer_append_char(&out, SL_EIO_SEPARATOR);
	sl_eio_packet_append_message(&out, span(""), true);
	sl_buffer_append_char(&out, SL_EIO_SEPARATOR);
	sl_eio_packet_append(&out, SL_EIO_PONG, span("probe"));
	sl_buffer_append_char(&out, SL_EIO_SEPARATOR);
	sl_eio_packet_append(&out, SL_EIO_NOOP, (struct sl_span){ 0 });
	expect(&out, "4hello\x1e" "bAQIDBA==\x1e" "4\x1e" "b\x1e" "3probe\x1e" "6");
	sl_buffer_finish(&out);
}

static void
test_text_with_a_separator_cannot_make_up_packets(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_eio_packet_append_message(&out, span("a\x1e" "1"), false);
	expect(&out, "bYR4x");
	sl_buffer_finish(&out);
}

static void
test_open_has_the_five_members(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	struct sl_eio_handshake handshake = { span("AbC-_0"), true, 25000, 20000, 1000000 };
	sl_eio_packet_append_open(&out, &handshake);
	expect(&out, "0{\"sid\":\"AbC-_0\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
		"\"pingTimeout\":20000,\"maxPayload\":1000000}");
	sl_buffer_clear(&out);
	handshake.can_upgrade = false;
	handshake.ping_interval_ms = 300;
	sl_eio_packet_append_open(&out, &handshake);
	expect(&out, "0{\"sid\":\"AbC-_0\",\"upgrades\":[],\"pingInterval\":300,"
		"\"pingTimeout\":20000,\"maxPayload\":1000000}");
	sl_buffer_finish(&out);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_each_digit_is_a_packet_with_what_follows_it),
		UNIT_TEST(test_what_is_no_packet_is_refused),
		UNIT_TEST(test_binary_is_base64_with_or_without_its_padding),
		UNIT_TEST(test_a_payload_is_cut_at_its_separators),
		UNIT_TEST(test_messages_are_written_as_the_client_reads_them),
		UNIT_TEST(test_text_with_a_separator_cannot_make_up_packets),
		UNIT_TEST(test_open_has_the_five_members),
		{ NULL, NULL },
	};
	return unit_main("eio_packet", tests);
}
