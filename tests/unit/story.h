/* A world of one shard, and what a client of a json stream in it must have seen.
 * Owner: static. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_STORY_H
#define SL_TESTS_STORY_H

#include <stdio.h>
#include <string.h>

#include "tests/unit/live_world.h"
#include "tests/unit/unit.h"

static struct live_world world;

/* Settles; `story` is told as client_take_story() does. */
static inline void
expect(struct world_client *client, const char *story)
{
	world_settle(&world);
	const char *seen = client_take_story(client, &world);
	if (strcmp(seen, story) != 0)
		printf("\n    seen:   %.300s\n    wanted: %.300s", seen, story);
	CU_ASSERT_STRING_EQUAL(seen, story);
}

/* The story of all of a channel from `first` to `last`, behind `head`. (Inlined, gcc would fear
 * for its readers' buffers.) */
static __attribute__((noinline, unused)) const char *
all_of(const char *head, const char *channel, unsigned first, unsigned last)
{
	static char story[1 << 16];
	size_t len = (size_t)snprintf(story, sizeof story, "%s", head);
	for (unsigned seq = first; seq <= last; seq++)
		len += (size_t)snprintf(story + len, sizeof story - len, "%s%s%u", len ? " " : "",
			channel, seq);
	return story;
}

static inline void
publish_many(const char *channel, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		world_publish(&world, channel, "x");
}

/* Reads and turns until the gateway has nothing more to say. */
static inline void
read_to_the_end(struct world_client *client)
{
	for (int i = 0; i < 10000 && !client->ended; i++) {
		client_read(client);
		world_turn(&world);
	}
	CU_ASSERT_TRUE(client->ended);
}

/* All that is published is for this client, from 1 on, until it unsubscribes. Every cursor
 * that it hears is of a message that it has. Returns how many messages it got. */
static inline unsigned long long
check_cursors(const char *text)
{
	unsigned long long seq, last = 0, counted = 0;
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		const char *sent = strstr(line, "\"sent\":"), *end = strchr(line, '\n');
		const char *cursor = strstr(line, "\"cursor\":\"EPOCH-");
		if (sscanf(line, "{\"id\":\"EPOCH-%llu\"", &seq) == 1) {
			CU_ASSERT_EQUAL(seq, last + 1);
			last = seq;
		} else if (cursor && cursor < end &&
				sscanf(cursor, "\"cursor\":\"EPOCH-%llu\"", &seq) == 1) {
			CU_ASSERT_TRUE(seq <= last);
		}
		if (sent && sent < end && sscanf(sent, "\"sent\":%llu", &counted) == 1)
			CU_ASSERT_EQUAL(counted, last);
	}
	return last;
}

#endif
