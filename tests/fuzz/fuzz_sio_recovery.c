/* Pids and offsets that clients of Socket.IO bring back. The first byte chooses: the rest is a pid, which is refused,
 * since nobody guesses the MAC; or lines that the gateway's own key has signed, and what is read of them, signed
 * again, is read as the same; or an offset. */
#include "clients/socket_io/sio_recovery.h"

#include "bus/message.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64url.h"
#include "util/crypto.h"
#include "util/err.h"

#define MAC_LEN 16

static const uint8_t key[SL_SIO_KEY_LEN] = "thirty-two bytes that sign them";

static bool
are_same(struct sl_span one, struct sl_span other)
{
	return one.len == other.len && (one.len == 0 || memcmp(one.bytes, other.bytes, one.len) == 0);
}

static void
expect_same(const struct sl_sio_pid *pid)
{
	struct sl_buffer text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	struct sl_sio_pid again;
	FUZZ_EXPECT(sl_sio_recovery_append_pid(&text, pid, key) == 0);
	FUZZ_EXPECT(sl_sio_recovery_read_pid(&again, &space, (struct sl_span){ text.bytes, text.len }, key) == 0);
	FUZZ_EXPECT(memcmp(again.id, pid->id, SL_SIO_ID_LEN) == 0);
	FUZZ_EXPECT(again.cursor.epoch == pid->cursor.epoch && again.cursor.seq == pid->cursor.seq);
	FUZZ_EXPECT(are_same(again.nsp, pid->nsp) && are_same(again.subject, pid->subject));
	FUZZ_EXPECT(again.count == pid->count && pid->count <= SL_CHANNELS_MAX);
	for (unsigned i = 0; i < pid->count; i++) {
		FUZZ_EXPECT(sl_channel_name_valid(pid->channels[i].bytes, pid->channels[i].len));
		FUZZ_EXPECT(are_same(again.channels[i], pid->channels[i]));
	}
	sl_buffer_finish(&text);
	sl_buffer_finish(&space);
}

static void
try_lines(const char *bytes, size_t len)
{
	struct sl_buffer lines = SL_BUFFER_INIT, text = SL_BUFFER_INIT, space = SL_BUFFER_INIT;
	uint8_t mac[SL_SHA256_LEN];
	struct sl_sio_pid pid;
	FUZZ_EXPECT(sl_crypto_hmac(key, sizeof key, bytes, len, mac) == 0);
	sl_buffer_append(&lines, bytes, len);
	sl_buffer_append(&lines, (const char *)mac, MAC_LEN);
	sl_base64url_append(&text, lines.bytes, lines.len);
	int err = sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ text.bytes, text.len }, key);
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL);
	if (err == 0)
		expect_same(&pid);
	sl_buffer_finish(&lines);
	sl_buffer_finish(&text);
	sl_buffer_finish(&space);
}

static void
try_pid(const char *bytes, size_t len)
{
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_sio_pid pid;
	FUZZ_EXPECT(sl_sio_recovery_read_pid(&pid, &space, (struct sl_span){ bytes, len }, key) == SL_EINVAL);
	sl_buffer_finish(&space);
}

static void
try_offset(const char *bytes, size_t len)
{
	struct sl_cursor cursor;
	struct sl_span tag;
	unsigned stars;
	char text[SL_CURSOR_MAX];
	if (sl_sio_recovery_read_offset((struct sl_span){ bytes, len }, &cursor, &tag, &stars) != 0)
		return;
	FUZZ_EXPECT(stars <= SL_SIO_STARS_MAX && stars < len && bytes[len - 1 - stars] != '*');
	size_t wanted = sl_cursor_format(cursor, text);
	FUZZ_EXPECT((tag.bytes != NULL) == (stars > 0) && tag.len == (stars > 0 ? SL_SIO_TAG_LEN : 0));
	FUZZ_EXPECT(wanted + stars + (stars > 0 ? 1 + SL_SIO_TAG_LEN : 0) == len && memcmp(text, bytes, wanted) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	char *text = fuzz_copy(bytes + 1, len - 1);
	if (bytes[0] == 'l')
		try_lines(text, len - 1);
	else if (bytes[0] == 'p')
		try_pid(text, len - 1);
	else
		try_offset(text, len - 1);
	free(text);
	return 0;
}
