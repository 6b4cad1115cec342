#include "bench/obstacle/frames.h"

static unsigned
length_bytes(const struct ob_frames *frames)
{
	unsigned code = frames->head[1] & 0x7f;
	return code == 127 ? 8 : code == 126 ? 2 : 0;
}

static unsigned
head_wanted(const struct ob_frames *frames)
{
	if (frames->head_len < 2)
		return 2;
	return 2 + length_bytes(frames) + (frames->head[1] & 0x80 ? 4 : 0);
}

unsigned
ob_frames_opcode(const struct ob_frames *frames)
{
	return frames->head[0] & 0x0f;
}

uint64_t
ob_frames_length(const struct ob_frames *frames)
{
	uint64_t length = 0;
	unsigned count = length_bytes(frames);
	if (count == 0)
		return frames->head[1] & 0x7f;
	for (unsigned i = 0; i < count; i++)
		length = length << 8 | frames->head[2 + i];
	return length;
}

const unsigned char *
ob_frames_mask(const struct ob_frames *frames)
{
	return frames->head[1] & 0x80 ? frames->head + 2 + length_bytes(frames) : 0;
}

unsigned
ob_frames_lengthen(const struct ob_frames *frames, uint64_t more,
	unsigned char head[OB_FRAME_HEAD_MAX])
{
	uint64_t length = ob_frames_length(frames) + more;
	unsigned count = length > UINT16_MAX ? 8 : length > 125 ? 2 : 0, at = 2;
	const unsigned char *mask = ob_frames_mask(frames);
	head[0] = frames->head[0];
	head[1] = (unsigned char)((frames->head[1] & 0x80)
		| (count == 8 ? 127 : count == 2 ? 126 : length));
	while (count--)
		head[at++] = (unsigned char)(length >> 8 * count);
	for (unsigned i = 0; mask && i < 4; i++)
		head[at++] = mask[i];
	return at;
}

enum ob_frame_event
ob_frames_next(struct ob_frames *frames, const char **bytes, size_t *len, const char **payload,
	size_t *payload_len)
{
	if (frames->in_payload && frames->left == 0) {
		frames->in_payload = frames->is_dropped = false;
		frames->head_len = 0;
	}
	if (frames->in_payload) {
		if (*len == 0)
			return OB_FRAME_MORE;
		*payload = *bytes;
		*payload_len = *len < frames->left ? *len : (size_t)frames->left;
		frames->left -= *payload_len;
		*bytes += *payload_len;
		*len -= *payload_len;
		return OB_FRAME_PAYLOAD;
	}
	while (*len) {
		frames->head[frames->head_len++] = (unsigned char)**bytes;
		++*bytes;
		--*len;
		if (frames->head_len >= 2 && frames->head_len == head_wanted(frames)) {
			frames->in_payload = true;
			frames->left = ob_frames_length(frames);
			return OB_FRAME_HEAD;
		}
	}
	return OB_FRAME_MORE;
}
