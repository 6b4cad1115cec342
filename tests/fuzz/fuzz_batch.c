/* A batch: lines lie in the body, in order, without a line feed, and leave out only blanks; a
 * line is read the same wherever it stands; what it makes is a message within the limits, or a
 * refusal with a code. The first byte chooses the limits and whether there is a channel. */
#include "http/batch.h"

#include "bus/message.h"
#include "config/config.h"
#include "tests/fuzz/fuzz.h"
#include "util/err.h"

static const struct sl_config *
choose_config(uint8_t choice)
{
	static struct sl_config config;
	config = (struct sl_config){
		.max_message_bytes = choice & 1 ? 16 : 65536,
		.max_json_depth = choice & 2 ? 2 : 256,
	};
	return &config;
}

static void
expect_message(struct sl_publication *publication, struct sl_span channel,
	const struct sl_publication_members *members, const struct sl_config *config)
{
	struct sl_message *message = publication->message;
	FUZZ_EXPECT(sl_channel_name_valid(message->channel, message->channel_len));
	if (!members->channel.value.bytes)
		FUZZ_EXPECT(sl_span_equals(channel, message->channel));
	FUZZ_EXPECT(message->type == SL_JSON);
	FUZZ_EXPECT(message->payload_len > 0 && message->payload_len <= config->max_message_bytes);
	FUZZ_EXPECT(message->payload_len == members->data.value.len);
	FUZZ_EXPECT(memcmp(message->payload, members->data.value.bytes, message->payload_len) == 0);
	FUZZ_EXPECT(!message->event == !members->event.value.bytes);
	FUZZ_EXPECT(!message->event || sl_event_name_valid(message->event, message->event_len));
	FUZZ_EXPECT((message->args != SL_ARGS_ONE) == (members->args.value.bytes != NULL));
	FUZZ_EXPECT(!publication->key.bytes || sl_publication_key_valid(publication->key));
	FUZZ_EXPECT(!publication->key.bytes == !members->key.value.bytes);
	sl_message_unref(message);
}

static void
take_line(struct sl_span line, struct sl_span channel, const struct sl_config *config)
{
	struct sl_publication_members members;
	struct sl_publication publication;
	struct sl_publication_defaults defaults = { .channel = channel };
	struct sl_refusal refusal = { 0 };
	char *copy = fuzz_copy(line.bytes, line.len);
	int err = sl_batch_read_line(&members, (struct sl_span){ copy, line.len },
		(unsigned)config->max_json_depth);
	FUZZ_EXPECT(err == 0 || err == SL_ESYNTAX || err == SL_EUTF8 || err == SL_ETOODEEP);
	if (err == 0) {
		if (sl_publication_make(&publication, &members, &defaults, config, &refusal) == 0)
			expect_message(&publication, channel, &members, config);
		else
			FUZZ_EXPECT(refusal.code && refusal.message[0]);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	const struct sl_config *config = choose_config(bytes[0]);
	struct sl_span channel = { bytes[0] & 4 ? "of.the.query" : NULL, bytes[0] & 4 ? 12 : 0 };
	char *body = fuzz_copy(bytes + 1, --len);
	struct sl_span rest = { body, len }, line;
	const char *at = body;
	while ((line = sl_batch_next_line(&rest)).bytes) {
		FUZZ_EXPECT(line.len > 0 && line.bytes >= at && line.bytes + line.len <= body + len);
		FUZZ_EXPECT(!memchr(line.bytes, '\n', line.len));
		for (; at < line.bytes; at++)
			FUZZ_EXPECT(memchr(" \t\r\n", *at, 4));
		at = line.bytes + line.len;
		take_line(line, channel, config);
	}
	for (; at < body + len; at++)
		FUZZ_EXPECT(memchr(" \t\r\n", *at, 4));
	free(body);
	return 0;
}
