/* Frames and events, cut anywhere: the same are found, and no byte is lost. */
#include "bench/obstacle/events.h"
#include "bench/obstacle/frames.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"

/* Marks stand in the text as a byte and a letter; each byte of it is told apart by a dot. */
static void
append_bytes(struct sl_buffer *out, const char *bytes, size_t len)
{
	while (len--) {
		sl_buffer_append_char(out, '.');
		sl_buffer_append_char(out, *bytes++);
	}
}

static void
mark_events(struct ob_events *events, struct sl_buffer *out, const char *bytes, size_t len)
{
	const char *part, *from = bytes;
	size_t part_len, taken = 0, whole = len;
	enum ob_event_step step;
	while ((step = ob_events_next(events, &bytes, &len, &part, &part_len)) != OB_EVENT_MORE) {
		if (step != OB_EVENT_BYTES) {
			sl_buffer_append_char(out, step == OB_EVENT_BEGIN ? '[' : '^');
			continue;
		}
		FUZZ_EXPECT(part_len && part == from + taken);
		taken += part_len;
		append_bytes(out, part, part_len);
	}
	FUZZ_EXPECT(len == 0 && taken == whole);
}

/* A frame's head and payload, and what its head is when the payload is longer. */
static void
mark_frames(struct ob_frames *frames, struct sl_buffer *out, const char *bytes, size_t len)
{
	const char *payload;
	size_t payload_len;
	enum ob_frame_event event;
	while ((event = ob_frames_next(frames, &bytes, &len, &payload, &payload_len))
		!= OB_FRAME_MORE) {
		if (event == OB_FRAME_PAYLOAD) {
			append_bytes(out, payload, payload_len);
			continue;
		}
		unsigned char head[OB_FRAME_HEAD_MAX];
		unsigned head_len = ob_frames_lengthen(frames, 16, head);
		FUZZ_EXPECT(head_len >= 2 && head_len <= sizeof head && head[0] == frames->head[0]);
		sl_buffer_append_char(out, '[');
		sl_buffer_append(out, head, head_len);
	}
	FUZZ_EXPECT(len == 0);
}

static void
run(unsigned form, struct sl_buffer *out, const char *text, size_t len, size_t piece)
{
	struct ob_events events = { .form = (enum ob_event_form)form };
	struct ob_frames frames = { 0 };
	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece;
		if (form > OB_ANSWER)
			mark_frames(&frames, out, text + at, part);
		else
			mark_events(&events, out, text + at, part);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_buffer whole = SL_BUFFER_INIT, parts = SL_BUFFER_INIT;
	if (len < 2)
		return 0;
	unsigned form = bytes[0] % (OB_ANSWER + 2u);
	char *text = fuzz_copy(bytes + 2, len - 2);
	run(form, &whole, text, len - 2, len);
	run(form, &parts, text, len - 2, bytes[1] % 16 + 1u);
	FUZZ_EXPECT(whole.len == parts.len);
	FUZZ_EXPECT(whole.len == 0 || memcmp(whole.bytes, parts.bytes, whole.len) == 0);
	sl_buffer_finish(&whole);
	sl_buffer_finish(&parts);
	free(text);
	return 0;
}
