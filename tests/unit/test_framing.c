#include "live/framing.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/err.h"

/* Encoders that count how often they are asked to frame, and take `fit` at most. */
static unsigned framed;
static size_t fit;

static size_t
frame_payloads(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	framed++;
	size_t taken = count < fit ? count : fit;
	for (size_t i = 0; i < taken; i++) {
		sl_buffer_append_char(out, (char)('0' + encoder->variant));
		if (label)
			sl_buffer_append(out, label->text.bytes, label->text.len);
		sl_buffer_append(out, messages[i]->payload, messages[i]->payload_len);
		ends[i] = (uint32_t)out->len;
	}
	return taken;
}

static const struct sl_encoder one = { .variant = 1, .frame_messages = frame_payloads };
static const struct sl_encoder other = { .variant = 2, .frame_messages = frame_payloads };

static void
expect(const struct sl_wire *wire, const char *text)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(wire);
	CU_ASSERT_EQUAL_FATAL(wire->len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(wire->bytes, text, wire->len), 0);
}

struct stage {
	struct sl_framer framer;
	struct sl_message *messages[3];
	struct sl_run run;
	unsigned one, other; /* their framings */
};

static void
open_stage(struct stage *stage)
{
	CU_ASSERT_EQUAL_FATAL(sl_framer_init(&stage->framer), 0);
	stage->messages[0] = make_message(5, "a", "x");
	stage->messages[1] = make_message(6, "a", "yy");
	stage->messages[2] = make_message(9, "a", "zzz");
	stage->one = (unsigned)sl_framer_intern(&stage->framer, &one);
	stage->other = (unsigned)sl_framer_intern(&stage->framer, &other);
	sl_run_begin(&stage->run, &stage->framer, stage->messages, 3);
	framed = 0;
	fit = SL_RUN_MAX;
}

static void
close_stage(struct stage *stage)
{
	CU_ASSERT_EQUAL(stage->framer.pinned_bytes, 0);
	drop_messages(stage->messages, 3);
	sl_framer_finish(&stage->framer);
}

static void
test_run_knows_its_numbers_and_payload(void)
{
	struct stage stage;
	open_stage(&stage);
	CU_ASSERT_EQUAL(stage.run.last_seq, 9);
	CU_ASSERT_EQUAL(stage.run.payload_bytes, 6);
	CU_ASSERT_EQUAL(sl_run_sum_payload(stage.messages + 1, 2), 5);
	CU_ASSERT_EQUAL(sl_run_sum_payload(stage.messages, 0), 0);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_is_framed_once_for_each_framing(void)
{
	struct stage stage;
	open_stage(&stage);
	struct sl_wire *first = sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	expect(first, "1x1yy1zzz");
	for (int i = 0; i < 10; i++)
		CU_ASSERT_PTR_EQUAL(sl_run_get_wire(&stage.run, &stage.framer, stage.one), first);
	CU_ASSERT_EQUAL(framed, 1);
	struct sl_wire *second = sl_run_get_wire(&stage.run, &stage.framer, stage.other);
	expect(second, "2x2yy2zzz");
	CU_ASSERT_EQUAL(framed, 2);
	CU_ASSERT_PTR_EQUAL(sl_run_get_wire(&stage.run, &stage.framer, stage.one), first);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_has_nothing_of_the_one_before(void)
{
	struct stage stage;
	struct sl_run next;
	open_stage(&stage);
	sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	sl_run_finish(&stage.framer);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 0);
	sl_run_begin(&next, &stage.framer, stage.messages + 2, 1);
	expect(sl_run_get_wire(&next, &stage.framer, stage.one), "1zzz");
	expect(sl_run_get_wire(&next, &stage.framer, stage.other), "2zzz");
	CU_ASSERT_EQUAL(framed, 3);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_of_a_label_is_framed_under_it(void)
{
	struct stage stage;
	open_stage(&stage);
	int labelled = sl_framer_acquire(&stage.framer, &one, (struct sl_span){ "L:", 2 });
	CU_ASSERT_TRUE_FATAL(labelled >= SL_ENCODERS_MAX);
	expect(sl_run_get_wire(&stage.run, &stage.framer, (unsigned)labelled), "1L:x1L:yy1L:zzz");
	expect(sl_run_get_wire(&stage.run, &stage.framer, stage.one), "1x1yy1zzz");
	sl_run_finish(&stage.framer);
	sl_framer_release(&stage.framer, (unsigned)labelled);
	close_stage(&stage);
}

static struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, strlen(text) };
}

