#include "live/outbox.h"

#include <stdio.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"

static struct sl_framer framer;

static struct sl_wire *
make_wire(const char *text)
{
	struct sl_wire *wire = sl_wire_create(&framer, text, strlen(text));
	CU_ASSERT_PTR_NOT_NULL_FATAL(wire);
	return wire;
}

static void
push_text(struct sl_outbox *outbox, const char *text)
{
	struct sl_wire *wire = make_wire(text);
	CU_ASSERT_EQUAL(sl_outbox_push(outbox, wire, 0), 0);
	sl_wire_unref(wire);
}

static size_t
frame_lines(const struct sl_encoder *encoder, const struct sl_label *label,
	struct sl_message *const *messages, size_t count, struct sl_buffer *out, uint32_t *ends)
{
	for (size_t i = 0; i < count; i++) {
		sl_buffer_append(out, messages[i]->object, messages[i]->object_len);
		sl_buffer_append_char(out, '\n');
		ends[i] = (uint32_t)out->len;
	}
	return count;
}

/* Three messages, a line each. */
static struct sl_wire *
make_lines(void)
{
	struct sl_message *messages[] = { make_message(1, "a", "one"), make_message(2, "a", "two"),
		make_message(3, "a", "three") };
	static const struct sl_encoder lines = { .frame_messages = frame_lines };
	struct sl_wire *wire = sl_wire_create_messages(&framer, &lines, NULL, messages, 3);
	drop_messages(messages, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(wire);
	CU_ASSERT_EQUAL_FATAL(wire->count, 3);
	return wire;
}

static void
expect(const struct sl_outbox *outbox, const char *text, size_t len)
{
	struct iovec slices[256];
	int count = sl_outbox_gather(outbox, slices, 256);
	CU_ASSERT_EQUAL(outbox->queued_bytes, len);
	for (int i = 0; i < count; i++) {
		CU_ASSERT_TRUE_FATAL(slices[i].iov_len <= len);
		CU_ASSERT_EQUAL(memcmp(slices[i].iov_base, text, slices[i].iov_len), 0);
		text += slices[i].iov_len;
		len -= slices[i].iov_len;
	}
	CU_ASSERT_EQUAL(len, 0);
}

static void
test_outbox_sends_in_the_order_of_pushing(void)
{
	struct sl_outbox outbox = { 0 };
	push_text(&outbox, "one ");
	push_text(&outbox, "two ");
	push_text(&outbox, "three");
	expect(&outbox, "one two three", 13);
	sl_outbox_clear(&outbox);
	expect(&outbox, "", 0);
}

static void
test_outbox_allocates_nothing_for_one_slice(void)
{
	struct sl_outbox outbox = { 0 };
	push_text(&outbox, "one");
	CU_ASSERT_PTR_NULL(outbox.more);
	push_text(&outbox, "two");
	CU_ASSERT_PTR_NOT_NULL(outbox.more);
	sl_outbox_consume(&outbox, 3);
	CU_ASSERT_PTR_NULL(outbox.more); /* given back once one slice is enough again */
	expect(&outbox, "two", 3);
	sl_outbox_clear(&outbox);
}

static void
test_outbox_gathers_no_more_slices_than_asked_for(void)
{
	struct sl_outbox outbox = { 0 };
	struct iovec slices[4];
	for (int i = 0; i < 5; i++)
		push_text(&outbox, "x");
	CU_ASSERT_EQUAL(sl_outbox_gather(&outbox, slices, 4), 4);
	CU_ASSERT_EQUAL(sl_outbox_gather(&outbox, slices, 1), 1);
	sl_outbox_clear(&outbox);
	CU_ASSERT_EQUAL(sl_outbox_gather(&outbox, slices, 4), 0);
}

static void
test_outbox_shares_wires_and_gives_every_reference_back(void)
{
	struct sl_outbox one = { 0 }, other = { 0 };
	struct sl_wire *wire = make_wire("shared");
	CU_ASSERT_EQUAL(sl_outbox_push(&one, wire, 0), 0);
	CU_ASSERT_EQUAL(sl_outbox_push(&other, wire, 0), 0);
	CU_ASSERT_EQUAL(sl_outbox_push(&other, wire, 2), 0);
	CU_ASSERT_EQUAL(wire->refs, 4);
	sl_outbox_consume(&one, 6);
	CU_ASSERT_EQUAL(wire->refs, 3);
	expect(&other, "sharedared", 10);
	sl_outbox_clear(&other);
	CU_ASSERT_EQUAL(wire->refs, 1);
	sl_wire_unref(wire);
}

static void
test_outbox_takes_no_reference_for_a_rest_of_no_bytes(void)
{
	struct sl_outbox outbox = { 0 };
	struct sl_wire *wire = make_wire("abc");
	CU_ASSERT_EQUAL(sl_outbox_push(&outbox, wire, 3), 0);
	CU_ASSERT_EQUAL(wire->refs, 1);
	expect(&outbox, "", 0);
	sl_wire_unref(wire);
}

/* Against a plain string: pushes and partial sends that make the ring grow and wrap. */
static void
test_outbox_keeps_every_byte_whatever_the_sends(void)
{
	static char all[1 << 16];
	struct sl_outbox outbox = { 0 };
	size_t pushed = 0, sent = 0;
	uint32_t dice = 1;
	for (unsigned round = 0; round < 4000; round++) {
		dice = dice * 1664525 + 1013904223;
		if (pushed - sent < 150 && dice >> 28) {
			char text[16];
			snprintf(text, sizeof text, "%u,", round);
			memcpy(all + pushed, text, strlen(text));
			pushed += strlen(text);
			push_text(&outbox, text);
		} else {
			size_t len = (dice >> 16 & 31) % (pushed - sent + 1);
			sl_outbox_consume(&outbox, len);
			sent += len;
		}
		expect(&outbox, all + sent, pushed - sent);
	}
	sl_outbox_consume(&outbox, pushed - sent);
	expect(&outbox, "", 0);
	CU_ASSERT_EQUAL(framer.pinned_bytes, 0);
}

static void
test_outbox_dropping_the_unbegun_finishes_the_object_in_progress(void)
{
	for (uint32_t at = 0;; at++) {
		struct sl_outbox outbox = { 0 };
		struct sl_wire *wire = make_lines();
		uint32_t end = at == 0 ? 0 : at;
		for (uint32_t i = 0; i < wire->count && at > 0; i++)
			if (wire->ends[i] >= at) {
				end = wire->ends[i];
				break;
			}
		bool last = at == wire->len - 1;
		CU_ASSERT_EQUAL(sl_outbox_push(&outbox, wire, 0), 0);
		struct sl_wire *unbegun = make_lines();
		CU_ASSERT_EQUAL(sl_outbox_push(&outbox, unbegun, 0), 0);
		sl_wire_unref(unbegun);
		sl_outbox_consume(&outbox, at);
		uint32_t kept = 0;
		while (kept < wire->count && wire->ends[kept] <= end)
			kept++;
		CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 3 - kept + 3);
		expect(&outbox, wire->bytes + at, end - at);
		CU_ASSERT_EQUAL(wire->refs, end > at ? 2u : 1u);
		sl_outbox_clear(&outbox);
		sl_wire_unref(wire);
		if (last)
			break;
	}
	CU_ASSERT_EQUAL(framer.pinned_bytes, 0);
}

