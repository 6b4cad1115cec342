/* Faults that look into the frames of a WebSocket (RFC 6455, section 5). */
#include <string.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

/* Walks over a piece frame by frame: `on_head` says if the frame is dropped, `on_payload` gets
 * the payload of those. What is not dropped passes in one piece. */
static void
filter(struct ob_active *active, const struct ob_piece *piece,
	bool (*on_head)(struct ob_active *, enum ob_way),
	void (*on_payload)(struct ob_active *, enum ob_way, const char *, size_t))
{
	struct ob_frames *frames = &active->frames[piece->way];
	struct sl_buffer *passed = &active->kept;
	const char *bytes = piece->bytes, *payload;
	size_t len = piece->len, payload_len;
	enum ob_frame_event event;
	sl_buffer_clear(passed);
	while ((event = ob_frames_next(frames, &bytes, &len, &payload, &payload_len))
		!= OB_FRAME_MORE) {
		if (event == OB_FRAME_HEAD) {
			frames->is_dropped = on_head(active, piece->way);
			if (!frames->is_dropped)
				sl_buffer_append(passed, frames->head, frames->head_len);
			if (frames->is_dropped && frames->left == 0 && on_payload)
				on_payload(active, piece->way, "", 0);
		} else if (!frames->is_dropped) {
			sl_buffer_append(passed, payload, payload_len);
		} else if (on_payload) {
			on_payload(active, piece->way, payload, payload_len);
		}
	}
	ob_active_pass(active, &(struct ob_piece){ piece->way, passed->bytes, passed->len,
		piece->end });
}

static bool
is_too_long(struct ob_active *active, enum ob_way way)
{
	if (ob_frames_length(&active->frames[way]) <= active->fault->values[0].number)
		return false;
	ob_active_count(active);
	return true;
}

static void
drop_long_frames(struct ob_active *active, const struct ob_piece *piece)
{
	if (ob_active_has_frames(active))
		filter(active, piece, is_too_long, NULL);
	else
		ob_active_pass(active, piece);
}

static bool
is_ping(struct ob_active *active, enum ob_way way)
{
	active->frames[way].control_len = 0;
	return ob_frames_opcode(&active->frames[way]) == OB_OPCODE_PING
		&& ob_frames_length(&active->frames[way]) <= OB_CONTROL_MAX;
}

/* Once the whole payload is there the sender gets a pong; one towards the origin is masked,
 * with zeros. */
static void
answer_ping(struct ob_active *active, enum ob_way way, const char *payload, size_t len)
{
	struct ob_frames *frames = &active->frames[way];
	const unsigned char *mask = ob_frames_mask(frames);
	memcpy(frames->control + frames->control_len, payload, len);
	frames->control_len += (unsigned)len;
	if (frames->left)
		return;
	unsigned char pong[2 + 4 + OB_CONTROL_MAX] = { 0x80 | OB_OPCODE_PONG };
	size_t at = way == OB_DOWN ? 6 : 2;
	pong[1] = (unsigned char)(frames->control_len | (way == OB_DOWN ? 0x80 : 0));
	for (unsigned i = 0; i < frames->control_len; i++)
		pong[at++] = (unsigned char)frames->control[i] ^ (mask ? mask[i % 4] : 0);
	ob_active_count(active);
	ob_connection_send(active->conn, way == OB_UP ? OB_DOWN : OB_UP, pong, at);
}

static void
answer_pings(struct ob_active *active, const struct ob_piece *piece)
{
	if (ob_active_has_frames(active))
		filter(active, piece, is_ping, answer_ping);
	else
		ob_active_pass(active, piece);
}

const struct ob_fault_type ob_faults_frame[] = {
	{
		.name = "max-frame", .values = { { OB_SIZE, "4K" } },
		.on_up = drop_long_frames, .on_down = drop_long_frames,
		.sentence = "Drops WebSocket frames with a longer payload, in both directions.",
		.product = "none measured; inspection with a fixed buffer",
	},
	{
		.name = "answer-pings", .on_up = answer_pings, .on_down = answer_pings,
		.sentence = "Answers WebSocket pings itself and never forwards them.",
		.product = "none measured; proxies that terminate WebSocket",
	},
	{ 0 },
};
