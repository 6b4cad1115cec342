/* Whatever the payload, the object of a message is one line of JSON with the four members
 * in their order, and the payload is kept to the byte. The first byte chooses the type, the
 * second the number of digits. */
#include "bus/message.h"

#include "tests/fuzz/fuzz.h"
#include "util/base64.h"
#include "util/json_check.h"
#include "util/json_members.h"
#include "util/utf8.h"

static void
expect_body(const struct sl_message *message, const struct sl_json_member *member)
{
	struct sl_buffer body = SL_BUFFER_INIT;
	FUZZ_EXPECT(sl_span_equals(member->name, message->type == SL_BINARY ? "base64" : "data"));
	struct sl_span raw = member->value;
	if (message->type == SL_TEXT) {
		raw = sl_json_unquote(raw);
		FUZZ_EXPECT(sl_json_string_decode(&body, raw.bytes, raw.len) == 0);
		FUZZ_EXPECT(body.len == message->payload_len);
		FUZZ_EXPECT(body.len == 0 || memcmp(body.bytes, message->payload, body.len) == 0);
	} else if (message->type == SL_BINARY) {
		raw = sl_json_unquote(raw);
		sl_base64_append(&body, message->payload, message->payload_len);
		FUZZ_EXPECT(raw.len == body.len);
		FUZZ_EXPECT(body.len == 0 || memcmp(raw.bytes, body.bytes, body.len) == 0);
	}
	sl_buffer_finish(&body);
}

static void
expect_object(const struct sl_message *message)
{
	static const char *const names[] = { "id", "channel", "time" };
	FUZZ_EXPECT(sl_json_check(message->object, message->object_len, SL_JSON_DEPTH_MAX + 1) == 0);
	FUZZ_EXPECT(sl_utf8_valid(message->object, message->object_len));
	FUZZ_EXPECT(!memchr(message->object, '\n', message->object_len));
	FUZZ_EXPECT(!memchr(message->object, '\r', message->object_len));

	struct sl_json_members members;
	struct sl_json_member member;
	FUZZ_EXPECT(sl_json_members_open(&members, message->object, message->object_len) == 0);
	for (int i = 0; i < 3; i++) {
		FUZZ_EXPECT(sl_json_members_next(&members, &member));
		FUZZ_EXPECT(sl_span_equals(member.name, names[i]));
	}
	FUZZ_EXPECT(sl_json_members_next(&members, &member));
	expect_body(message, &member);
	FUZZ_EXPECT(!sl_json_members_next(&members, &member));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	enum sl_payload_type type = bytes[0] % 3;
	uint64_t seq = UINT64_MAX >> bytes[1] % 64;
	bytes += 2;
	len -= 2;
	char *payload = fuzz_copy(bytes, len);
	struct sl_message *message;
	int err = sl_message_create(&message, "a.channel", 9, type, payload, len);
	free(payload);
	if (err) {
		FUZZ_EXPECT(type != SL_BINARY);
		return 0;
	}
	sl_message_stamp(message, (struct sl_cursor){ 0x9f3a1c07, seq }, 1790000000000000);
	FUZZ_EXPECT(message->payload_len == len);
	FUZZ_EXPECT(len == 0 || memcmp(message->payload, bytes, len) == 0);
	expect_object(message);
	sl_message_unref(message);
	return 0;
}
