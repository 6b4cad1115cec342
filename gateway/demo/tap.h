/* Tap: notes what a socket carries under the names that its requests gave.
 * Owner: its socket, from the first such request to the socket's end. Thread: the shard's.
 * Errors: none; without memory nothing is noted.
 *
 * A request's head is seen before it is parsed (sl_tap_see_head) and noted once it is
 * understood whose it is (sl_tap_begin); from then on all the socket carries is noted, until
 * the next request says whose that is. A connection may serve several names in turn. */
#ifndef SL_DEMO_TAP_H
#define SL_DEMO_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/metrics.h"
#include "util/span.h"

struct sl_shard;
struct sl_socket;

/* A request as its socket carried it. */
struct sl_tapped_request {
	struct sl_span name;
	enum sl_class class;
	size_t head_len;
	struct sl_span body;  /* what there is of it */
	uint64_t body_len;    /* on the wire */
	bool is_unread;       /* all of it will yet be read by way of sl_socket_... */
};

/* These bytes are about to be read as a request. Keeps the beginning of its head if the
 * request's target may have a `demo=`, and when it came. */
void sl_tap_see_head(struct sl_shard *shard, struct sl_socket *socket, const char *bytes,
	size_t len);

void sl_tap_begin(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_tapped_request *request);

/* The socket's next request has begun, whose it is is not known yet. */
void sl_tap_rest(struct sl_socket *socket);

/* True when the socket's last request was this name's. */
bool sl_tap_is_of(const struct sl_socket *socket, struct sl_span name);

/* Bytes up to and with the empty line of an HTTP head; 0 when that has not come. */
size_t sl_tap_find_head_end(const char *bytes, size_t len);

#endif
