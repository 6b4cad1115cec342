#include "clients/socket_io/sio_encoders.h"

#include <stdio.h>
#include <string.h>

#include "clients/engine_io/eio_encoders.h"
#include "clients/socket_io/sio_label.h"
#include "live/encoder.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"

#define CURSOR "9f3a1c07-5"
#define OBJECT "{\"id\":\"" CURSOR "\",\"channel\":\"c\""

/* A message numbered 5 of channel `c`. */
static struct sl_message *
make(enum sl_payload_type type, const char *bytes, size_t len, const char *event, enum sl_args args)
{
	const struct sl_payload payload = { .type = type, .bytes = bytes, .len = len, .depth_max = 8,
		.event = { event, event ? strlen(event) : 0 }, .args = args };
	struct sl_message *message;
	CU_ASSERT_EQUAL_FATAL(sl_message_create_from(&message, (struct sl_span){ "c", 1 }, &payload), 0);
	sl_message_stamp(message, (struct sl_cursor){ MESSAGE_EPOCH, 5 }, MESSAGE_TIME_US);
	return message;
}

/* What polling carries, or what a WebSocket does: its frames as [text] and <binary>. */
static const char *
frame(bool is_websocket, const char *label_text, struct sl_message *const *messages, size_t count)
{
	static char text[4096];
	const struct sl_label label = { { label_text, strlen(label_text) } };
	const struct sl_encoder *encoder = sl_sio_encoders_get(is_websocket);
	struct sl_buffer out = SL_BUFFER_INIT;
	uint32_t ends[8];
	char *at = text;
	CU_ASSERT_EQUAL(encoder->frame_messages(encoder, &label, messages, count, &out, ends), count);
	CU_ASSERT_EQUAL(ends[count - 1], out.len);
	for (size_t from = 0; is_websocket && from < out.len;) {
		const uint8_t *bytes = (const uint8_t *)out.bytes + from;
		size_t len = bytes[1] == 126 ? (size_t)bytes[2] << 8 | bytes[3] : bytes[1];
		from += bytes[1] == 126 ? 4 : 2;
		at += sprintf(at, bytes[0] == 0x81 ? "[%.*s]" : "<%.*s>", (int)len, out.bytes + from);
		from += len;
	}
	if (!is_websocket)
		sprintf(at, "%.*s", (int)out.len, out.bytes);
	sl_buffer_finish(&out);
	return text;
}

static void
expect(struct sl_message *message, const char *label, const char *websocket, const char *polling)
{
	CU_ASSERT_STRING_EQUAL(frame(true, label, &message, 1), websocket);
	CU_ASSERT_STRING_EQUAL(frame(false, label, &message, 1), polling);
	sl_message_unref(message);
}

static void
test_sio_encoders_write_an_event_with_its_arguments(void)
{
	expect(make(SL_JSON, "{\"a\":1}", 7, "news", SL_ARGS_ONE), "n/", "[42[\"news\",{\"a\":1}]]", "42[\"news\",{\"a\":1}]");
	expect(make(SL_JSON, "[1,2]", 5, "news", SL_ARGS_ONE), "n/x", "[42/x,[\"news\",[1,2]]]", "42/x,[\"news\",[1,2]]");
	expect(make(SL_JSON, " [ 1,\"b]\" ] ", 12, "news", SL_ARGS_LIST), "n/", "[42[\"news\",1,\"b]\" ]]", "42[\"news\",1,\"b]\" ]");
	expect(make(SL_JSON, " [ ] ", 5, "a \"b\"", SL_ARGS_LIST), "n/", "[42[\"a \\\"b\\\"\"]]", "42[\"a \\\"b\\\"\"]");
	expect(make(SL_TEXT, "say \"x\"\n", 8, "news", SL_ARGS_ONE), "n/", "[42[\"news\",\"say \\\"x\\\"\\n\"]]",
		"42[\"news\",\"say \\\"x\\\"\\n\"]");
	expect(make(SL_TEXT, "", 0, "news", SL_ARGS_ONE), "n/", "[42[\"news\",\"\"]]", "42[\"news\",\"\"]");
}

