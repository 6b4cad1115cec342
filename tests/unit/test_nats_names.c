#include "bus/nats_names.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/draw.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
expect_subject(struct sl_span channel, const char *subject)
{
	char out[SL_NATS_SUBJECT_MAX], back[SL_CHANNEL_MAX + 1];
	size_t len;
	CU_ASSERT_EQUAL(sl_nats_subject_of(out, "main", channel), strlen(subject));
	CU_ASSERT_STRING_EQUAL(out, subject);
	CU_ASSERT_EQUAL_FATAL(sl_nats_channel_of(back, &len, "main", span(subject)), 0);
	CU_ASSERT_EQUAL_FATAL(len, channel.len);
	CU_ASSERT_EQUAL(memcmp(back, channel.bytes, len), 0);
	CU_ASSERT_EQUAL(back[len], '\0');
}

static void
test_legal_channels_stand_in_subjects_as_they_are(void)
{
	expect_subject(span("chat"), "sluice.main.chat");
	expect_subject(span("a.b:c_D-9"), "sluice.main.a.b:c_D-9");
	expect_subject(span("x"), "sluice.main.x");
	expect_subject(span("~lent"), "sluice.main.=7Elent");
}

static void
test_other_bytes_are_escaped(void)
{
	expect_subject(span("a b*>"), "sluice.main.a=20b=2A=3E");
	expect_subject(span("="), "sluice.main.=3D");
	expect_subject(span("\xc3\xa4"), "sluice.main.=C3=A4");
	expect_subject((struct sl_span){ "a\0\n", 3 }, "sluice.main.a=00=0A");
}

static void
test_no_token_of_a_subject_is_empty(void)
{
	expect_subject(span("."), "sluice.main.=2E");
	expect_subject(span(".."), "sluice.main.=2E=2E");
	expect_subject(span("..."), "sluice.main.=2E.=2E");
	expect_subject(span(".a"), "sluice.main.=2Ea");
	expect_subject(span("a."), "sluice.main.a=2E");
	expect_subject(span("a..b"), "sluice.main.a.=2Eb");
	expect_subject(span("a...b"), "sluice.main.a.=2E.b");
}

static void
test_a_channel_has_one_subject_only(void)
{
	static const char *const wrong[] = { "", "sluice", "sluice.main", "sluice.main.", "sluice.other.a",
		"sluice.mainx.a", "sluice.main.=61", "sluice.main.=7e", "sluice.main.a=2Eb", "sluice.main..a",
		"sluice.main.a.", "sluice.main.a..b", "sluice.main.=", "sluice.main.=2", "sluice.main.a=2",
		"sluice.main.=G0", "sluice.main.a b", "sluice.main.a*", "Sluice.main.a" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char out[SL_CHANNEL_MAX + 1];
		size_t len;
		CU_ASSERT_EQUAL(sl_nats_channel_of(out, &len, "main", span(wrong[i])), SL_EINVAL);
	}
}

static void
test_the_longest_channel_fits_whatever_its_bytes(void)
{
	char name[SL_CHANNEL_MAX + 1], subject[SL_NATS_SUBJECT_MAX], back[SL_CHANNEL_MAX + 1];
	size_t len;
	memset(name, '*', sizeof name);
	sl_nats_subject_of(subject, "12345678901234567890123456789012",
		(struct sl_span){ name, SL_CHANNEL_MAX });
	CU_ASSERT_EQUAL(strlen(subject) + 1, SL_NATS_SUBJECT_MAX);
	CU_ASSERT_EQUAL(sl_nats_channel_of(back, &len, "12345678901234567890123456789012",
		span(subject)), 0);
	CU_ASSERT_EQUAL(len, SL_CHANNEL_MAX);
	char longer[SL_NATS_SUBJECT_MAX + 1];
	snprintf(longer, sizeof longer, "%sa", subject);
	CU_ASSERT_EQUAL(sl_nats_channel_of(back, &len, "12345678901234567890123456789012",
		span(longer)), SL_EINVAL);
}

static void
test_any_bytes_come_back(void)
{
	uint64_t state = 7;
	static const char some[] = ".=aA9~ \xff";
	for (int round = 0; round < 20000; round++) {
		char name[SL_CHANNEL_MAX], back[SL_CHANNEL_MAX + 1], subject[SL_NATS_SUBJECT_MAX];
		size_t len = 1 + draw(&state, round % 2 ? 6 : SL_CHANNEL_MAX), back_len;
		for (size_t i = 0; i < len; i++)
			name[i] = round % 3 ? some[draw(&state, sizeof some)] : (char)draw(&state, 256);
		size_t subject_len = sl_nats_subject_of(subject, "b", (struct sl_span){ name, len });
		CU_ASSERT_PTR_NULL(strstr(subject, ".."));
		CU_ASSERT_NOT_EQUAL(subject[subject_len - 1], '.');
		CU_ASSERT_EQUAL_FATAL(sl_nats_channel_of(back, &back_len, "b",
			(struct sl_span){ subject, subject_len }), 0);
		CU_ASSERT(back_len == len && memcmp(back, name, len) == 0);
	}
}

