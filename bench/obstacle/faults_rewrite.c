/* Faults that rewrite bodies on their way to the client. */
#include <stdint.h>
#include <string.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

#define GZIP_BLOCK_MAX 65535 /* of a stored block (RFC 1951, section 3.2.4) */

static enum ob_verdict
change_length(struct ob_active *active)
{
	if (active->conn->exchange.down.framing != OB_NO_BODY)
		active->conn->exchange.is_rewritten = true;
	return OB_GO;
}

static bool
is_body(const struct ob_active *active)
{
	return active->conn->exchange.down.framing != OB_NO_BODY;
}

static void
inject_html(struct ob_active *active, const struct ob_piece *piece)
{
	static const char html[] = "<script src=\"//ads.invalid/a.js\"></script>\n";
	if (is_body(active) && active->count++ == 0) {
		ob_active_count(active);
		ob_active_pass_bytes(active, OB_DOWN, html, sizeof html - 1);
	}
	ob_active_pass(active, piece);
}

static void
make_crlf(struct ob_active *active, const struct ob_piece *piece)
{
	struct sl_buffer *text = &active->kept;
	if (!is_body(active)) {
		ob_active_pass(active, piece);
		return;
	}
	sl_buffer_clear(text);
	for (size_t i = 0; i < piece->len; i++) {
		bool after_cr = active->count == '\r';
		if (piece->bytes[i] == '\n' && !after_cr) {
			ob_active_count(active);
			sl_buffer_append_char(text, '\r');
		}
		sl_buffer_append_char(text, piece->bytes[i]);
		active->count = (unsigned char)piece->bytes[i];
	}
	ob_active_pass(active, &(struct ob_piece){ OB_DOWN, text->bytes, text->len, piece->end });
}

/* CRC-32 (RFC 1952, section 8), begun with 0. */
static uint32_t
add_crc(uint32_t crc, const char *bytes, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void
append_little_endian(struct sl_buffer *out, uint32_t value, unsigned bytes)
{
	for (; bytes; bytes--, value >>= 8)
		sl_buffer_append_char(out, (char)(value & 0xff));
}

static void
append_block(struct sl_buffer *out, const char *bytes, size_t len, bool is_final)
{
	sl_buffer_append_char(out, is_final);
	append_little_endian(out, (uint32_t)len, 2);
	append_little_endian(out, ~(uint32_t)len, 2);
	sl_buffer_append(out, bytes, len);
}

/* gzip that compresses nothing: each piece a stored block. mark_us[0] is the checksum so far,
 * count the bytes so far and one for the header. */
static void
gzip(struct ob_active *active, const struct ob_piece *piece)
{
	static const char header[10] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	struct sl_buffer *out = &active->kept;
	if (!is_body(active)) {
		ob_active_pass(active, piece);
		return;
	}
	sl_buffer_clear(out);
	if (active->count == 0) {
		active->mark_us[0] = 0;
		active->count = 1;
		sl_buffer_append(out, header, sizeof header);
		ob_active_count(active);
	}
	active->mark_us[0] = add_crc((uint32_t)active->mark_us[0], piece->bytes, piece->len);
	active->count += piece->len;
	for (size_t at = 0; at < piece->len; at += GZIP_BLOCK_MAX) {
		size_t left = piece->len - at;
		append_block(out, piece->bytes + at, left < GZIP_BLOCK_MAX ? left : GZIP_BLOCK_MAX, false);
	}
	if (piece->end) {
		append_block(out, "", 0, true);
		append_little_endian(out, (uint32_t)active->mark_us[0], 4);
		append_little_endian(out, (uint32_t)(active->count - 1), 4);
	}
	ob_active_pass(active, &(struct ob_piece){ OB_DOWN, out->bytes, out->len, piece->end });
}

const struct ob_fault_type ob_faults_rewrite[] = {
	{
		.name = "inject-html", .is_of_bodies = true, .on_response_head = change_length, .on_down = inject_html,
		.sentence = "Inserts a script before the body of every response.",
		.product = "none measured; access providers that insert advertisements",
	},
	{
		.name = "rewrite-crlf", .is_of_bodies = true, .on_response_head = change_length, .on_down = make_crlf,
		.sentence = "Replaces each line feed in the body of a response with CRLF.",
		.product = "none measured; text filters",
	},
	{
		.name = "gzip-headerless", .is_of_bodies = true, .on_response_head = change_length, .on_down = gzip,
		.sentence = "Compresses bodies without adding Content-Encoding.",
		.product = "none measured; accelerators with a broken header rule",
	},
	{ 0 },
};
