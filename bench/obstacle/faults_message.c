/* Faults of single messages on their way to the client: a WebSocket's (RFC 6455, section 5.4),
 * events, lines of JSON. A poll's answer is one. */
#include <string.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

static const char garbage[] = "<!-- scanned -->";

/* Counted over all connections, so that it is not the same one again after each reconnect. */
static bool
is_nth(struct ob_active *active)
{
	if (++active->fault->asked % active->fault->values[0].number != 0)
		return false;
	active->fault->applied++;
	return true;
}

/* An answer's length has to be right, so its lot falls before its head has gone. */
static enum ob_verdict
look_at_response(struct ob_active *active)
{
	struct ob_exchange *exchange = &active->conn->exchange;
	bool is_answer = exchange->events.form == OB_ANSWER;
	active->count = is_answer && is_nth(active);
	if (exchange->events.form != OB_NO_EVENTS && (active->count || !is_answer))
		exchange->is_rewritten = true;
	return OB_GO;
}

static bool
is_chosen(struct ob_active *active)
{
	return active->events.form == OB_ANSWER ? active->count : is_nth(active);
}

/* One that began before the fault was in force has a length that was promised. */
static bool
has_events(const struct ob_active *active)
{
	return active->events.form != OB_NO_EVENTS && active->conn->exchange.down_out != OB_LENGTH;
}

/* Lets `on_frames` and `on_events` find what passes of a piece, in `passed`. */
static void
filter(struct ob_active *active, const struct ob_piece *piece,
	void (*on_frames)(struct ob_active *, const char *, size_t, struct sl_buffer *),
	void (*on_events)(struct ob_active *, const char *, size_t, struct sl_buffer *))
{
	struct sl_buffer *passed = &active->kept;
	bool has_frames = ob_active_has_frames(active);
	if (!has_frames && !has_events(active)) {
		ob_active_pass(active, piece);
		return;
	}
	sl_buffer_clear(passed);
	(has_frames ? on_frames : on_events)(active, piece->bytes, piece->len, passed);
	ob_active_pass(active, &(struct ob_piece){ OB_DOWN, passed->bytes, passed->len, piece->end });
}

/* A message is chosen at its first frame, the others share its lot. Control frames pass. */
static bool
begins_message(const struct ob_frames *frames)
{
	return ob_frames_opcode(frames) != OB_OPCODE_CONTINUED
		&& ob_frames_opcode(frames) < OB_OPCODE_CLOSE;
}

static void
drop_frames(struct ob_active *active, const char *bytes, size_t len, struct sl_buffer *passed)
{
	struct ob_frames *frames = &active->frames[OB_DOWN];
	enum ob_frame_event event;
	const char *payload;
	size_t payload_len;
	while ((event = ob_frames_next(frames, &bytes, &len, &payload, &payload_len))
		!= OB_FRAME_MORE) {
		if (event == OB_FRAME_HEAD) {
			if (begins_message(frames))
				frames->drops_message = is_nth(active);
			frames->is_dropped = frames->drops_message
				&& ob_frames_opcode(frames) < OB_OPCODE_CLOSE;
		}
		if (!frames->is_dropped && event == OB_FRAME_HEAD)
			sl_buffer_append(passed, frames->head, frames->head_len);
		else if (!frames->is_dropped)
			sl_buffer_append(passed, payload, payload_len);
	}
}

/* In a compressed message the text is a stored block of DEFLATE (RFC 1951, section 3.2.4), so that it is
 * before the JSON there too. */
static void
append_garbage(const struct ob_frames *frames, struct sl_buffer *passed)
{
	static const char block[] = { 0, sizeof garbage - 1, 0, (char)~(sizeof garbage - 1), (char)0xff };
	size_t block_len = frames->head[0] & OB_COMPRESSED ? sizeof block : 0;
	unsigned char head[OB_FRAME_HEAD_MAX];
	sl_buffer_append(passed, head,
		ob_frames_lengthen(frames, block_len + sizeof garbage - 1, head));
	sl_buffer_append(passed, block, block_len);
	sl_buffer_append_str(passed, garbage);
}

static void
garble_frames(struct ob_active *active, const char *bytes, size_t len, struct sl_buffer *passed)
{
	struct ob_frames *frames = &active->frames[OB_DOWN];
	enum ob_frame_event event;
	const char *payload;
	size_t payload_len;
	while ((event = ob_frames_next(frames, &bytes, &len, &payload, &payload_len))
		!= OB_FRAME_MORE) {
		if (event == OB_FRAME_PAYLOAD) {
			sl_buffer_append(passed, payload, payload_len);
		} else if (begins_message(frames) && is_nth(active)) {
			append_garbage(frames, passed);
		} else {
			sl_buffer_append(passed, frames->head, frames->head_len);
		}
	}
}

static void
drop_events(struct ob_active *active, const char *bytes, size_t len, struct sl_buffer *passed)
{
	struct ob_events *events = &active->events;
	enum ob_event_step step;
	const char *part;
	size_t part_len;
	while ((step = ob_events_next(events, &bytes, &len, &part, &part_len)) != OB_EVENT_MORE)
		if (step == OB_EVENT_BEGIN)
			events->is_dropped = is_chosen(active);
		else if (step == OB_EVENT_BYTES && !events->is_dropped)
			sl_buffer_append(passed, part, part_len);
}

static void
garble_events(struct ob_active *active, const char *bytes, size_t len, struct sl_buffer *passed)
{
	enum ob_event_step step;
	const char *part;
	size_t part_len;
	while ((step = ob_events_next(&active->events, &bytes, &len, &part, &part_len))
		!= OB_EVENT_MORE)
		if (step == OB_EVENT_BYTES)
			sl_buffer_append(passed, part, part_len);
		else if (step == OB_EVENT_CONTENT && is_chosen(active))
			sl_buffer_append_str(passed, garbage);
}

static void
drop_messages(struct ob_active *active, const struct ob_piece *piece)
{
	filter(active, piece, drop_frames, drop_events);
}

static void
garble_messages(struct ob_active *active, const struct ob_piece *piece)
{
	filter(active, piece, garble_frames, garble_events);
}

const struct ob_fault_type ob_faults_message[] = {
	{
		.name = "drop-every", .values = { { OB_COUNT, "5" } },
		.on_response_head = look_at_response, .on_down = drop_messages,
		.sentence = "Drops each k-th message to the client: a WebSocket message, an event, "
			"a line of JSON or the body of a poll's answer.",
		.product = "none measured; inspection that skips messages under load",
	},
	{
		.name = "garble-every", .values = { { OB_COUNT, "5" } },
		.on_response_head = look_at_response, .on_down = garble_messages,
		.sentence = "Inserts text before the JSON of each k-th message to the client; it "
			"counts them as drop-every does.",
		.product = "none measured; content filters that mark what they have seen",
	},
	{ 0 },
};
