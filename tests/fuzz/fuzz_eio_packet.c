/* Whatever a payload holds: the texts of its packets with separators between them are the payload again; a packet
 * that was read and is written again reads as the same packet. */
#include "clients/engine_io/eio_packet.h"

#include "tests/fuzz/fuzz.h"
#include "util/err.h"

static void
expect_same(const struct sl_eio_packet *packet, const struct sl_buffer *written)
{
	struct sl_eio_packet again;
	struct sl_buffer decoded = SL_BUFFER_INIT;
	struct sl_span text = { written->bytes, written->len };
	FUZZ_EXPECT(sl_eio_packet_read(&again, text, &decoded) == 0);
	FUZZ_EXPECT(again.type == packet->type && again.is_binary == packet->is_binary);
	FUZZ_EXPECT(again.data.len == packet->data.len);
	FUZZ_EXPECT(memcmp(again.data.bytes, packet->data.bytes, packet->data.len) == 0);
	sl_buffer_finish(&decoded);
}

static void
read_packet(struct sl_span text)
{
	struct sl_eio_packet packet;
	struct sl_buffer decoded = SL_BUFFER_INIT, written = SL_BUFFER_INIT;
	int err = sl_eio_packet_read(&packet, text, &decoded);
	FUZZ_EXPECT(err == 0 || err == SL_EINVAL);
	FUZZ_EXPECT(err == 0 || text.len != 1 || *text.bytes < '0' || *text.bytes > '6');
	if (err == 0 && packet.type == SL_EIO_MESSAGE)
		sl_eio_packet_append_message(&written, packet.data, packet.is_binary);
	else if (err == 0)
		sl_eio_packet_append(&written, packet.type, packet.data);
	if (err == 0)
		expect_same(&packet, &written);
	sl_buffer_finish(&decoded);
	sl_buffer_finish(&written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *payload = fuzz_copy(bytes, len);
	struct sl_span rest = { payload, len }, text;
	size_t at = 0;
	while (sl_eio_packet_next(&rest, &text)) {
		FUZZ_EXPECT(text.bytes == payload + at);
		read_packet(text);
		at += text.len + 1;
		FUZZ_EXPECT(at > len || payload[at - 1] == SL_EIO_SEPARATOR);
	}
	FUZZ_EXPECT(at == len + 1);
	free(payload);
	return 0;
}
