/* A whole WebSocket connection: whatever the client sends, in whatever pieces, what it gets
 * are whole frames that a client may be sent, and at the end the connection is gone.
 * Input: a byte for the format, one for the pieces, then what the client sends. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/live_world.h"
#include "transports/registry.h"
#include "util/utf8.h"

#define MAX_BYTES 16384

/* RFC 6455, section 5.2: not masked, no reserved bits, one fragment, the shortest length.
 * Returns the bytes of the frame. */
static size_t
check_frame(const uint8_t *at, size_t left, bool *closed)
{
	FUZZ_EXPECT(!*closed); /* nothing follows a close */
	FUZZ_EXPECT(left >= 2);
	unsigned opcode = at[0] & 15;
	uint64_t len = at[1];
	size_t head = 2;
	FUZZ_EXPECT((at[0] & 0xf0) == 0x80 && (at[1] & 0x80) == 0);
	FUZZ_EXPECT(opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10));
	if (len >= 126) {
		size_t bytes = len == 126 ? 2 : 8;
		FUZZ_EXPECT(opcode < 8 && left >= 2 + bytes);
		len = 0;
		for (size_t i = 0; i < bytes; i++)
			len = len << 8 | at[2 + i];
		FUZZ_EXPECT(len > (bytes == 2 ? 125 : 65535));
		head += bytes;
	}
	FUZZ_EXPECT(left - head >= len);
	FUZZ_EXPECT(opcode != 1 || sl_utf8_valid(at + head, (size_t)len));
	FUZZ_EXPECT(opcode != 8 || len != 1);
	*closed = opcode == 8;
	return head + (size_t)len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct live_world world;
	struct world_client client;
	if (len < 2 || len > MAX_BYTES)
		return 0;
	struct world_request request = { .http_minor = 1,
		.query = bytes[0] & 1 ? "channels=a&format=raw" : "channels=a,b" };
	size_t piece = bytes[1] ? bytes[1] : len;
	world_open(&world, NULL);
	FUZZ_EXPECT(client_open(&client, &world, &sl_transport_websocket, &request));
	world_settle(&world);
	FUZZ_EXPECT(client_skip_head(&client));
	for (size_t at = 2; at < len && client_is_served(&client, &world); at += piece) {
		client_send(&client, (const char *)bytes + at, len - at < piece ? len - at : piece);
		world_settle(&world);
		client_read(&client);
	}
	bool closed = false;
	for (size_t at = 0; at < client.got.len;)
		at += check_frame((const uint8_t *)client.got.bytes + at, client.got.len - at, &closed);
	FUZZ_EXPECT(closed || client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	FUZZ_EXPECT(!client_is_served(&client, &world));
	world_close(&world);
	return 0;
}
