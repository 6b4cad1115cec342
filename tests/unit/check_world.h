/* A live world that lends channels to the check page, for tests of gateway/check/.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_CHECK_WORLD_H
#define SL_TESTS_CHECK_WORLD_H

#include <sys/socket.h>

#include "auth/secret.h"
#include "check/channels.h"
#include "check/check_routes.h"
#include "core/socket.h"
#include "http/routes.h"
#include "tests/unit/http_client.h"
#include "transports/registry.h"

static struct live_world world;
static struct sl_check_channels *channels;

static struct sl_secret *check_secret;

static inline struct sl_secret *
check_make_secret(void)
{
	struct sl_secret *secret;
	char error[256];
	CU_ASSERT_EQUAL_FATAL(sl_secret_create(&secret, NULL, error, sizeof error), 0);
	return secret;
}

static inline void
check_open(const char *const *options)
{
	static const struct sl_route *const lists[] = {
		sl_transport_routes, sl_check_routes, sl_http_routes, NULL,
	};
	world_open(&world, options);
	world.http.routes = (struct sl_routes){ lists };
	check_secret = check_make_secret();
	CU_ASSERT_EQUAL_FATAL(sl_check_channels_create(&channels, &world.http, check_secret), 0);
}

static inline void
check_close(void)
{
	sl_check_channels_destroy(channels);
	sl_secret_destroy(check_secret);
	world_close(&world);
}

/* 10.0.0.LAST */
static inline struct sl_address
check_address(uint8_t last)
{
	struct sl_address address = { .family = AF_INET, .bytes = { [10] = 0xff, 0xff, 10, 0, 0 } };
	address.bytes[15] = last;
	return address;
}

/* A new channel for somebody who has none; borrowed until the next call. */
static inline const char *
check_issue(void)
{
	static struct sl_issue issue;
	struct sl_address nobody = { .family = AF_UNIX };
	CU_ASSERT_EQUAL_FATAL(sl_check_channels_issue(channels, &world.shard, &nobody, &issue), 0);
	return issue.name;
}

#endif
