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

#endif
