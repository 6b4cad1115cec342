#include "clients/engine_io/eio_encoders.h"

#include "bus/message.h"
#include "clients/engine_io/eio_packet.h"
#include "live/control.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"

static struct sl_buffer out;
static uint32_t ends[8];

static void
expect(const char *bytes, size_t len)
{
	CU_ASSERT_EQUAL(sl_buffer_status(&out), 0);
	CU_ASSERT_EQUAL(out.len, len);
	CU_ASSERT(out.len == len && (len == 0 || memcmp(out.bytes, bytes, len) == 0));
	sl_buffer_finish(&out);
}

#define EXPECT(literal) expect(literal, sizeof literal - 1)

static struct sl_message *
create(enum sl_payload_type type, const char *text, size_t len)
{
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create(&message, "c", 1, type, text, len), 0);
	sl_message_stamp(message, (struct sl_cursor){ 1, 1 }, 0);
	return message;
}

static void
frame(const struct sl_encoder *encoder)
{
	struct sl_message *messages[] = { create(SL_JSON, "{\"a\":1}", 7), create(SL_BINARY, "\1\2\3", 3),
		create(SL_TEXT, "hi", 2), create(SL_TEXT, "a\x1e" "1", 3) };
	CU_ASSERT_EQUAL(encoder->frame_messages(encoder, NULL, messages, 4, &out, ends), 4);
	CU_ASSERT_EQUAL(ends[3], out.len);
	for (int i = 0; i < 4; i++)
		sl_message_unref(messages[i]);
}

static void
test_polling_puts_separators_between_messages_and_what_is_there(void)
{
	frame(sl_eio_encoders_get_raw(false));
	CU_ASSERT(ends[0] == 8 && ends[1] == 14 && ends[2] == 18);
	EXPECT("4{\"a\":1}\x1e" "bAQID\x1e" "4hi\x1e" "bYR4x");
	sl_buffer_append_str(&out, "2");
	frame(sl_eio_encoders_get_raw(false));
	EXPECT("2\x1e" "4{\"a\":1}\x1e" "bAQID\x1e" "4hi\x1e" "bYR4x");
}

static void
test_a_websocket_has_a_frame_for_each_and_binary_bare(void)
{
	frame(sl_eio_encoders_get_raw(true));
	CU_ASSERT(ends[0] == 10 && ends[1] == 15 && ends[2] == 20);
	EXPECT("\x81\x08" "4{\"a\":1}" "\x82\x03\1\2\3" "\x81\x03" "4hi" "\x81\x04" "4a\x1e" "1");
}

static void
test_an_answer_to_a_poll_has_a_limit_and_one_message_always_fits(void)
{
	static char large[SL_EIO_ANSWER_MAX];
	memset(large, 'x', sizeof large);
	struct sl_message *messages[] = { create(SL_TEXT, large, sizeof large), create(SL_TEXT, "y", 1) };
	const struct sl_encoder *encoder = sl_eio_encoders_get_raw(false);
	CU_ASSERT_EQUAL(encoder->frame_messages(encoder, NULL, messages, 2, &out, ends), 1);
	CU_ASSERT_EQUAL(out.len, 1 + sizeof large);
	sl_buffer_clear(&out);
	encoder = sl_eio_encoders_get_raw(true);
	CU_ASSERT_EQUAL(encoder->frame_messages(encoder, NULL, messages, 2, &out, ends), 2);
	sl_buffer_finish(&out);
	for (int i = 0; i < 2; i++)
		sl_message_unref(messages[i]);
}

static void
test_of_control_objects_a_client_sees_the_ping_alone(void)
{
	for (int type = 0; type < SL_CONTROL_TYPES; type++)
		for (int is_websocket = 0; is_websocket < 2; is_websocket++) {
			const struct sl_control control = { .type = (enum sl_control_type)type };
			sl_eio_encoders_frame_control(sl_eio_encoders_get_raw(is_websocket), &control, &out);
			if (type == SL_CONTROL_HEARTBEAT && is_websocket)
				EXPECT("\x81\x01" "2");
			else
				EXPECT("");
		}
}

static void
test_an_end_is_a_close_frame_after_which_a_client_comes_again(void)
{
	const struct sl_encoder *encoder = sl_eio_encoders_get_raw(true);
	encoder->frame_end(encoder, SL_END_DRAINING, 0, &out);
	EXPECT("\x88\x02\x03\xf4");
	encoder->frame_end(encoder, SL_END_CLIENT, 1000, &out);
	EXPECT("\x88\x02\x03\xe8");
	sl_eio_encoders_frame_end(sl_eio_encoders_get_raw(false), SL_END_DRAINING, 0, &out);
	EXPECT("");
}

static void
test_beats_are_the_websockets_and_sessions_have_a_clock_of_their_own(void)
{
	CU_ASSERT_EQUAL(sl_eio_encoders_get_raw(true)->beats, SL_BEATS_ALWAYS);
	CU_ASSERT_EQUAL(sl_eio_encoders_get_raw(false)->beats, SL_BEATS_NEVER);
	CU_ASSERT_TRUE(sl_eio_encoders_is_polling(sl_eio_encoders_get_raw(false)));
	CU_ASSERT_FALSE(sl_eio_encoders_is_polling(sl_eio_encoders_get_raw(true)));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_polling_puts_separators_between_messages_and_what_is_there),
		UNIT_TEST(test_a_websocket_has_a_frame_for_each_and_binary_bare),
		UNIT_TEST(test_an_answer_to_a_poll_has_a_limit_and_one_message_always_fits),
		UNIT_TEST(test_of_control_objects_a_client_sees_the_ping_alone),
		UNIT_TEST(test_an_end_is_a_close_frame_after_which_a_client_comes_again),
		UNIT_TEST(test_beats_are_the_websockets_and_sessions_have_a_clock_of_their_own),
		{ NULL, NULL },
	};
	return unit_main("eio_encoders", tests);
}
