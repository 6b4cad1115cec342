#include "bench/load/frames.h"

#include <string.h>

#define OPCODE_CLOSE 8
#define OPCODE_PING 9
#define OPCODE_PONG 10

static uint8_t
opcode_of(const struct bench_frames *frames)
{
	return frames->head[0] & 0x0f;
}

static uint8_t
head_size(const struct bench_frames *frames)
{
	if (frames->head_len < 2)
		return 2;
	uint8_t len = frames->head[1] & 0x7f;
	return len == 127 ? 10 : len == 126 ? 4 : 2;
}

/* The head is whole. */
static void
begin_payload(struct bench_frames *frames)
{
	uint8_t size = head_size(frames);
	frames->left = size == 2 ? frames->head[1] & 0x7f : 0;
	for (uint8_t i = 2; i < size; i++)
		frames->left = frames->left << 8 | frames->head[i];
	frames->head_len = 0;
	frames->control_len = 0;
	frames->in_payload = true;
	if (opcode_of(frames) == OPCODE_CLOSE)
		frames->closed = true;
}

static void
take_payload(struct bench_frames *frames, const char *bytes, size_t len)
{
	size_t room = BENCH_CONTROL_MAX - frames->control_len;
	if (opcode_of(frames) == OPCODE_PING) {
		size_t kept = len < room ? len : room;
		memcpy(frames->control + frames->control_len, bytes, kept);
		frames->control_len = (uint8_t)(frames->control_len + kept);
	}
	frames->left -= len;
}

bool
bench_frames_next_ping(struct bench_frames *frames, const char **at, const char *end)
{
	while (*at < end || (frames->in_payload && frames->left == 0)) {
		if (!frames->in_payload) {
			frames->head[frames->head_len++] = (uint8_t)*(*at)++;
			if (frames->head_len == head_size(frames))
				begin_payload(frames);
			continue;
		}
		size_t here = (size_t)(end - *at);
		size_t len = frames->left < here ? (size_t)frames->left : here;
		take_payload(frames, *at, len);
		*at += len;
		if (frames->left == 0) {
			frames->in_payload = false;
			if (opcode_of(frames) == OPCODE_PING)
				return true;
		}
	}
	return false;
}

size_t
bench_frames_write_pong(const struct bench_frames *frames, char out[BENCH_PONG_MAX])
{
	const unsigned char head[] = { 0x80 | OPCODE_PONG, 0x80 | frames->control_len, 0, 0, 0, 0 };
	memcpy(out, head, sizeof head);
	memcpy(out + sizeof head, frames->control, frames->control_len);
	return sizeof head + frames->control_len;
}
