#include "live/run.h"

#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/buffer.h"

/* A transport that counts how often it is asked to frame, and takes `fit` at most. */
static unsigned framings;
static size_t fit;

static size_t
frame_payloads(unsigned encoding, struct sl_message *const *messages, size_t count,
	struct sl_buffer *out, uint32_t *ends)
{
	framings++;
	size_t taken = count < fit ? count : fit;
	for (size_t i = 0; i < taken; i++) {
		sl_buffer_append_char(out, (char)('0' + encoding));
		sl_buffer_append(out, messages[i]->payload, messages[i]->payload_len);
		ends[i] = (uint32_t)out->len;
	}
	return taken;
}

static const struct sl_transport one = { .class = SL_CLASS_SSE,
	.frame_messages = frame_payloads };
static const struct sl_transport other = { .class = SL_CLASS_STREAM,
	.frame_messages = frame_payloads };

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
};

static void
open_stage(struct stage *stage)
{
	CU_ASSERT_EQUAL_FATAL(sl_framer_init(&stage->framer), 0);
	stage->messages[0] = make_message(5, "a", "x");
	stage->messages[1] = make_message(6, "a", "yy");
	stage->messages[2] = make_message(9, "a", "zzz");
	sl_run_init(&stage->run, stage->messages, 3);
	framings = 0;
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
	CU_ASSERT_EQUAL(stage.run.first_seq, 5);
	CU_ASSERT_EQUAL(stage.run.last_seq, 9);
	CU_ASSERT_EQUAL(stage.run.payload_bytes, 6);
	CU_ASSERT_EQUAL(sl_run_sum_payload(stage.messages + 1, 2), 5);
	CU_ASSERT_EQUAL(sl_run_sum_payload(stage.messages, 0), 0);
	sl_run_finish(&stage.run);
	close_stage(&stage);
}

static void
test_run_is_framed_once_for_each_format(void)
{
	struct stage stage;
	open_stage(&stage);
	struct sl_wire *first = sl_run_get_wire(&stage.run, &stage.framer, &one, 0);
	expect(first, "0x0yy0zzz");
	for (int i = 0; i < 10; i++)
		CU_ASSERT_PTR_EQUAL(sl_run_get_wire(&stage.run, &stage.framer, &one, 0), first);
	CU_ASSERT_EQUAL(framings, 1);
	expect(sl_run_get_wire(&stage.run, &stage.framer, &one, 3), "3x3yy3zzz");
	CU_ASSERT_EQUAL(framings, 2);
	struct sl_wire *second = sl_run_get_wire(&stage.run, &stage.framer, &other, 0);
	expect(second, "0x0yy0zzz");
	CU_ASSERT_PTR_NOT_EQUAL(first, second);
	CU_ASSERT_EQUAL(framings, 3);
	sl_run_finish(&stage.run);
	close_stage(&stage);
}

static void
test_run_notes_the_end_of_each_message(void)
{
	struct stage stage;
	open_stage(&stage);
	const struct sl_wire *wire = sl_run_get_wire(&stage.run, &stage.framer, &one, 1);
	CU_ASSERT_EQUAL_FATAL(wire->count, 3);
	CU_ASSERT_EQUAL(wire->ends[0], 2);
	CU_ASSERT_EQUAL(wire->ends[1], 5);
	CU_ASSERT_EQUAL(wire->ends[2], 9);
	sl_run_finish(&stage.run);
	close_stage(&stage);
}

static void
test_run_wires_live_as_long_as_somebody_holds_them(void)
{
	struct stage stage;
	open_stage(&stage);
	struct sl_wire *wire = sl_run_get_wire(&stage.run, &stage.framer, &one, 0);
	CU_ASSERT_EQUAL(wire->refs, 1);
	CU_ASSERT_PTR_EQUAL(sl_wire_ref(wire), wire);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 9);
	sl_run_get_wire(&stage.run, &stage.framer, &other, 0);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 18);
	sl_run_finish(&stage.run);
	CU_ASSERT_EQUAL(stage.framer.pinned_bytes, 9);
	expect(wire, "0x0yy0zzz");
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
		sl_wire_create_messages(&stage.framer, &one, 0, stage.messages, 3);
	expect(wire, "0x0yy");
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
	struct sl_wire *wire = sl_wire_create_messages(&stage.framer, &one, 0, &large, 1);
	CU_ASSERT_EQUAL(wire->len, sizeof text);
	CU_ASSERT_EQUAL(stage.framer.scratch->cap, 0);
	sl_wire_unref(wire);
	sl_message_unref(large);
	sl_wire_unref(sl_wire_create_messages(&stage.framer, &one, 0, stage.messages, 3));
	CU_ASSERT_NOT_EQUAL(stage.framer.scratch->cap, 0); /* a small one is kept */
	close_stage(&stage);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_run_knows_its_numbers_and_payload),
		UNIT_TEST(test_run_is_framed_once_for_each_format),
		UNIT_TEST(test_run_notes_the_end_of_each_message),
		UNIT_TEST(test_run_wires_live_as_long_as_somebody_holds_them),
		UNIT_TEST(test_wire_holds_only_what_an_answer_with_a_limit_takes),
		UNIT_TEST(test_wire_copies_what_belongs_to_one_client),
		UNIT_TEST(test_framer_gives_a_large_scratch_back),
		{ NULL, NULL },
	};
	return unit_main("run", tests);
}
