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

#endif
