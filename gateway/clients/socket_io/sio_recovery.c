#include "clients/socket_io/sio_recovery.h"

#include <string.h>

#include "bus/message.h"
#include "util/base64url.h"
#include "util/crypto.h"
#include "util/err.h"

#define PID_MAX 32768 /* bytes of text: of the longest that there is, and some */
#define MAC_LEN 16 /* the first half of an HMAC (RFC 2104, section 5) */

/* Before the MAC: lines, each ended by LF: id, cursor, namespace, subject, and each channel. */

/* `len` is a multiple of 4, at most SL_SIO_ID_LEN. */
static int
draw(char *out, size_t len)
{
	uint8_t bytes[SL_SIO_ID_LEN / 4 * 3];
	struct sl_buffer text = SL_BUFFER_INIT;
	int err = sl_crypto_random(bytes, len / 4 * 3);
	if (err == 0) {
		sl_base64url_append(&text, bytes, len / 4 * 3);
		err = sl_buffer_status(&text);
	}
	if (err == 0)
		memcpy(out, text.bytes, len);
	sl_buffer_finish(&text);
	return err;
}

int
sl_sio_recovery_make_id(char out[SL_SIO_ID_LEN])
{
	return draw(out, SL_SIO_ID_LEN);
}

int
sl_sio_recovery_make_tag(char out[SL_SIO_TAG_LEN])
{
	return draw(out, SL_SIO_TAG_LEN);
}

static int
sign(const char *bytes, size_t len, const uint8_t key[SL_SIO_KEY_LEN], uint8_t mac[SL_SHA256_LEN])
{
	return sl_crypto_hmac(key, SL_SIO_KEY_LEN, bytes, len, mac);
}

static void
append_line(struct sl_buffer *out, struct sl_span text)
{
	sl_buffer_append(out, text.bytes, text.len);
	sl_buffer_append_char(out, '\n');
}

int
sl_sio_recovery_append_pid(struct sl_buffer *out, const struct sl_sio_pid *pid,
	const uint8_t key[SL_SIO_KEY_LEN])
{
	struct sl_buffer lines = SL_BUFFER_INIT;
	char cursor[SL_CURSOR_MAX];
	uint8_t mac[SL_SHA256_LEN];
	append_line(&lines, (struct sl_span){ pid->id, SL_SIO_ID_LEN });
	append_line(&lines, (struct sl_span){ cursor, sl_cursor_format(pid->cursor, cursor) });
	append_line(&lines, pid->nsp);
	append_line(&lines, pid->subject);
	for (unsigned i = 0; i < pid->count; i++)
		append_line(&lines, pid->channels[i]);
	int err = sl_buffer_status(&lines);
	if (err == 0)
		err = sign(lines.bytes, lines.len, key, mac);
	if (err == 0) {
		sl_buffer_append(&lines, mac, MAC_LEN);
		sl_base64url_append(out, lines.bytes, lines.len);
		err = lines.failed ? SL_ENOMEM : sl_buffer_status(out);
	}
	sl_buffer_finish(&lines);
	return err;
}

/* ---- reading ---- */

/* Takes a line off `*rest`; false when there is none. */
static bool
take_line(struct sl_span *rest, struct sl_span *line)
{
	const char *end = memchr(rest->bytes, '\n', rest->len);
	if (!end)
		return false;
	*line = (struct sl_span){ rest->bytes, (size_t)(end - rest->bytes) };
	*rest = (struct sl_span){ end + 1, rest->len - line->len - 1 };
	return true;
}

/* What is signed is as it was written, but perhaps by another version. */
static int
read_lines(struct sl_sio_pid *out, struct sl_span rest)
{
	struct sl_span id, cursor, channel;
	if (!take_line(&rest, &id) || !take_line(&rest, &cursor) || !take_line(&rest, &out->nsp) ||
			!take_line(&rest, &out->subject) || id.len != SL_SIO_ID_LEN ||
			sl_cursor_parse(cursor.bytes, cursor.len, &out->cursor) != 0)
		return SL_EINVAL;
	memcpy(out->id, id.bytes, SL_SIO_ID_LEN);
	for (out->count = 0; rest.len > 0; out->channels[out->count++] = channel)
		if (out->count == SL_CHANNELS_MAX || !take_line(&rest, &channel) ||
				!sl_channel_name_valid(channel.bytes, channel.len))
			return SL_EINVAL;
	return 0;
}

int
sl_sio_recovery_read_pid(struct sl_sio_pid *out, struct sl_buffer *space, struct sl_span text,
	const uint8_t key[SL_SIO_KEY_LEN])
{
	uint8_t mac[SL_SHA256_LEN];
	sl_buffer_clear(space);
	int err = text.len > PID_MAX ? SL_EINVAL : sl_base64url_decode(space, text);
	if (err != 0 || space->len < MAC_LEN)
		return err != 0 ? err : SL_EINVAL;
	size_t len = space->len - MAC_LEN;
	err = sign(space->bytes, len, key, mac);
	if (err != 0)
		return err;
	if (!sl_crypto_are_equal(mac, space->bytes + len, MAC_LEN))
		return SL_EINVAL;
	return read_lines(out, (struct sl_span){ space->bytes, len });
}

int
sl_sio_recovery_read_offset(struct sl_span text, struct sl_cursor *cursor, struct sl_span *tag, unsigned *stars)
{
	unsigned count = 0;
	while (count < text.len && text.bytes[text.len - 1 - count] == '*')
		count++;
	size_t len = text.len - count;
	*tag = (struct sl_span){ 0 };
	if (count > 0) {
		if (count > SL_SIO_STARS_MAX || len < 1 + SL_SIO_TAG_LEN || text.bytes[len - SL_SIO_TAG_LEN - 1] != '.')
			return SL_EINVAL;
		*tag = (struct sl_span){ text.bytes + len - SL_SIO_TAG_LEN, SL_SIO_TAG_LEN };
		len -= 1 + SL_SIO_TAG_LEN;
	}
	if (sl_cursor_parse(text.bytes, len, cursor) != 0)
		return SL_EINVAL;
	*stars = count;
	return 0;
}
