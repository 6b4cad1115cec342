/* Whatever stands in the log: what becomes a message is of a legal channel, has an object of one line of JSON, a legal
 * event if any, and the payload as it was. The first byte says which headers there are, the second how long the subject behind
 * `sluice.main.` is. */
#include "bus/nats_arrival.h"

#include "tests/fuzz/fuzz.h"
#include "util/json_check.h"
#include "util/utf8.h"

/* Takes the next `len` bytes, or as many as there are. */
static struct sl_span
take(const uint8_t **bytes, size_t *left, size_t len)
{
	if (len > *left)
		len = *left;
	struct sl_span span = { fuzz_copy(*bytes, len), len };
	*bytes += len;
	*left -= len;
	return span;
}

static void
expect_message(const struct sl_message *message, const struct sl_nats_arrival *arrival)
{
	FUZZ_EXPECT(sl_channel_name_valid(message->channel, message->channel_len));
	FUZZ_EXPECT(!message->event == !arrival->event.bytes);
	FUZZ_EXPECT(!message->event || sl_event_name_valid(message->event, message->event_len));
	FUZZ_EXPECT(message->args == SL_ARGS_ONE || (message->event && message->type == SL_JSON));
	FUZZ_EXPECT(message->payload_len == arrival->payload.len);
	FUZZ_EXPECT(message->payload_len == 0 ||
		memcmp(message->payload, arrival->payload.bytes, message->payload_len) == 0);
	FUZZ_EXPECT(sl_json_check(message->object, message->object_len, SL_JSON_DEPTH_MAX + 1) == 0);
	FUZZ_EXPECT(sl_utf8_valid(message->object, message->object_len));
	FUZZ_EXPECT(!memchr(message->object, '\n', message->object_len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct sl_nats_arrival_limits limits = { "main", 8, 4096 };
	static const char *const types[] = { NULL, "json", "text", "binary" };
	if (len < 2)
		return 0;
	unsigned headers = bytes[0], subject_len = bytes[1];
	bytes += 2;
	len -= 2;
	struct sl_span rest = take(&bytes, &len, subject_len);
	char subject[sizeof "sluice.main." + UINT8_MAX];
	memcpy(subject, "sluice.main.", 12);
	memcpy(subject + 12, rest.bytes, rest.len);
	const char *type = types[headers % 4];
	struct sl_nats_arrival arrival = {
		.subject = { subject, 12 + rest.len },
		.type = { type, type ? strlen(type) : 0 },
	};
	if (headers & 4)
		arrival.compress = (struct sl_span){ "no", 2 };
	if (headers & 8)
		arrival.owner = take(&bytes, &len, 16);
	if (headers & 16)
		arrival.type = take(&bytes, &len, 4);
	if (headers & 32)
		arrival.event = take(&bytes, &len, 8);
	if (headers & 64)
		arrival.args = headers & 128 ? (struct sl_span){ "list", 4 } : (struct sl_span){ "binary", 6 };
	arrival.payload = take(&bytes, &len, len);
	struct sl_message *message;
	if (sl_nats_arrival_read(&message, &arrival, &limits) == 0) {
		sl_message_stamp(message, (struct sl_cursor){ 1, 2 }, 1790000000000000);
		expect_message(message, &arrival);
		sl_message_unref(message);
	}
	free((char *)rest.bytes);
	free((char *)arrival.payload.bytes);
	if (headers & 32)
		free((char *)arrival.event.bytes);
	if (headers & 8)
		free((char *)arrival.owner.bytes);
	if (headers & 16)
		free((char *)arrival.type.bytes);
	return 0;
}
