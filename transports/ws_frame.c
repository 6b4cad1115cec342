#include "transports/ws_frame.h"

#include <string.h>

#include "util/err.h"

#define FIN 0x80
#define RSV 0x70
#define MASKED 0x80
#define LEN_16 126 /* in the 7-bit length: two, or eight, bytes of length follow */
#define LEN_64 127

bool
sl_ws_frame_is_control(unsigned opcode)
{
	return opcode & 8;
}

static int
read_first(struct sl_ws_frame_header *header, uint8_t byte)
{
	header->fin = byte & FIN;
	header->opcode = byte & 15;
	header->compressed = byte & SL_WS_RSV1;
	bool may_be_compressed = header->takes_compressed && !sl_ws_frame_is_control(header->opcode)
		&& header->opcode != SL_WS_OPCODE_CONTINUATION;
	if (byte & (may_be_compressed ? RSV & ~SL_WS_RSV1 : RSV))
		return SL_EPROTO;
	if ((header->opcode & 7) > 2)
		return SL_EPROTO;
	if (sl_ws_frame_is_control(header->opcode) && !header->fin)
		return SL_EPROTO;
	return 0;
}

static int
read_second(struct sl_ws_frame_header *header, uint8_t byte)
{
	uint8_t len = byte & 127;
	if (!(byte & MASKED))
		return SL_EPROTO;
	if (sl_ws_frame_is_control(header->opcode) && len > SL_WS_CONTROL_MAX)
		return SL_EPROTO;
	if (len == LEN_16)
		header->len_bytes = 2;
	else if (len == LEN_64)
		header->len_bytes = 8;
	else
		header->len = len;
	return 0;
}

static int
read_len(struct sl_ws_frame_header *header, uint8_t byte, unsigned index)
{
	if (header->len_bytes == 8 && index == 0 && byte & 0x80)
		return SL_EPROTO;
	header->len = header->len << 8 | byte;
	if (index + 1 < header->len_bytes)
		return 0;
	uint64_t least = header->len_bytes == 2 ? LEN_16 : UINT16_MAX + 1;
	return header->len < least ? SL_EPROTO : 0;
}

static int
read_byte(struct sl_ws_frame_header *header, uint8_t byte)
{
	unsigned at = header->have++;
	if (at == 0)
		return read_first(header, byte);
	if (at == 1)
		return read_second(header, byte);
	if (at < 2u + header->len_bytes)
		return read_len(header, byte, at - 2);
	header->mask[at - 2 - header->len_bytes] = byte;
	return 0;
}

int
sl_ws_frame_decode_header(struct sl_ws_frame_header *header, const char *bytes, size_t len,
	size_t *used)
{
	*used = 0;
	while (header->have < 6 + header->len_bytes) {
		if (*used == len)
			return 0;
		int err = read_byte(header, (uint8_t)bytes[(*used)++]);
		if (err)
			return err;
	}
	return 1;
}

void
sl_ws_frame_mask(char *bytes, size_t len, const uint8_t mask[4], uint64_t phase)
{
	uint8_t turned[8]; /* the mask twice, beginning with the byte that `phase` asks for */
	for (unsigned i = 0; i < sizeof turned; i++)
		turned[i] = mask[(phase + i) & 3];
	uint64_t wide;
	memcpy(&wide, turned, sizeof wide);
	size_t at = 0;
	for (; len - at >= sizeof wide; at += sizeof wide) {
		uint64_t word;
		memcpy(&word, bytes + at, sizeof word);
		word ^= wide;
		memcpy(bytes + at, &word, sizeof word);
	}
	for (; at < len; at++)
		bytes[at] = (char)((uint8_t)bytes[at] ^ turned[at & 7]);
}

size_t
sl_ws_frame_encode_header(uint8_t out[SL_WS_FRAME_HEADER_MAX], unsigned opcode, uint64_t len)
{
	out[0] = (uint8_t)(FIN | opcode);
	if (len < LEN_16) {
		out[1] = (uint8_t)len;
		return 2;
	}
	unsigned len_bytes = len <= UINT16_MAX ? 2 : 8;
	out[1] = len_bytes == 2 ? LEN_16 : LEN_64;
	for (unsigned i = 0; i < len_bytes; i++)
		out[2 + i] = (uint8_t)(len >> 8 * (len_bytes - 1 - i));
	return 2 + len_bytes;
}

size_t
sl_ws_frame_encode_close(uint8_t out[SL_WS_CLOSE_FRAME_MAX], unsigned code, const char *reason)
{
	if (code == 1005)
		return sl_ws_frame_encode_header(out, SL_WS_OPCODE_CLOSE, 0);
	size_t len = reason ? strlen(reason) : 0;
	if (len > SL_WS_CONTROL_MAX - 2) {
		len = SL_WS_CONTROL_MAX - 2;
		while (len > 0 && (reason[len] & 0xc0) == 0x80)
			len--;
	}
	size_t at = sl_ws_frame_encode_header(out, SL_WS_OPCODE_CLOSE, 2 + len);
	out[at++] = (uint8_t)(code >> 8);
	out[at++] = (uint8_t)code;
	if (len > 0)
		memcpy(out + at, reason, len);
	return at + len;
}