static void
test_events_are_written_in_visible_ascii(void)
{
	static const struct { const char *event, *value; } rows[] = {
		{ "message", "message" }, { "chat message", "chat=20message" }, { "a=b", "a=3Db" },
		{ " \"x\" ", "=20\"x\"=20" }, { "\xf0\x9f\x9a\x80", "=F0=9F=9A=80" }, { "a:b,c*", "a:b,c*" },
	};
	char value[SL_NATS_EVENT_MAX], back[SL_EVENT_MAX + 1];
	size_t len;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CU_ASSERT_EQUAL(sl_nats_event_write(value, span(rows[i].event)), strlen(rows[i].value));
		CU_ASSERT_STRING_EQUAL(value, rows[i].value);
		CU_ASSERT_EQUAL(sl_nats_event_read(back, &len, span(value)), 0);
		CU_ASSERT_EQUAL(len, strlen(rows[i].event));
		CU_ASSERT_STRING_EQUAL(back, rows[i].event);
	}
	CU_ASSERT_EQUAL(sl_nats_event_read(back, &len, span("as is \xc3\xa4")), 0);
	CU_ASSERT_STRING_EQUAL(back, "as is \xc3\xa4");
	static const char *const wrong[] = { "", "=", "=2", "a=g0", "=7e", "a=" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		CU_ASSERT_EQUAL(sl_nats_event_read(back, &len, span(wrong[i])), SL_EINVAL);
}

static void
test_the_longest_event_fits_whatever_its_bytes(void)
{
	char event[SL_EVENT_MAX + 1], value[SL_NATS_EVENT_MAX + 1], back[SL_EVENT_MAX + 1];
	size_t len;
	memset(event, '\xff', sizeof event);
	CU_ASSERT_EQUAL(sl_nats_event_write(value, (struct sl_span){ event, SL_EVENT_MAX }), SL_NATS_EVENT_MAX - 1);
	CU_ASSERT_EQUAL(sl_nats_event_read(back, &len, span(value)), 0);
	CU_ASSERT_EQUAL(len, SL_EVENT_MAX);
	strcat(value, "a");
	CU_ASSERT_EQUAL(sl_nats_event_read(back, &len, span(value)), SL_EINVAL);
}

static void
test_ids_are_those_of_one_start(void)
{
	struct sl_nats_ids ids, others;
	CU_ASSERT_EQUAL_FATAL(sl_nats_ids_init(&ids), 0);
	CU_ASSERT_EQUAL_FATAL(sl_nats_ids_init(&others), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(ids.start, others.start, sizeof ids.start), 0);
	memcpy(ids.start, "abcd1234", 8);
	char id[SL_NATS_ID_MAX];
	CU_ASSERT_EQUAL(sl_nats_ids_next(&ids, id), 12);
	CU_ASSERT_STRING_EQUAL(id, "p/abcd1234/0");
	ids.count = 35;
	sl_nats_ids_next(&ids, id);
	CU_ASSERT_STRING_EQUAL(id, "p/abcd1234/z");
	sl_nats_ids_next(&ids, id);
	CU_ASSERT_STRING_EQUAL(id, "p/abcd1234/10");
	ids.count = UINT64_MAX;
	CU_ASSERT_EQUAL(sl_nats_ids_next(&ids, id), 24);
	CU_ASSERT_STRING_EQUAL(id, "p/abcd1234/3w5e11264sgsf");
}

static void
test_a_key_has_the_same_id_everywhere(void)
{
	char id[SL_NATS_ID_MAX], key[SL_BUS_KEY_MAX];
	CU_ASSERT_EQUAL(sl_nats_id_of_key(id, span("abc")), 5);
	CU_ASSERT_STRING_EQUAL(id, "k/abc");
	memset(key, 'x', sizeof key);
	CU_ASSERT_EQUAL(sl_nats_id_of_key(id, (struct sl_span){ key, sizeof key }), SL_BUS_KEY_MAX + 2);
	CU_ASSERT_EQUAL(strlen(id), SL_BUS_KEY_MAX + 2);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_legal_channels_stand_in_subjects_as_they_are),
		UNIT_TEST(test_other_bytes_are_escaped),
		UNIT_TEST(test_no_token_of_a_subject_is_empty),
		UNIT_TEST(test_a_channel_has_one_subject_only),
		UNIT_TEST(test_the_longest_channel_fits_whatever_its_bytes),
		UNIT_TEST(test_any_bytes_come_back),
		UNIT_TEST(test_ids_are_those_of_one_start),
		UNIT_TEST(test_a_key_has_the_same_id_everywhere),
		UNIT_TEST(test_events_are_written_in_visible_ascii),
		UNIT_TEST(test_the_longest_event_fits_whatever_its_bytes),
		{ NULL, NULL },
	};
	return unit_main("nats_names", tests);
}
