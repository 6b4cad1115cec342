/* What the tests of http/ share: a client that says HTTP in plain text.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_HTTP_CLIENT_H
#define SL_TESTS_HTTP_CLIENT_H

#include <stdio.h>
#include <string.h>

#include "tests/unit/live_world.h"
#include "tests/unit/unit.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static inline void
http_connect(struct world_client *client, struct live_world *world)
{
	client_connect(client, world, &(struct world_request){ .query = "" });
}

/* Reads what has come, forgets it at the next call; terminated. */
static inline const char *
http_take(struct world_client *client, struct live_world *world)
{
	static char text[1 << 22];
	for (int i = 0; i < 3; i++) /* a body is read in many turns */
		world_settle(world);
	client_read(client);
	size_t len = client->got.len < sizeof text ? client->got.len : sizeof text - 1;
	if (len)
		memcpy(text, client->got.bytes, len);
	text[len] = '\0';
	sl_buffer_clear(&client->got);
	return text;
}

static inline const char *
http_ask(struct world_client *client, struct live_world *world, const char *request)
{
	client_send(client, request, strlen(request));
	return http_take(client, world);
}

static inline unsigned
http_count(const char *text, const char *what)
{
	unsigned count = 0;
	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

/* One answer, with this status. */
static inline bool
http_is(const char *answer, unsigned status)
{
	char start[32];
	snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
	return strncmp(answer, start, strlen(start)) == 0 && http_count(answer, "HTTP/1.1 ") == 1;
}

static inline unsigned
http_links(const struct live_world *world)
{
	unsigned count = 0;
	for (const struct sl_link *link = world->shard.links; link; link = link->next)
		count++;
	return count;
}

#endif
