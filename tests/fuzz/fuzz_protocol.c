/* What a client says on a connection: whatever it is, one object answers it (or nothing is
 * lost: the connection was closed for its size), and every line it gets is JSON.
 * Input: lines, each handed to the protocol as one text if it is UTF-8. */
#include "live/protocol.h"

#include "tests/fuzz/fuzz.h"
#include "tests/unit/live_world.h"
#include "util/json_check.h"
#include "util/utf8.h"

static size_t
count_lines(struct world_client *client)
{
	size_t lines = 0, start = 0;
	for (size_t i = 0; i < client->got.len; i++) {
		if (client->got.bytes[i] != '\n')
			continue;
		struct sl_json_check check;
		sl_json_check_init(&check, SL_JSON_DEPTH_MAX + 1);
		FUZZ_EXPECT(sl_json_check_feed(&check, client->got.bytes + start, i - start) == 0);
		FUZZ_EXPECT(sl_json_check_finish(&check) == 0);
		start = i + 1;
		lines++;
	}
	FUZZ_EXPECT(start == client->got.len); /* nothing is cut off */
	sl_buffer_clear(&client->got);
	return lines;
}

/* Answers that came, messages of the connection's own channels left out. */
static size_t
count_answers(struct live_world *world, struct world_client *client)
{
	uint64_t messages = world_class_counter(world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_OUT);
	world_turn(world);
	world_settle(world);
	client_read(client);
	messages = world_class_counter(world, SL_CLASS_STREAM, SL_CLASS_MESSAGES_OUT) - messages;
	size_t lines = count_lines(client);
	FUZZ_EXPECT(lines >= messages);
	return lines - (size_t)messages;
}

static void
say(struct live_world *world, struct world_client *client, const uint8_t *bytes, size_t len)
{
	char *text = fuzz_copy(bytes, len);
	uint64_t head = world_head(world);
	if (sl_utf8_valid(text, len)) {
		sl_protocol_handle(client->subscriber, text, len);
		FUZZ_EXPECT(world_head(world) <= head + 1);
		FUZZ_EXPECT(client->subscriber->subscription_count <= 64);
		FUZZ_EXPECT(count_answers(world, client) == 1);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const options[] = { "--max-channels=5", NULL };
	static struct live_world world;
	struct world_client client;
	if (len > 16384) /* all answers together fit into the outbox */
		return 0;
	world_open(&world, options);
	client_open_stream(&client, &world, "channels=a");
	FUZZ_EXPECT(count_lines(&client) == 1); /* open */
	for (size_t start = 0, i = 0; i <= len; i++) {
		if (i < len && bytes[i] != '\n')
			continue;
		say(&world, &client, bytes + start, i - start);
		start = i + 1;
	}
	FUZZ_EXPECT(client_is_served(&client, &world));
	client_close(&client);
	world_settle(&world);
	FUZZ_EXPECT(!client_is_served(&client, &world));
	world_close(&world);
	return 0;
}
