/* A query string is refused with a code and a sentence, or read into legal values. The
 * first byte chooses how many channels are allowed. */
#include "http/params.h"

#include "bus/message.h"
#include "tests/fuzz/fuzz.h"

static void
expect_inside(struct sl_span span, const char *query, size_t len)
{
	FUZZ_EXPECT(!span.bytes || (span.bytes >= query && span.bytes + span.len <= query + len));
	for (size_t i = 0; i < span.len; i++)
		FUZZ_EXPECT((unsigned char)span.bytes[i] >= 0x20);
}

static void
expect_legal(const struct sl_params *params, unsigned max, const char *query, size_t len)
{
	const struct sl_join *join = &params->join;
	FUZZ_EXPECT(join->channel_count <= max);
	for (unsigned i = 0; i < join->channel_count; i++) {
		struct sl_span channel = join->channels[i];
		expect_inside(channel, query, len);
		FUZZ_EXPECT(sl_channel_name_valid(channel.bytes, channel.len));
		for (unsigned j = 0; j < i; j++)
			FUZZ_EXPECT(join->channels[j].len != channel.len
				|| memcmp(join->channels[j].bytes, channel.bytes, channel.len) != 0);
	}
	FUZZ_EXPECT(join->since_kind != SL_SINCE_FOREIGN);
	FUZZ_EXPECT(join->heartbeat_s == -1
		|| (join->heartbeat_s >= 4 && join->heartbeat_s <= 60));
	FUZZ_EXPECT(params->wait_s >= -1 && params->wait_s <= 55);
	expect_inside(params->channel, query, len);
	expect_inside(params->event, query, len);
	expect_inside(params->args, query, len);
	FUZZ_EXPECT(!params->repeats_channel || params->channel.bytes);
	expect_inside(params->n, query, len);
	FUZZ_EXPECT(params->n.len <= 64);
	for (size_t i = 0; i < params->n.len; i++) /* goes into JSON as it is */
		FUZZ_EXPECT(params->n.bytes[i] != '"' && params->n.bytes[i] != '\\');
	expect_inside(params->probe, query, len);
	expect_inside(params->nonce, query, len);
	expect_inside(params->token, query, len);
	expect_inside(params->last_event_id, query, len);
	expect_inside(params->demo, query, len);
	expect_inside(params->of, query, len);
	expect_inside(params->show, query, len);
	expect_inside(params->name, query, len);
	FUZZ_EXPECT(join->probes == (params->probe.bytes != NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	unsigned max = bytes[0] % SL_CHANNELS_MAX + 1u;
	len--;
	char *query = fuzz_copy(bytes + 1, len);
	struct sl_params params;
	struct sl_params_error error = { 0 };
	if (sl_params_parse(&params, query, len, max, &error) != 0) {
		FUZZ_EXPECT(error.code && error.message[0]);
	} else {
		expect_legal(&params, max, query, len);
		if (sl_params_require_channels(&params, &error) == 0)
			FUZZ_EXPECT(params.join.channel_count >= 1);
		bool has_id = len > 0 || params.last_event_id.len > 0;
		sl_params_set_last_event_id(&params, (struct sl_span){ query, len });
		FUZZ_EXPECT(!has_id || params.join.since_kind == SL_SINCE_CURSOR
			|| params.join.since_kind == SL_SINCE_FOREIGN);
	}
	free(query);
	return 0;
}