static void
test_outbox_dropping_keeps_nothing_of_a_run_that_was_only_cut(void)
{
	struct sl_outbox outbox = { 0 };
	struct sl_wire *wire = make_lines();
	CU_ASSERT_EQUAL(sl_outbox_push(&outbox, wire, wire->ends[0]), 0);
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 2);
	expect(&outbox, "", 0);
	CU_ASSERT_EQUAL(sl_outbox_push(&outbox, wire, wire->ends[0]), 0);
	sl_outbox_consume(&outbox, 1);
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 1);
	expect(&outbox, wire->bytes + wire->ends[0] + 1, wire->ends[1] - wire->ends[0] - 1);
	sl_outbox_clear(&outbox);
	sl_wire_unref(wire);
}

static void
push_kind(struct sl_outbox *outbox, const char *text, enum sl_wire_kind kind)
{
	struct sl_wire *wire = make_wire(text);
	wire->kind = kind;
	CU_ASSERT_EQUAL(sl_outbox_push(outbox, wire, 0), 0);
	sl_wire_unref(wire);
}

static void
push_lines(struct sl_outbox *outbox)
{
	struct sl_wire *wire = make_lines();
	CU_ASSERT_EQUAL(sl_outbox_push(outbox, wire, 0), 0);
	sl_wire_unref(wire);
}

static void
test_outbox_dropping_no_message_keeps_all_control_objects(void)
{
	struct sl_outbox outbox = { 0 };
	push_text(&outbox, "control");
	push_kind(&outbox, "position", SL_WIRE_POSITION);
	push_kind(&outbox, "gap", SL_WIRE_GAP);
	sl_outbox_consume(&outbox, 3);
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 0);
	expect(&outbox, "trolpositiongap", 15);
	push_text(&outbox, " bye");
	expect(&outbox, "trolpositiongap bye", 19);
	sl_outbox_clear(&outbox);
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 0); /* of nothing */
	expect(&outbox, "", 0);
}