static void
test_framer_counts_who_has_a_label_and_gives_its_place_to_another(void)
{
	struct stage stage;
	open_stage(&stage);
	sl_run_finish(&stage.framer);
	int first = sl_framer_acquire(&stage.framer, &one, span("x"));
	CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span("x")), first);
	int second = sl_framer_acquire(&stage.framer, &other, span("x")); /* another encoder's */
	int third = sl_framer_acquire(&stage.framer, &one, span("")); /* empty is not absent */
	CU_ASSERT_TRUE(first >= SL_ENCODERS_MAX && second > first && third > second);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &one, span("x")), first);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &other, span("x")), second);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &one, span("y")), SL_ENOENT);
	sl_framer_release(&stage.framer, (unsigned)first);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &one, span("x")), first);
	sl_framer_release(&stage.framer, (unsigned)first);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &one, span("x")), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span("y")), first);
	sl_framer_release(&stage.framer, stage.one); /* has none: it stays */
	CU_ASSERT_EQUAL(sl_framer_intern(&stage.framer, &one), (int)stage.one);
	sl_framer_release(&stage.framer, (unsigned)first);
	sl_framer_release(&stage.framer, (unsigned)second);
	sl_framer_release(&stage.framer, (unsigned)third);
	close_stage(&stage);
}

/* The table grows while wires are in it. */
static void
test_framer_has_room_for_as_many_labels_as_there_are(void)
{
	enum { LABELS = 3000 };
	char text[16];
	struct stage stage;
	open_stage(&stage);
	struct sl_wire *before = sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	for (int i = 0; i < LABELS; i++) {
		snprintf(text, sizeof text, "%d", i);
		CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span(text)), SL_ENCODERS_MAX + i);
		sl_run_get_wire(&stage.run, &stage.framer, SL_ENCODERS_MAX + (unsigned)i);
	}
	CU_ASSERT_PTR_EQUAL(sl_run_get_wire(&stage.run, &stage.framer, stage.one), before);
	expect(sl_run_get_wire(&stage.run, &stage.framer, SL_ENCODERS_MAX + 77), "177x177yy177zzz");
	CU_ASSERT_EQUAL(framed, LABELS + 1);
	sl_run_finish(&stage.framer);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 0);
	for (int i = 0; i < LABELS; i++)
		sl_framer_release(&stage.framer, SL_ENCODERS_MAX + (unsigned)i);
	CU_ASSERT_PTR_NULL(stage.framer.labels);
	close_stage(&stage);
}

static void
test_framer_gives_the_room_of_many_labels_back_once_there_is_none(void)
{
	enum { LABELS = 5000 };
	char text[16];
	struct stage stage;
	open_stage(&stage);
	sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < LABELS; i++) {
			snprintf(text, sizeof text, "%d", i);
			CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span(text)), SL_ENCODERS_MAX + i);
		}
		unsigned last = SL_ENCODERS_MAX + LABELS - 1;
		sl_run_get_wire(&stage.run, &stage.framer, last); /* goes with the run */
		for (unsigned i = SL_ENCODERS_MAX; i <= last; i++)
			sl_framer_release(&stage.framer, i);
		CU_ASSERT_TRUE(stage.framer.cap > LABELS);
		expect(sl_run_get_wire(&stage.run, &stage.framer, last), "14999x14999yy14999zzz");
		sl_run_finish(&stage.framer);
		CU_ASSERT_EQUAL(stage.framer.cap, SL_ENCODERS_MAX);
		sl_run_begin(&stage.run, &stage.framer, stage.messages, 3);
		expect(sl_run_get_wire(&stage.run, &stage.framer, stage.other), "2x2yy2zzz");
	}
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_keeps_the_wire_of_a_label_that_goes_meanwhile(void)
{
	struct stage stage;
	open_stage(&stage);
	unsigned gone = (unsigned)sl_framer_acquire(&stage.framer, &one, span("g"));
	unsigned back = (unsigned)sl_framer_acquire(&stage.framer, &one, span("b"));
	struct sl_wire *wire = sl_wire_ref(sl_run_get_wire(&stage.run, &stage.framer, gone));
	sl_run_get_wire(&stage.run, &stage.framer, back);
	sl_framer_release(&stage.framer, gone);
	sl_framer_release(&stage.framer, back);
	expect(wire, "1gx1gyy1gzzz");
	CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span("b")), (int)back);
	CU_ASSERT_NOT_EQUAL(sl_framer_acquire(&stage.framer, &one, span("n")), (int)gone);
	sl_run_finish(&stage.framer);
	CU_ASSERT_EQUAL(sl_framer_find(&stage.framer, &one, span("g")), SL_ENOENT);
	CU_ASSERT_EQUAL(sl_framer_acquire(&stage.framer, &one, span("m")), (int)gone);
	expect(wire, "1gx1gyy1gzzz");
	sl_wire_unref(wire);
	sl_framer_release(&stage.framer, back);
	sl_framer_release(&stage.framer, back + 1);
	sl_framer_release(&stage.framer, gone);
	CU_ASSERT_PTR_NULL(stage.framer.labels);
	close_stage(&stage);
}

