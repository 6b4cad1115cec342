/* A query string is refused with a code and a sentence, or read into legal values. The
 * first byte chooses how many channels are allowed, and its highest bit that the path has names of its own beside
 * which others mean nothing. */
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

/* What a path of other clients takes no notice of has no effect. */
static void
expect_own(const struct sl_params *params, const char *query, size_t len)
{
	for (unsigned i = 0; i < SL_PARAMS_OWN_MAX; i++)
		expect_inside(params->own[i], query, len);
	FUZZ_EXPECT(!params->own[2].bytes && params->wait_s == -1 && params->join.heartbeat_s == -1);
	FUZZ_EXPECT(params->join.since_kind == SL_SINCE_NOW && params->format == SL_FORMAT_JSON);
	FUZZ_EXPECT(!params->probe.bytes && !params->n.bytes && !params->last_event_id.bytes && !params->join.verify);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	static const char *const own[] = { "sid", "transport", NULL };
	const struct sl_params_rules rules = {
		.max_channels = (bytes[0] & 127u) % SL_CHANNELS_MAX + 1u,
		.bears_others = bytes[0] & 128,
		.own = bytes[0] & 128 ? own : NULL,
	};
	unsigned max = rules.max_channels;
	len--;
	char *query = fuzz_copy(bytes + 1, len);
	struct sl_params params;
	struct sl_params_error error = { 0 };
	if (sl_params_parse_by(&params, query, len, &rules, &error) != 0) {
		FUZZ_EXPECT(error.code && error.message[0]);
	} else {
		expect_legal(&params, max, query, len);
		if (rules.bears_others)
			expect_own(&params, query, len);
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
