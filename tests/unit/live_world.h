/* A world for tests of live/ and the transports: one shard with everything that is its own,
 * a bus, clients over socket pairs, and a clock that only the test moves.
 * Owner: the test's structs. Thread: main. Errors: abort, the world cannot be built. */
#ifndef SL_TESTS_LIVE_WORLD_H
#define SL_TESTS_LIVE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/message.h"
#include "core/owners.h"
#include "http/connection.h"
#include "http/front.h"
#include "http/http.h"
#include "live/shard.h"
#include "util/buffer.h"

struct sl_backend;
struct sl_principal;
struct sl_transport;

struct live_world {
	struct sl_bus *bus;
	struct sl_settings *settings;
	struct sl_http http;
	struct sl_shard shard, *shards[1];
	struct sl_front front;
};

#define WORLD_ORIGIN "https://app.example" /* is allowed */

/* `options` are the gateway's own, up to 8, ended by NULL; NULL for none. */
void world_open(struct live_world *world, const char *const *options);
/* The same over another backend than memory: takes `backend`. */
void world_open_over(struct live_world *world, struct sl_backend *backend,
	const char *const *options);
void world_close(struct live_world *world);

/* At most so many connections, in all and of one address (0: no limit). */
void world_limit(struct live_world *world, uint64_t total, uint64_t per_address);

/* One of the limits that a client has; it has no other. */
void world_limit_rate(struct live_world *world, enum sl_limit limit, uint64_t rate);

/* What has happened is handled: the first part of a turn. */
void world_dispatch(struct live_world *world);
/* One turn of the shard at the present time. */
void world_turn(struct live_world *world);
/* Turns until none has anything to do. */
void world_settle(struct live_world *world);
/* Lets the clock run for `ms` milliseconds, settling every 16. */
void world_pass(struct live_world *world, uint64_t ms);

/* Publishes a text from another shard (or, with the memory backend, at once); returns its
 * number. Nothing is delivered before the next turn. */
uint64_t world_publish(struct live_world *world, const char *channel, const char *text);
uint64_t world_publish_bytes(struct live_world *world, const char *channel,
	enum sl_payload_type type, const char *bytes, size_t len);

/* The head's number. */
uint64_t world_head(const struct live_world *world);
uint64_t world_counter(const struct live_world *world, enum sl_counter counter);
uint64_t world_class_counter(const struct live_world *world, enum sl_class class_,
	enum sl_class_counter counter);

struct world_client {
	int fd; /* the client's end */
	struct sl_connection *connection; /* only while client_is_served(), as the next two */
	struct sl_subscriber *subscriber;
	struct sl_link *link;
	struct sl_buffer got; /* owns: what was read and not looked at yet */
	bool ended;           /* the gateway has shut its side */
	bool reset;
	uint64_t counted;     /* messages and gaps in its story so far */
};

struct world_request {
	const char *query;
	unsigned http_minor; /* 0: no chunks */
	bool keep_alive;
	const char *origin;
	const char *fields;  /* further ones, each ended by CRLF */
	bool over_tls;       /* its listener speaks TLS (tests/unit/tls_client.h) */
	bool over_tcp;       /* a loopback connection instead of a Unix pair */
	int send_buffer;     /* SO_SNDBUF, over TCP the client's SO_RCVBUF too; 0: as the system has it */
};

/* Connects, without a request yet. */
void client_connect(struct world_client *client, struct live_world *world,
	const struct world_request *request);

/* Connects and has a request for the transport read; nothing is sent before the next turn. In
 * `query` the letters EPOCH stand for the bus's epoch. Returns whether the transport serves it, or
 * has. */
bool client_open(struct world_client *client, struct live_world *world,
	const struct sl_transport *transport, const struct world_request *request);
void client_close(struct world_client *client);

/* Its subscriber lives by another's leave from now on; NULL: nobody's. */
void client_admit(struct world_client *client, struct sl_principal *principal);

/* True while the shard has the client's connection. */
bool client_is_served(const struct world_client *client, const struct live_world *world);

void client_send(struct world_client *client, const char *bytes, size_t len);
/* Adds what has arrived to `got`; returns how much. */
size_t client_read(struct world_client *client);

/* Reads, cuts everything up to the first empty line off; false when there is none. */
bool client_skip_head(struct world_client *client);

/* Reads and returns (borrowed until the next call) everything of `got` as text, with the
 * epoch replaced by EPOCH and times by TIME, which is then forgotten. */
const char *client_take_text(struct world_client *client, struct live_world *world);

/* The same of a stream of json lines, told in short: open@5 a6 b7 gap:a:0-3 heartbeat@7
 * bye:draining mark; what is none of these stands as it is. Aborts where an object tells
 * another number of messages and gaps than there were before it. */
const char *client_take_story(struct world_client *client, struct live_world *world);

/* Opens a json stream without chunks. */
void client_open_stream(struct world_client *client, struct live_world *world,
	const char *query);

#endif