static void
test_framer_frames_each_message_under_its_label_behind_what_is_there(void)
{
	static const struct sl_label x = { { "X", 1 } };
	const struct sl_label *const labels[] = { &x, NULL, NULL };
	uint32_t ends[3];
	struct sl_buffer out = SL_BUFFER_INIT;
	struct stage stage;
	open_stage(&stage);
	sl_buffer_append_str(&out, "head ");
	CU_ASSERT_EQUAL(sl_framer_frame(&stage.framer, &one, labels, stage.messages, 3, &out, ends), 3);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, "head 1Xx1yy1zzz");
	CU_ASSERT_TRUE(ends[0] == 8 && ends[1] == 11 && ends[2] == 15);
	CU_ASSERT_EQUAL(framed, 2); /* what is alike goes together */
	fit = 1;
	out.len = 0;
	CU_ASSERT_EQUAL(sl_framer_frame(&stage.framer, &one, labels, stage.messages, 3, &out, ends), 2);
	sl_buffer_append_char(&out, '\0');
	CU_ASSERT_STRING_EQUAL(out.bytes, "1Xx1yy");
	sl_buffer_finish(&out);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_counts_the_labels_that_only_one_has(void)
{
	struct sl_metrics metrics = { 0 };
	struct stage stage;
	open_stage(&stage);
	stage.framer.compression.metrics = &metrics;
	unsigned alone = (unsigned)sl_framer_acquire(&stage.framer, &one, span("a"));
	unsigned shared = (unsigned)sl_framer_acquire(&stage.framer, &one, span("s"));
	sl_framer_acquire(&stage.framer, &one, span("s"));
	for (int i = 0; i < 3; i++) {
		sl_run_get_wire(&stage.run, &stage.framer, alone);
		sl_run_get_wire(&stage.run, &stage.framer, shared);
		sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	}
	CU_ASSERT_EQUAL(metrics.counters[SL_COUNTER_LABELS_ALONE], 1);
	sl_run_finish(&stage.framer);
	sl_framer_release(&stage.framer, alone);
	sl_framer_release(&stage.framer, shared);
	sl_framer_release(&stage.framer, shared);
	close_stage(&stage);
}

static void
test_framer_without_memory_takes_no_label(void)
{
	struct stage stage;
	open_stage(&stage);
	sl_run_finish(&stage.framer);
	for_each_failing_allocation(failing) {
		struct sl_framer framer;
		failing_alloc_off();
		CU_ASSERT_EQUAL_FATAL(sl_framer_init(&framer), 0);
		framer.count = framer.cap; /* the next one makes the table grow */
		failing_again(&failing);
		int framing = sl_framer_acquire(&framer, &one, span("x"));
		failing_expect(framing < 0 ? framing : 0);
		if (framing >= 0)
			sl_framer_release(&framer, (unsigned)framing);
		CU_ASSERT_PTR_NULL(framer.labels);
		sl_framer_finish(&framer);
	}
	close_stage(&stage);
}

static void
test_framer_interns_each_encoder_once_and_so_many(void)
{
	static struct sl_encoder encoders[SL_ENCODERS_MAX];
	struct stage stage;
	open_stage(&stage);
	CU_ASSERT_EQUAL(sl_framer_intern(&stage.framer, &one), (int)stage.one);
	for (int i = 2; i < SL_ENCODERS_MAX; i++)
		CU_ASSERT_EQUAL(sl_framer_intern(&stage.framer, &encoders[i]), i);
	CU_ASSERT_EQUAL(sl_framer_intern(&stage.framer, &encoders[0]), SL_EFULL);
	CU_ASSERT_EQUAL(sl_framer_intern(&stage.framer, &encoders[255]), 255);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_notes_the_end_of_each_message(void)
{
	struct stage stage;
	open_stage(&stage);
	const struct sl_wire *wire = sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	CU_ASSERT_EQUAL_FATAL(wire->count, 3);
	CU_ASSERT_EQUAL(wire->ends[0], 2);
	CU_ASSERT_EQUAL(wire->ends[1], 5);
	CU_ASSERT_EQUAL(wire->ends[2], 9);
	sl_run_finish(&stage.framer);
	close_stage(&stage);
}

static void
test_run_wires_live_as_long_as_somebody_holds_them(void)
{
	struct stage stage;
	open_stage(&stage);
	struct sl_wire *wire = sl_run_get_wire(&stage.run, &stage.framer, stage.one);
	CU_ASSERT_EQUAL(wire->refs, 1);
	CU_ASSERT_PTR_EQUAL(sl_wire_ref(wire), wire);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 9);
	sl_run_get_wire(&stage.run, &stage.framer, stage.other);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 18);
	sl_run_finish(&stage.framer);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 9);
	expect(wire, "1x1yy1zzz");
	sl_wire_unref(wire);
	sl_wire_unref(NULL);
	close_stage(&stage);
}

