/* Tap: notes what a socket carries under the names that its requests gave.
 * Owner: its socket, from the first such request to the socket's end. Thread: the shard's.
 * Errors: none; without memory nothing is noted.
 *
 * A request's head is kept as it came (sl_tap_rest), since its query is decoded in place, and noted
 * once it is understood whose it is (sl_tap_begin); from then on all the socket carries is noted,
 * until the next request says whose that is. A connection may serve several names in turn. */
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
	struct sl_span body; /* what there is of it to show */
	uint64_t body_len;   /* on the wire */
	int64_t began_us;    /* since the epoch */
};

/* The socket's next request has begun, with this head; whose it is, is not known yet. A socket has
 * no tap before one that may have a `demo=`. */
void sl_tap_rest(struct sl_shard *shard, struct sl_socket *socket, const char *head, size_t len);

/* It is whole, and a name's. */
void sl_tap_begin(struct sl_shard *shard, struct sl_socket *socket,
	const struct sl_tapped_request *request);

/* It is whole, and nobody's. */
void sl_tap_pass(struct sl_socket *socket);

/* True when the socket's last request was this name's. */
bool sl_tap_is_of(const struct sl_socket *socket, struct sl_span name);

#endif