static void
test_sio_encoders_write_a_message_without_a_name_whole(void)
{
	char expected[256], framed[300];
	struct sl_message *message = make(SL_JSON, "1", 1, NULL, SL_ARGS_ONE);
	snprintf(expected, sizeof expected, "42/x,[\"message\",%.*s]", (int)message->object_len, message->object);
	CU_ASSERT_PTR_NOT_NULL(strstr(expected, OBJECT));
	snprintf(framed, sizeof framed, "[%s]", expected);
	expect(message, "n/x", framed, expected);
	message = make(SL_BINARY, "\1\2", 2, NULL, SL_ARGS_ONE); /* base64 within the object, as everywhere */
	snprintf(expected, sizeof expected, "42[\"message\",%.*s]", (int)message->object_len, message->object);
	snprintf(framed, sizeof framed, "[%s]", expected);
	expect(message, "n/", framed, expected);
}

/* A packet of such a name ends the connection of whoever gets it, again and again. */
static void
test_sio_encoders_never_send_a_name_that_clients_keep_for_themselves(void)
{
	static const char *const reserved[] = { "connect", "connect_error", "disconnect", "disconnecting", "newListener",
		"removeListener" };
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		struct sl_message *message = make(SL_BINARY, "x", 1, reserved[i], SL_ARGS_ONE);
		const char *text = frame(false, "n/", &message, 1);
		CU_ASSERT_EQUAL(strncmp(text, "42[\"message\"," OBJECT, strlen("42[\"message\"," OBJECT)), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, reserved[i]));
		sl_message_unref(message);
	}
}

#define ATTACHED "{\"list\":[1,{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]," \
	"\"attachments\":[\"YQ==\",\"\\/\\/\\/\\/\"]}"

static void
test_sio_encoders_send_attachments_behind_the_packet(void)
{
	expect(make(SL_BINARY, "hi", 2, "file", SL_ARGS_ONE), "n/x",
		"[451-/x,[\"file\",{\"_placeholder\":true,\"num\":0}]]<hi>",
		"451-/x,[\"file\",{\"_placeholder\":true,\"num\":0}]\x1e" "baGk=");
	expect(make(SL_BINARY, "", 0, "file", SL_ARGS_ONE), "n/", "[451-[\"file\",{\"_placeholder\":true,\"num\":0}]]<>",
		"451-[\"file\",{\"_placeholder\":true,\"num\":0}]\x1e" "b");
	expect(make(SL_JSON, ATTACHED, strlen(ATTACHED), "file", SL_ARGS_BINARY), "n/",
		"[452-[\"file\",1,{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]]<a><\xff\xff\xff>",
		"452-[\"file\",1,{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]\x1e" "bYQ==\x1e" "b////");
	expect(make(SL_JSON, "{\"list\":[],\"attachments\":[]}", 28, "file", SL_ARGS_BINARY), "n/", "[42[\"file\"]]",
		"42[\"file\"]");
}

static void
test_sio_encoders_append_an_offset_to_each_event_with_recovery(void)
{
	expect(make(SL_JSON, "1", 1, "n", SL_ARGS_ONE), "0/", "[42[\"n\",1,\"" CURSOR "\"]]", "42[\"n\",1,\"" CURSOR "\"]");
	expect(make(SL_JSON, "[]", 2, "n", SL_ARGS_LIST), "1tagg/x", "[42/x,[\"n\",\"" CURSOR ".tagg*\"]]",
		"42/x,[\"n\",\"" CURSOR ".tagg*\"]");
	expect(make(SL_BINARY, "a", 1, "n", SL_ARGS_ONE), "9tagg/",
		"[451-[\"n\",{\"_placeholder\":true,\"num\":0},\"" CURSOR ".tagg*********\"]]<a>",
		"451-[\"n\",{\"_placeholder\":true,\"num\":0},\"" CURSOR ".tagg*********\"]\x1e" "bYQ==");
}

