#include "transports/ws_encoders.h"

#include <string.h>

#include "live/encoder.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"

#define OBJECT "{\"id\":\"9f3a1c07-5\",\"channel\":\"a\",\"time\":1790000000000000,\"data\":\"hello\"}"

static void
expect_bytes(struct sl_buffer *out, const char *bytes, size_t len)
{
	CU_ASSERT_EQUAL_FATAL(out->len, len);
	CU_ASSERT_EQUAL(memcmp(out->bytes, bytes, len), 0);
	sl_buffer_finish(out);
}

static void
frame_message(enum sl_ws_format format, struct sl_message *message, struct sl_buffer *out)
{
	const struct sl_encoder *encoder = sl_ws_encoders_get(format);
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
	const struct sl_encoder *json = sl_ws_encoders_get(SL_WS_JSON);
	const struct sl_encoder *raw = sl_ws_encoders_get(SL_WS_RAW);
	struct sl_control control = { .type = SL_CONTROL_HEARTBEAT, .object = { "{}", 2 } };
	struct sl_buffer out = SL_BUFFER_INIT;
	json->frame_control(json, &control, &out);
	expect_bytes(&out, "\x81\x02{}", 4);
	raw->frame_control(raw, &control, &out);
	expect_bytes(&out, "\x89\x00", 2);
	control.type = SL_CONTROL_OPEN;
	raw->frame_control(raw, &control, &out);
	expect_bytes(&out, "", 0);
}

static void
test_ws_encoders_end_with_the_code_of_the_reason_or_of_the_transport(void)
{
	const struct sl_encoder *json = sl_ws_encoders_get(SL_WS_JSON);
	struct sl_buffer out = SL_BUFFER_INIT;
	json->frame_end(json, SL_END_DRAINING, 1002, &out);
	expect_bytes(&out, "\x88\x02\x03\xf4", 4);
	json->frame_end(json, SL_END_PROTOCOL, 1002, &out);
	expect_bytes(&out, "\x88\x02\x03\xea", 4);
	json->frame_end(json, SL_END_PROTOCOL, 0, &out);
	expect_bytes(&out, "\x88\x02\x03\xeb", 4);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_ws_encoders_frame_the_object_or_the_payload),
		UNIT_TEST(test_ws_encoders_tell_raw_clients_of_heartbeats_by_a_ping),
		UNIT_TEST(test_ws_encoders_end_with_the_code_of_the_reason_or_of_the_transport),
		{ NULL, NULL },
	};
	return unit_main("ws_encoders", tests);
}
