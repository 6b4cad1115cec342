#include "transports/ws_encoders.h"

#include <string.h>

#include "live/encoder.h"
#include "tests/unit/deflate_parts.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"
#include "util/deflate.h"

#define OBJECT "{\"id\":\"9f3a1c07-5\",\"channel\":\"a\",\"time\":1790000000000000,\"data\":\"hello\"}"

static void
expect_bytes(struct sl_buffer *out, const char *bytes, size_t len)
{
	CU_ASSERT_EQUAL_FATAL(out->len, len);
	CU_ASSERT_TRUE(len == 0 || memcmp(out->bytes, bytes, len) == 0);
	sl_buffer_finish(out);
}

static void
frame_message(enum sl_ws_format format, struct sl_message *message, struct sl_buffer *out)
{
	const struct sl_encoder *encoder = sl_ws_encoders_get(format, 0);
	uint32_t end;
	CU_ASSERT_EQUAL(encoder->frame_messages(encoder, NULL, &message, 1, out, &end), 1);
	CU_ASSERT_EQUAL(end, out->len);
	sl_message_unref(message);
}

static void
test_ws_encoders_frame_the_object_or_the_payload(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	frame_message(SL_WS_JSON, make_message(5, "a", "hello"), &out);
	expect_bytes(&out, "\x81\x48" OBJECT, 2 + sizeof OBJECT - 1);
	frame_message(SL_WS_RAW, make_message(5, "a", "hello"), &out);
	expect_bytes(&out, "\x81\x05hello", 7);
	frame_message(SL_WS_RAW, make_message_of(5, "a", SL_BINARY, "\0\1", 2), &out);
	expect_bytes(&out, "\x82\x02\0\1", 4);
}

static void
test_ws_encoders_tell_raw_clients_of_heartbeats_by_a_ping(void)
{
	const struct sl_encoder *json = sl_ws_encoders_get(SL_WS_JSON, 0);
	const struct sl_encoder *raw = sl_ws_encoders_get(SL_WS_RAW, 0);
	struct sl_control control = { .type = SL_CONTROL_HEARTBEAT, .object = { "{}", 2 } };
	struct sl_buffer out = SL_BUFFER_INIT;
	json->frame_control(json, &control, &out);
	expect_bytes(&out, "\x81\x02{}", 4);
	raw->frame_control(raw, &control, &out);
	expect_bytes(&out, "\x89\x00", 2);
	control.type = SL_CONTROL_BACKEND;
	raw->frame_control(raw, &control, &out);
	expect_bytes(&out, "", 0);
	control.type = SL_CONTROL_OPEN;
	raw->frame_control(raw, &control, &out);
	expect_bytes(&out, "", 0);
}

static void
test_ws_encoders_end_with_the_code_of_the_reason_or_of_the_transport(void)
{
	const struct sl_encoder *json = sl_ws_encoders_get(SL_WS_JSON, 0);
	struct sl_buffer out = SL_BUFFER_INIT;
	json->frame_end(json, SL_END_DRAINING, 1002, &out);
	expect_bytes(&out, "\x88\x02\x03\xf4", 4);
	json->frame_end(json, SL_END_PROTOCOL, 1002, &out);
	expect_bytes(&out, "\x88\x02\x03\xea", 4);
	json->frame_end(json, SL_END_PROTOCOL, 0, &out);
	expect_bytes(&out, "\x88\x02\x03\xeb", 4);
	json->frame_end(json, SL_END_EPOCH, 0, &out);
	expect_bytes(&out, "\x88\x02\x0f\xa3", 4);
}

/* ---- compressed ---- */

static struct sl_metrics metrics;
static struct sl_compression compression = { .least_bytes = 100, .metrics = &metrics };
static char json[2000];

static void
begin_compressing(void)
{
	memset(&metrics, 0, sizeof metrics);
	CU_ASSERT_EQUAL_FATAL(sl_deflater_create(&compression.deflater), 0);
	memset(json, 'x', sizeof json);
	json[0] = json[sizeof json - 1] = '"';
}

static void
stop_compressing(void)
{
	sl_deflater_destroy(compression.deflater);
	compression.deflater = NULL;
}

static struct sl_message *
make_json(size_t len, bool uncompressed)
{
	struct sl_message *message;
	struct sl_payload payload = { SL_TEXT, json, len, 1, uncompressed };
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, (struct sl_span){ "a", 1 }, &payload), 0);
	sl_message_stamp(message, (struct sl_cursor){ MESSAGE_EPOCH, 5 }, MESSAGE_TIME_US);
	return message;
}

static void
frame_compressed(enum sl_ws_format format, unsigned bits, struct sl_message *message,
	struct sl_buffer *out)
{
	const struct sl_encoder *encoder = sl_ws_encoders_get(format, bits);
	uint32_t end;
	CU_ASSERT_EQUAL(encoder->window_bits, bits);
	CU_ASSERT_EQUAL(encoder->frame_compressed(encoder, &compression, &message, 1, out, &end), 1);
	CU_ASSERT_EQUAL(end, out->len);
}