static void
test_sio_encoders_separate_the_packets_of_polling(void)
{
	struct sl_message *messages[] = { make(SL_JSON, "1", 1, "n", SL_ARGS_ONE), make(SL_BINARY, "a", 1, "n", SL_ARGS_ONE),
		make(SL_JSON, "2", 1, "n", SL_ARGS_ONE) };
	CU_ASSERT_STRING_EQUAL(frame(false, "n/", messages, 3), "42[\"n\",1]\x1e" "451-[\"n\",{\"_placeholder\":true,\"num\":0}]\x1e"
		"bYQ==\x1e" "42[\"n\",2]");
	CU_ASSERT_STRING_EQUAL(frame(true, "n/", messages, 3),
		"[42[\"n\",1]][451-[\"n\",{\"_placeholder\":true,\"num\":0}]]<a>[42[\"n\",2]]");
	drop_messages(messages, 3);
}

/* One always fits; what does not comes with the next poll. */
static void
test_sio_encoders_bound_an_answer_to_a_poll(void)
{
	static char large[200000];
	memset(large, 'x', sizeof large);
	struct sl_message *messages[] = { make(SL_TEXT, large, sizeof large, "n", SL_ARGS_ONE),
		make(SL_TEXT, large, sizeof large, "n", SL_ARGS_ONE) };
	const struct sl_label label = { { "n/", 2 } };
	const struct sl_encoder *polling = sl_sio_encoders_get(false), *websocket = sl_sio_encoders_get(true);
	struct sl_buffer out = SL_BUFFER_INIT;
	uint32_t ends[2];
	CU_ASSERT_EQUAL(polling->frame_messages(polling, &label, messages, 2, &out, ends), 1);
	CU_ASSERT_EQUAL(ends[0], out.len);
	CU_ASSERT_EQUAL(polling->frame_messages(polling, &label, messages + 1, 1, &out, ends), 0);
	sl_buffer_clear(&out);
	CU_ASSERT_EQUAL(websocket->frame_messages(websocket, &label, messages, 2, &out, ends), 2);
	sl_buffer_finish(&out);
	drop_messages(messages, 2);
}

static void
test_sio_encoders_are_of_clients_who_ask_to_publish(void)
{
	for (int i = 0; i < 2; i++) {
		const struct sl_encoder *encoder = sl_sio_encoders_get(i);
		CU_ASSERT_EQUAL(sl_eio_encoders_is_polling(encoder), i == 0);
		CU_ASSERT_TRUE(encoder->capabilities & SL_ASKS_CLIENT_PUBLISH);
		CU_ASSERT_FALSE(encoder->capabilities & (SL_CAN_TELL_GAP | SL_CAN_TELL_ERROR));
		CU_ASSERT_EQUAL(encoder->beats, i ? SL_BEATS_ALWAYS : SL_BEATS_NEVER);
	}
}

static void
test_sio_encoders_without_memory_say_so(void)
{
	struct sl_message *message = make(SL_JSON, ATTACHED, strlen(ATTACHED), "file", SL_ARGS_BINARY);
	const struct sl_label label = { { "n/", 2 } };
	for (int i = 0; i < 2; i++)
		for_each_failing_allocation(failing) {
			struct sl_buffer out = SL_BUFFER_INIT;
			uint32_t ends[1];
			const struct sl_encoder *encoder = sl_sio_encoders_get(i);
			CU_ASSERT_EQUAL(encoder->frame_messages(encoder, &label, &message, 1, &out, ends), 1);
			failing_expect(sl_buffer_status(&out));
			sl_buffer_finish(&out);
		}
	sl_message_unref(message);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_sio_encoders_write_an_event_with_its_arguments),
		UNIT_TEST(test_sio_encoders_write_a_message_without_a_name_whole),
		UNIT_TEST(test_sio_encoders_never_send_a_name_that_clients_keep_for_themselves),
		UNIT_TEST(test_sio_encoders_send_attachments_behind_the_packet),
		UNIT_TEST(test_sio_encoders_append_an_offset_to_each_event_with_recovery),
		UNIT_TEST(test_sio_encoders_separate_the_packets_of_polling),
		UNIT_TEST(test_sio_encoders_bound_an_answer_to_a_poll),
		UNIT_TEST(test_sio_encoders_are_of_clients_who_ask_to_publish),
		UNIT_TEST(test_sio_encoders_without_memory_say_so),
		{ NULL, NULL },
	};
	return unit_main("sio_encoders", tests);
}
