/* Any bytes make a channel whose subject is a legal one and leads back to them; a subject that leads to a
 * channel is that channel's. Any bytes make an event whose value is visible ASCII and leads back to them. */
#include "bus/nats_names.h"

#include "tests/fuzz/fuzz.h"

static void
expect_legal(const char *subject, size_t len)
{
	FUZZ_EXPECT(strlen(subject) == len && len < SL_NATS_SUBJECT_MAX);
	FUZZ_EXPECT(!strstr(subject, "..") && subject[len - 1] != '.');
	for (size_t i = 0; i < len; i++)
		FUZZ_EXPECT(subject[i] > ' ' && subject[i] < 0x7f && subject[i] != '*' && subject[i] != '>');
}

static void
expect_round_trip(const char *bytes, size_t len)
{
	char subject[SL_NATS_SUBJECT_MAX], back[SL_CHANNEL_MAX + 1];
	size_t back_len;
	size_t subject_len = sl_nats_subject_of(subject, "main", (struct sl_span){ bytes, len });
	expect_legal(subject, subject_len);
	char *copy = fuzz_copy(subject, subject_len);
	FUZZ_EXPECT(sl_nats_channel_of(back, &back_len, "main",
		(struct sl_span){ copy, subject_len }) == 0);
	FUZZ_EXPECT(back_len == len && memcmp(back, bytes, len) == 0);
	free(copy);
}

static void
expect_event(const char *bytes, size_t len)
{
	char value[SL_NATS_EVENT_MAX], back[SL_EVENT_MAX + 1];
	size_t back_len;
	size_t value_len = sl_nats_event_write(value, (struct sl_span){ bytes, len });
	FUZZ_EXPECT(strlen(value) == value_len);
	for (size_t i = 0; i < value_len; i++)
		FUZZ_EXPECT(value[i] > ' ' && value[i] < 0x7f);
	FUZZ_EXPECT(sl_nats_event_read(back, &back_len, (struct sl_span){ value, value_len }) == 0);
	FUZZ_EXPECT(back_len == len && memcmp(back, bytes, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char name[SL_CHANNEL_MAX + 1], again[SL_NATS_SUBJECT_MAX];
	size_t name_len;
	char *text = fuzz_copy(bytes, len);
	if (len > 0 && len <= SL_CHANNEL_MAX)
		expect_round_trip(text, len);
	if (len > 0 && len <= SL_EVENT_MAX)
		expect_event(text, len);
	if (sl_nats_event_read(name, &name_len, (struct sl_span){ text, len }) == 0)
		FUZZ_EXPECT(name_len > 0 && name_len <= SL_EVENT_MAX && name[name_len] == '\0');
	if (sl_nats_channel_of(name, &name_len, "main", (struct sl_span){ text, len }) == 0) {
		FUZZ_EXPECT(name_len > 0 && name_len <= SL_CHANNEL_MAX && name[name_len] == '\0');
		FUZZ_EXPECT(sl_nats_subject_of(again, "main", (struct sl_span){ name, name_len }) == len);
		FUZZ_EXPECT(memcmp(again, text, len) == 0);
	}
	free(text);
	return 0;
}