static void
expect_compressed(enum sl_ws_format format, unsigned bits, struct sl_message *message,
	unsigned opcode, const char *text, size_t len)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	frame_compressed(format, bits, message, &out);
	CU_ASSERT_TRUE_FATAL(out.len > 2 && out.len < len);
	CU_ASSERT_EQUAL((unsigned char)out.bytes[0], 0x80u | SL_WS_RSV1 | opcode);
	size_t head = (unsigned char)out.bytes[1] < 126 ? 2 : 4;
	CU_ASSERT_TRUE(deflate_fits_window(bits, out.bytes + head, out.len - head, text, len));
	sl_buffer_finish(&out);
}

static uint64_t
get(enum sl_counter counter)
{
	return atomic_load(&metrics.counters[counter]);
}

static void
test_ws_encoders_compress_for_each_window(void)
{
	begin_compressing();
	struct sl_message *message = make_json(sizeof json, false);
	struct sl_message *binary = make_message_of(6, "a", SL_BINARY, json, sizeof json);
	for (unsigned bits = SL_DEFLATE_BITS_MIN; bits <= SL_DEFLATE_BITS_MAX; bits++) {
		expect_compressed(SL_WS_JSON, bits, message, SL_WS_OPCODE_TEXT, message->object,
			message->object_len);
		expect_compressed(SL_WS_RAW, bits, message, SL_WS_OPCODE_TEXT, json, sizeof json);
		expect_compressed(SL_WS_RAW, bits, binary, SL_WS_OPCODE_BINARY, json, sizeof json);
	}
	CU_ASSERT_EQUAL(get(SL_COUNTER_DEFLATE_MESSAGES), 3 * SL_DEFLATE_WINDOWS);
	CU_ASSERT_EQUAL(get(SL_COUNTER_DEFLATE_BYTES_IN),
		SL_DEFLATE_WINDOWS * (message->object_len + 2 * sizeof json));
	CU_ASSERT_TRUE(get(SL_COUNTER_DEFLATE_BYTES_OUT) < SL_DEFLATE_WINDOWS * 3 * 200);
	sl_message_unref(message);
	sl_message_unref(binary);
	stop_compressing();
}

static void
expect_left_alone(enum sl_ws_format format, struct sl_message *message)
{
	const struct sl_encoder *plain = sl_ws_encoders_get(format, 0);
	struct sl_buffer out = SL_BUFFER_INIT, expected = SL_BUFFER_INIT;
	uint32_t end;
	CU_ASSERT_TRUE(plain->frame_compressed == NULL);
	plain->frame_messages(plain, NULL, &message, 1, &expected, &end);
	frame_compressed(format, 15, message, &out);
	expect_bytes(&out, expected.bytes, expected.len);
	sl_buffer_finish(&expected);
	CU_ASSERT_EQUAL(get(SL_COUNTER_DEFLATE_MESSAGES), 0);
	sl_message_unref(message);
}

static void
test_ws_encoders_leave_messages_that_shall_not_be_compressed_as_they_are(void)
{
	static char noise[500];
	begin_compressing();
	expect_left_alone(SL_WS_JSON, make_json(sizeof json, true));
	expect_left_alone(SL_WS_RAW, make_json(sizeof json, true));
	expect_left_alone(SL_WS_JSON, make_json(99, false)); /* below the threshold */
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)((i * 2654435761u) >> 13 ^ (i * 40503u) >> 5);
	expect_left_alone(SL_WS_RAW, make_message_of(5, "a", SL_BINARY, noise, sizeof noise));
	stop_compressing();
	expect_left_alone(SL_WS_JSON, make_json(sizeof json, false)); /* nothing to compress with */
}

static void
test_ws_encoders_compress_from_the_threshold_on(void)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	begin_compressing();
	struct sl_message *message = make_json(100, false);
	frame_compressed(SL_WS_RAW, 15, message, &out);
	CU_ASSERT_EQUAL(get(SL_COUNTER_DEFLATE_MESSAGES), 1);
	sl_buffer_finish(&out);
	sl_message_unref(message);
	stop_compressing();
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_encoders_frame_the_object_or_the_payload),
		UNIT_TEST(test_ws_encoders_tell_raw_clients_of_heartbeats_by_a_ping),
		UNIT_TEST(test_ws_encoders_end_with_the_code_of_the_reason_or_of_the_transport),
		UNIT_TEST(test_ws_encoders_compress_for_each_window),
		UNIT_TEST(test_ws_encoders_leave_messages_that_shall_not_be_compressed_as_they_are),
		UNIT_TEST(test_ws_encoders_compress_from_the_threshold_on),
		{ NULL, NULL },
	};
	return unit_main("ws_encoders", tests);
}
