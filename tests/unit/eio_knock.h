/* One client of Engine.IO for the tests of upgrades, which polls and knocks with a WebSocket.
 * Owner: static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_EIO_KNOCK_H
#define SL_TESTS_EIO_KNOCK_H

#include "tests/unit/eio_world.h"

/* `poller` and `probe` are the two sides of one client. Each test runs with its session on the shard that both come to,
 * and with it on the other. */
static struct world_client poller, probe;
static char sid[SL_SESSION_ID_LEN + 1];
static bool is_apart;

/* The upgrade's request, on a connection that is open. */
static inline const char *
knock_from(struct world_client *client)
{
	char query[128];
	snprintf(query, sizeof query, "EIO=4&transport=websocket&sid=%s", sid);
	return eio_upgrade(client, query);
}

static inline const char *
knock(struct world_client *client)
{
	http_connect(client, &world);
	return knock_from(client);
}

static inline void
open_session(const char *channel)
{
	char query[64] = "";
	http_connect(&poller, &world);
	if (channel)
		snprintf(query, sizeof query, "channels=%s", channel);
	if (is_apart)
		eio_open_other(sl_eio_raw_family.user, channel, sid);
	else
		eio_open(&poller, query, sid);
}

static inline void
begin(const char *channel)
{
	eio_begin((const char *const[]){ "--engineio-ping-interval=0.3", "--engineio-ping-timeout=0.2",
		"--engineio-upgrade-timeout=2", NULL });
	open_session(channel);
}

static inline void
end(void)
{
	client_close(&poller);
	client_close(&probe);
	eio_end();
}

static inline const char *
get(void)
{
	return eio_body(eio_get(&poller, sid));
}

static inline const char *
take(void)
{
	return eio_body(eio_take(&poller));
}

#endif