static void
test_outbox_dropping_a_message_drops_every_cursor_and_count_behind_it(void)
{
	struct sl_outbox outbox = { 0 };
	push_text(&outbox, "head ");
	push_kind(&outbox, "open ", SL_WIRE_POSITION);
	push_kind(&outbox, "gap ", SL_WIRE_GAP);
	push_lines(&outbox);
	for (int i = 0; i < 20; i++) {
		push_kind(&outbox, "unsubscribed ", SL_WIRE_POSITION);
		push_text(&outbox, "ack ");
		push_kind(&outbox, "gap ", SL_WIRE_GAP);
	}
	push_lines(&outbox);
	push_text(&outbox, "error");
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 3 + 20 + 3);
	expect(&outbox, "head open gap ack ack ack ack ack ack ack ack ack ack ack ack ack ack ack "
		"ack ack ack ack ack error", 99);
	sl_outbox_clear(&outbox);
	CU_ASSERT_EQUAL(framer.pinned_bytes, 0);
}

/* What was sent of a wire is not dropped: only what is behind it. */
static void
test_outbox_dropping_tells_the_end_of_a_run_from_its_middle(void)
{
	struct sl_wire *wire = make_lines();
	for (uint32_t at = 1; at < wire->len; at++) {
		struct sl_outbox outbox = { 0 };
		push_lines(&outbox);
		push_kind(&outbox, "position", SL_WIRE_POSITION);
		sl_outbox_consume(&outbox, at);
		bool is_last = at > wire->ends[1];
		CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox) == 0, is_last);
		if (is_last)
			sl_outbox_consume(&outbox, wire->len - at);
		else
			sl_outbox_clear(&outbox);
		expect(&outbox, "position", is_last ? 8 : 0);
		sl_outbox_clear(&outbox);
	}
	sl_wire_unref(wire);
}

/* The ring has wrapped, and one slice is enough again. */
static void
test_outbox_dropping_gives_memory_back(void)
{
	struct sl_outbox outbox = { 0 };
	for (int i = 0; i < 7; i++)
		push_text(&outbox, "x");
	sl_outbox_consume(&outbox, 6);
	push_text(&outbox, "y");
	for (int i = 0; i < 6; i++)
		push_lines(&outbox);
	push_text(&outbox, "z");
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 18);
	expect(&outbox, "xyz", 3);
	sl_outbox_consume(&outbox, 2);
	CU_ASSERT_PTR_NULL(outbox.more);
	push_lines(&outbox);
	CU_ASSERT_EQUAL(sl_outbox_drop_unbegun(&outbox), 3);
	CU_ASSERT_PTR_NULL(outbox.more);
	expect(&outbox, "z", 1);
	sl_outbox_clear(&outbox);
}

static void
test_outbox_without_memory_is_unchanged(void)
{
	struct sl_wire *wire = make_wire("text ");
	for_each_failing_allocation(failing) {
		struct sl_outbox outbox = { 0 };
		int err = 0, pushed = 0;
		for (int i = 0; i < 20 && err == 0; i++, pushed += err == 0)
			err = sl_outbox_push(&outbox, wire, 0);
		failing_expect(err);
		CU_ASSERT_EQUAL(outbox.queued_bytes, (uint32_t)pushed * 5);
		CU_ASSERT_EQUAL(wire->refs, (uint32_t)pushed + 1);
		sl_outbox_clear(&outbox);
	}
	sl_wire_unref(wire);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_outbox_sends_in_the_order_of_pushing),
		UNIT_TEST(test_outbox_allocates_nothing_for_one_slice),
		UNIT_TEST(test_outbox_gathers_no_more_slices_than_asked_for),
		UNIT_TEST(test_outbox_shares_wires_and_gives_every_reference_back),
		UNIT_TEST(test_outbox_takes_no_reference_for_a_rest_of_no_bytes),
		UNIT_TEST(test_outbox_keeps_every_byte_whatever_the_sends),
		UNIT_TEST(test_outbox_dropping_the_unbegun_finishes_the_object_in_progress),
		UNIT_TEST(test_outbox_dropping_keeps_nothing_of_a_run_that_was_only_cut),
		UNIT_TEST(test_outbox_dropping_no_message_keeps_all_control_objects),
		UNIT_TEST(test_outbox_dropping_a_message_drops_every_cursor_and_count_behind_it),
		UNIT_TEST(test_outbox_dropping_tells_the_end_of_a_run_from_its_middle),
		UNIT_TEST(test_outbox_dropping_gives_memory_back),
		UNIT_TEST(test_outbox_without_memory_is_unchanged),
		{ NULL, NULL },
	};
	if (sl_framer_init(&framer) != 0)
		return 2;
	int status = unit_main("outbox", tests);
	sl_framer_finish(&framer);
	return status;
}
