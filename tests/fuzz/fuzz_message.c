/* Whatever the payload, channel and event, the object of a message is one line of JSON with its members
 * in their order, and the payload is kept to the byte. The first byte chooses the type, the args and how long the
 * names are, the second the number of digits. */
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

/* The member is there, and stands for this text. */
static void
expect_text(struct sl_json_members *members, const char *name, const char *text, size_t len)
{
	struct sl_json_member member;
	struct sl_buffer decoded = SL_BUFFER_INIT;
	FUZZ_EXPECT(sl_json_members_next(members, &member));
	FUZZ_EXPECT(sl_span_equals(member.name, name) && member.kind == SL_JSON_STRING);
	struct sl_span raw = sl_json_unquote(member.value);
	FUZZ_EXPECT(sl_json_string_decode(&decoded, raw.bytes, raw.len) == 0);
	FUZZ_EXPECT(decoded.len == len && (len == 0 || memcmp(decoded.bytes, text, len) == 0));
	sl_buffer_finish(&decoded);
}

static void
expect_object(const struct sl_message *message)
{
	FUZZ_EXPECT(sl_json_check(message->object, message->object_len, SL_JSON_DEPTH_MAX + 1) == 0);
	FUZZ_EXPECT(sl_utf8_valid(message->object, message->object_len));
	FUZZ_EXPECT(!memchr(message->object, '\n', message->object_len));
	FUZZ_EXPECT(!memchr(message->object, '\r', message->object_len));

	struct sl_json_members members;
	struct sl_json_member member;
	char id[SL_CURSOR_MAX];
	size_t id_len = sl_cursor_format((struct sl_cursor){ message->epoch, message->seq }, id);
	const char *args = sl_args_get_name(message->args);
	FUZZ_EXPECT(sl_json_members_open(&members, message->object, message->object_len) == 0);
	expect_text(&members, "id", id, id_len);
	expect_text(&members, "channel", message->channel, message->channel_len);
	if (message->event)
		expect_text(&members, "event", message->event, message->event_len);
	if (args)
		expect_text(&members, "args", args, strlen(args));
	FUZZ_EXPECT(sl_json_members_next(&members, &member) && sl_span_equals(member.name, "time"));
	FUZZ_EXPECT(sl_json_members_next(&members, &member));
	expect_body(message, &member);
	FUZZ_EXPECT(!sl_json_members_next(&members, &member));
}

/* Takes a name of up to `max` bytes, or none where they make no legal one. */
static struct sl_span
take_name(const uint8_t **bytes, size_t *len, size_t max, bool (*is_valid)(const char *, size_t))
{
	size_t name_len = *len < max ? *len : max;
	struct sl_span name = { (const char *)*bytes, name_len };
	if (!is_valid(name.bytes, name.len))
		return (struct sl_span){ 0 };
	*bytes += name_len;
	*len -= name_len;
	return name;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	enum sl_payload_type type = bytes[0] % 3;
	enum sl_args args = bytes[0] / 3 % 3;
	size_t channel_max = bytes[0] & 32 ? 12 : 0, event_max = bytes[0] & 64 ? 6 : 0;
	uint64_t seq = UINT64_MAX >> bytes[1] % 64;
	bytes += 2;
	len -= 2;
	struct sl_span channel = take_name(&bytes, &len, channel_max, sl_channel_name_valid);
	struct sl_span event = take_name(&bytes, &len, event_max, sl_event_name_valid);
	if (!channel.bytes)
		channel = (struct sl_span){ "a.channel", 9 };
	char *copy = fuzz_copy(bytes, len);
	struct sl_payload payload = { type, copy, len, SL_JSON_DEPTH_MAX, .event = event,
		.args = event.bytes ? args : SL_ARGS_ONE };
	struct sl_message *message;
	int err = sl_message_create_from(&message, channel, &payload);
	free(copy);
	if (err) {
		FUZZ_EXPECT(type != SL_BINARY || payload.args != SL_ARGS_ONE);
		return 0;
	}
	sl_message_stamp(message, (struct sl_cursor){ 0x9f3a1c07, seq }, 1790000000000000);
	FUZZ_EXPECT(message->payload_len == len);
	FUZZ_EXPECT(len == 0 || memcmp(message->payload, bytes, len) == 0);
	FUZZ_EXPECT(!message->event == !event.bytes);
	expect_object(message);
	sl_message_unref(message);
	return 0;
}
