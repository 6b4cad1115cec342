/* Socket.IO packets. What is read has bounded parts that lie within the text, and its head, written again, is read as
 * the same. */
#include "clients/socket_io/sio_packet.h"

#include "tests/fuzz/fuzz.h"
#include "util/err.h"

#define DEPTH 16

static bool
lies_in(struct sl_span part, const char *text, size_t len)
{
	return !part.bytes || (part.bytes >= text && part.bytes + part.len <= text + len);
}

static void
expect_same(const struct sl_sio_packet *packet)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	struct sl_sio_packet again;
	sl_sio_packet_append_head(&text, packet->type, packet->attachments, packet->nsp, packet->id);
	if (packet->json.bytes)
		sl_buffer_append(&text, packet->json.bytes, packet->json.len);
	FUZZ_EXPECT(sl_sio_packet_read(&again, (struct sl_span){ text.bytes, text.len }, DEPTH) == 0);
	FUZZ_EXPECT(again.type == packet->type && again.id == packet->id &&
		again.attachments == packet->attachments);
	FUZZ_EXPECT(again.nsp.len == packet->nsp.len &&
		memcmp(again.nsp.bytes, packet->nsp.bytes, packet->nsp.len) == 0);
	FUZZ_EXPECT(again.json.len == packet->json.len);
	sl_buffer_finish(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	struct sl_sio_packet packet;
	int err = sl_sio_packet_read(&packet, (struct sl_span){ text, len }, DEPTH);
	FUZZ_EXPECT(err == 0 || err == SL_EPROTO || err == SL_ETOODEEP);
	if (err != SL_EPROTO) {
		FUZZ_EXPECT(packet.attachments <= SL_SIO_ATTACHMENTS_MAX);
		FUZZ_EXPECT(packet.id >= SL_SIO_NO_ID && packet.id <= SL_SIO_ID_MAX);
		FUZZ_EXPECT(packet.nsp.len >= 1 && packet.nsp.len <= SL_SIO_NAMESPACE_MAX);
		FUZZ_EXPECT(packet.nsp.len == 1 || lies_in(packet.nsp, text, len));
		FUZZ_EXPECT(lies_in(packet.json, text, len));
	}
	if (err == 0)
		expect_same(&packet);
	free(text);
	return 0;
}
