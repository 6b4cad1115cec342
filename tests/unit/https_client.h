/* What the tests of https share: a world whose listener speaks TLS, and clients of it.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_HTTPS_CLIENT_H
#define SL_TESTS_HTTPS_CLIENT_H

#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "core/tls_context.h"
#include "http/settings.h"
#include "tests/unit/http_client.h"
#include "tests/unit/live_world.h"
#include "tests/unit/tls_client.h"
#include "tests/unit/unit.h"

#define TLS12 TLS1_2_VERSION
#define TLS13 TLS1_3_VERSION

struct https_client {
	struct world_client plain; /* `got` is what was decrypted; its `fd` is tls's */
	struct tls_client tls;
};

static inline void
https_world_open(struct live_world *world, const char *const *options)
{
	world_open(world, options);
	world->settings->tls = tls_context_make();
}

/* Connects, without a byte. */
static inline void
https_connect(struct https_client *client, struct live_world *world, int version, int send_buffer)
{
	client_connect(&client->plain, world, &(struct world_request){
		.over_tls = true, .send_buffer = send_buffer });
	tls_client_open(&client->tls, client->plain.fd, version, NULL);
	client->plain.fd = -1;
}

static inline void
https_flush(struct https_client *client)
{
	tls_client_flush(&client->tls);
}

/* Settles, and reads `max` bytes of the wire; returns how many came. */
static inline size_t
https_read(struct https_client *client, struct live_world *world, size_t max)
{
	struct tls_client *tls = &client->tls;
	for (int i = 0; i < 3; i++)
		world_settle(world);
	size_t got = tls_client_read(tls, max);
	sl_buffer_append(&client->plain.got, tls->got.bytes, tls->got.len);
	sl_buffer_clear(&tls->got);
	client->plain.ended = tls->has_fin;
	return got;
}

static inline bool
https_shake(struct https_client *client, struct live_world *world)
{
	tls_client_advance(&client->tls);
	for (int i = 0; i < 4 && client->tls.out.len; i++) {
		https_flush(client);
		https_read(client, world, SIZE_MAX);
	}
	return client->tls.is_established;
}

static inline void
https_say(struct https_client *client, const char *text)
{
	tls_client_write(&client->tls, text, strlen(text));
}

/* Everything that came since the last call, as a string. */
static inline const char *
https_take(struct https_client *client, struct live_world *world)
{
	while (https_read(client, world, SIZE_MAX) > 0)
		;
	return http_take(&client->plain, world);
}

static inline const char *
https_ask(struct https_client *client, struct live_world *world, const char *request)
{
	https_say(client, request);
	https_flush(client);
	return https_take(client, world);
}

static inline void
https_close(struct https_client *client)
{
	if (client->tls.fd >= 0)
		close(client->tls.fd);
	tls_client_close(&client->tls);
	client_close(&client->plain);
}

#endif
