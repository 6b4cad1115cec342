/* What the demo stands in: two shards with a front, and its names; and what a name's trace tells.
 * For programs linked with --wrap=sl_clock_wall_us (tests/unit/set_clock.h).
 * Owner: the test's struct. Thread: main. Errors: abort, the world cannot be built. */
#ifndef SL_TESTS_DEMO_WORLD_H
#define SL_TESTS_DEMO_WORLD_H

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/demo.h"
#include "demo/names.h"
#include "http/front.h"
#include "http/http.h"
#include "live/shard.h"
#include "util/buffer.h"

#define DEMO_SHARDS 2

struct demo_world {
	struct sl_demo demo;
	struct sl_http http;
	struct sl_front front;
	struct sl_shard *shards[DEMO_SHARDS];
	struct sl_buffer trace; /* owns: what was told last */
};

static inline struct sl_span
span(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

/* `observer` is what looks on; NULL where the test calls the demo itself. */
static inline void
demo_open(struct demo_world *world, const struct sl_observer *observer)
{
	*world = (struct demo_world){ .demo.names = sl_names_create() };
	if (observer)
		world->demo.observer = *observer;
	sl_demo_attach(&world->demo, &world->http);
	world->http.shards = world->shards;
	world->http.shard_count = DEMO_SHARDS;
	world->front.http = &world->http;
	for (unsigned i = 0; i < DEMO_SHARDS; i++) {
		struct sl_shard *shard = calloc(1, sizeof *shard);
		if (!shard || !world->demo.names || sl_mailbox_init(&shard->mailbox, 16) != 0)
			abort();
		shard->index = i;
		shard->front = &world->front;
		shard->loop.now_ms = 1000;
		world->shards[i] = shard;
	}
}

static inline void
demo_close(struct demo_world *world)
{
	for (unsigned i = 0; i < DEMO_SHARDS; i++) {
		sl_mailbox_finish(&world->shards[i]->mailbox);
		free(world->shards[i]);
	}
	sl_names_destroy(world->demo.names);
	sl_buffer_finish(&world->trace);
}

static inline uint64_t
demo_counter(const struct demo_world *world, enum sl_counter counter)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < DEMO_SHARDS; i++)
		sum += world->shards[i]->metrics.counters[counter];
	return sum;
}

/* All that is told of the name, as JSON; borrowed until the next call. */
static inline const char *
demo_tell(struct demo_world *world, const char *name)
{
	sl_buffer_clear(&world->trace);
	sl_names_append(world->demo.names, &world->trace, span(name), 0, true, 1000);
	sl_buffer_append_char(&world->trace, '\0');
	if (sl_buffer_status(&world->trace) != 0)
		abort();
	return world->trace.bytes;
}

/* Its events in short, `1 sse client head 17:GET /...` with a '|' behind each; borrowed until the
 * next call. */
static inline const char *
demo_tell_events(struct demo_world *world, const char *name)
{
	static char story[1 << 16];
	const char *at = demo_tell(world, name);
	size_t len = 0;
	story[0] = '\0';
	while ((at = strstr(at, "{\"n\":")) != NULL) {
		char transport[16], from[16], what[16], bytes[4096];
		unsigned connection, count;
		int data = 0;
		sscanf(at, "{\"n\":%*u,\"time\":%*d,\"connection\":%u,\"transport\":\"%15[a-z]\","
			"\"from\":\"%15[a-z]\",\"what\":\"%15[a-z]\",\"bytes\":%u,\"base64\":\"%n",
			&connection, transport, from, what, &count, &data);
		const char *base64 = at + data, *end = data ? strchr(base64, '"') : NULL;
		if (!end || end - base64 > (long)sizeof bytes)
			abort();
		int shown = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)base64,
			(int)(end - base64));
		while (end > base64 && *--end == '=')
			shown--;
		len += (size_t)snprintf(story + len, sizeof story - len, "%u %s %s %s %u:%.*s|",
			connection, transport, from, what, count, shown, bytes);
		at = base64;
	}
	return story;
}

#endif