static void
test_wire_holds_only_what_an_answer_with_a_limit_takes(void)
{
	struct stage stage;
	open_stage(&stage);
	fit = 2;
	struct sl_wire *wire =
		sl_wire_create_messages(&stage.framer, &one, NULL, stage.messages, 3);
	expect(wire, "1x1yy");
	CU_ASSERT_EQUAL(wire->count, 2);
	sl_wire_unref(wire);
	close_stage(&stage);
}

static void
test_wire_copies_what_belongs_to_one_client(void)
{
	struct stage stage;
	open_stage(&stage);
	char bytes[] = "head";
	struct sl_wire *wire = sl_wire_create(&stage.framer, bytes, 4);
	memset(bytes, 0, sizeof bytes);
	expect(wire, "head");
	CU_ASSERT_EQUAL(wire->count, 0);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 4);
	sl_wire_unref(wire);
	close_stage(&stage);
}

static void
test_framer_gives_a_large_scratch_back(void)
{
	struct stage stage;
	open_stage(&stage);
	static char text[300001];
	memset(text, 'x', sizeof text - 1);
	struct sl_message *large = make_message(1, "a", text);
	struct sl_wire *wire = sl_wire_create_messages(&stage.framer, &one, NULL, &large, 1);
	CU_ASSERT_EQUAL(wire->len, sizeof text);
	CU_ASSERT_EQUAL(stage.framer.scratch.cap, 0);
	sl_wire_unref(wire);
	sl_message_unref(large);
	sl_wire_unref(sl_wire_create_messages(&stage.framer, &one, NULL, stage.messages, 3));
	CU_ASSERT_NOT_EQUAL(stage.framer.scratch.cap, 0); /* a small one is kept */
	close_stage(&stage);
}

static void
test_framer_without_memory_frames_nothing_and_leaks_nothing(void)
{
	struct stage stage;
	open_stage(&stage);
	sl_run_finish(&stage.framer);
	for_each_failing_allocation(failing) {
		struct sl_framer framer;
		struct sl_run run;
		int err = sl_framer_init(&framer);
		if (err != 0) {
			failing_expect(err);
			continue;
		}
		sl_framer_intern(&framer, &one);
		sl_run_begin(&run, &framer, stage.messages, 3);
		struct sl_wire *wire = sl_run_get_wire(&run, &framer, 0);
		failing_expect(wire ? 0 : SL_ENOMEM);
		CU_ASSERT_PTR_EQUAL(framer.framings[0].wire, wire);
		expect(sl_run_get_wire(&run, &framer, 0), "1x1yy1zzz"); /* once there is memory again */
		sl_run_finish(&framer);
		CU_ASSERT_EQUAL(framer.pinned_bytes, 0);
		sl_framer_finish(&framer);
	}
	close_stage(&stage);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_run_knows_its_numbers_and_payload),
		UNIT_TEST(test_run_is_framed_once_for_each_framing),
		UNIT_TEST(test_run_has_nothing_of_the_one_before),
		UNIT_TEST(test_run_of_a_label_is_framed_under_it),
		UNIT_TEST(test_framer_counts_who_has_a_label_and_gives_its_place_to_another),
		UNIT_TEST(test_framer_has_room_for_as_many_labels_as_there_are),
		UNIT_TEST(test_framer_gives_the_room_of_many_labels_back_once_there_is_none),
		UNIT_TEST(test_run_keeps_the_wire_of_a_label_that_goes_meanwhile),
		UNIT_TEST(test_framer_frames_each_message_under_its_label_behind_what_is_there),
		UNIT_TEST(test_run_counts_the_labels_that_only_one_has),
		UNIT_TEST(test_framer_without_memory_takes_no_label),
		UNIT_TEST(test_framer_interns_each_encoder_once_and_so_many),
		UNIT_TEST(test_run_notes_the_end_of_each_message),
		UNIT_TEST(test_run_wires_live_as_long_as_somebody_holds_them),
		UNIT_TEST(test_wire_holds_only_what_an_answer_with_a_limit_takes),
		UNIT_TEST(test_wire_copies_what_belongs_to_one_client),
		UNIT_TEST(test_framer_gives_a_large_scratch_back),
		UNIT_TEST(test_framer_without_memory_frames_nothing_and_leaks_nothing),
		{ NULL, NULL },
	};
	return unit_main("framing", tests);
}
