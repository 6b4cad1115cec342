/* Rejoin: a namespace goes on where its client was: by its pid, its offset, and what the memory knows of it.
 * Owner: nobody. Thread: the socket's. Errors: what cannot be recovered begins anew; what cannot be now is refused. */
#ifndef SL_SOCKET_IO_SIO_REJOIN_H
#define SL_SOCKET_IO_SIO_REJOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/socket_io/sio_recovery.h"
#include "util/span.h"

struct sl_eio_socket;
struct sl_refusal;
struct sl_sio_names;

struct sl_sio_rejoined {
	char id[SL_SIO_ID_LEN];
	int stars;
	uint64_t since;
	bool is_kept;
};

/* What a client comes back with. */
struct sl_sio_rejoining {
	struct sl_span name, pid, offset; /* of the namespace; an absent offset: from its CONNECT on */
	const struct sl_sio_names *names; /* what it asks for now */
};

/* Subscribes to what the namespace had, from the offset on. Errors, without channels then: SL_ENOENT, it begins anew: the
 * pid is not ours, or is another's; other channels are asked for now; nobody knows what it had; it may not have
 * that any more; or history no longer reaches. Any other, with `*refusal`, is passing (sio_refusal.h). */
int sl_sio_rejoin(struct sl_eio_socket *socket, const struct sl_sio_rejoining *asked, struct sl_sio_rejoined *out,
	struct sl_refusal *refusal);

#endif
