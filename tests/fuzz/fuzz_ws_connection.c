/* A whole WebSocket connection: whatever the client sends, in whatever pieces, what it gets
 * are whole frames that a client may be sent, and at the end the connection is gone.
 * Input: a byte for the format, for compression and for whether turns settle, one for the pieces, then what the client sends. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/live_world.h"
#include "transports/registry.h"
#include "transports/ws_frame.h"
#include "util/deflate.h"
#include "util/utf8.h"

#define MAX_BYTES 16384

#define OFFER "Sec-WebSocket-Extensions: permessage-deflate\r\n"

static bool may_compress;

static void
check_text(const uint8_t *bytes, size_t len, bool is_compressed)
{
	static struct sl_deflater *deflater;
	struct sl_buffer text = SL_BUFFER_INIT;
	if (!is_compressed) {
		FUZZ_EXPECT(sl_utf8_valid((const char *)bytes, len));
		return;
	}
	FUZZ_EXPECT(deflater || sl_deflater_create(&deflater) == 0);
	FUZZ_EXPECT(sl_deflater_inflate(deflater, (const char *)bytes, len, 1 << 20, &text) == 0);
	FUZZ_EXPECT(text.len > len && sl_utf8_valid(text.bytes, text.len));
	sl_buffer_finish(&text);
}

/* RFC 6455, section 5.2: not masked, no reserved bits but that of compressed messages, one fragment, the shortest
 * length. Returns the bytes of the frame. */
static size_t
check_frame(const uint8_t *at, size_t left, bool *closed)
{
	FUZZ_EXPECT(!*closed); /* nothing follows a close */
	FUZZ_EXPECT(left >= 2);
	unsigned opcode = at[0] & 15;
	uint64_t len = at[1];
	size_t head = 2;
	bool is_compressed = may_compress && opcode < 8 && at[0] & SL_WS_RSV1;
	FUZZ_EXPECT((at[0] & 0xf0) == (is_compressed ? 0xc0 : 0x80) && (at[1] & 0x80) == 0);
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
	if (opcode == 1)
		check_text(at + head, (size_t)len, is_compressed);
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
	static const char *const compressing[] = { "--deflate", "--deflate-threshold=8", NULL };
	may_compress = bytes[0] & 2;
	struct world_request request = { .http_minor = 1, .fields = may_compress ? OFFER : NULL,
		.query = bytes[0] & 1 ? "channels=a&format=raw" : "channels=a,b" };
	size_t piece = bytes[1] ? bytes[1] : len;
	world_open(&world, may_compress ? compressing : NULL);
	FUZZ_EXPECT(client_open(&client, &world, &sl_transport_websocket, &request));
	world_settle(&world);
	FUZZ_EXPECT(client_skip_head(&client));
	for (size_t at = 2; at < len && client_is_served(&client, &world); at += piece) {
		client_send(&client, (const char *)bytes + at, len - at < piece ? len - at : piece);
		/* The next piece may come while the client waits for its turn with this one. */
		if (bytes[0] & 4)
			world_turn(&world);
		else
			world_settle(&world);
		client_read(&client);
	}
	world_settle(&world);
	client_read(&client);
	FUZZ_EXPECT(world.shard.metrics.gauges[SL_GAUGE_TURN_STEPS] <= SL_STEPS_OF_LINK);
	bool closed = false;
	for (size_t at = 0; at < client.got.len;)
		at += check_frame((const uint8_t *)client.got.bytes + at, client.got.len - at, &closed);
	FUZZ_EXPECT(closed || client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	FUZZ_EXPECT(!client_is_served(&client, &world));
	FUZZ_EXPECT(world.shard.framer.pinned_bytes == 0);
	FUZZ_EXPECT(world.shard.metrics.gauges[SL_GAUGE_LINKS_WAITING] == 0);
	world_close(&world);
	return 0;
}
