/* Rejoin: a namespace goes on where its client was: by its pid, its offset, and what the memory knows of it.
 * Owner: nobody. Thread: the socket's. Errors: none; what cannot be recovered begins anew. */
#ifndef SL_SOCKET_IO_SIO_REJOIN_H
#define SL_SOCKET_IO_SIO_REJOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "clients/socket_io/sio_recovery.h"
#include "util/span.h"

struct sl_eio_socket;
struct sl_sio_names;

struct sl_sio_rejoined {
	char id[SL_SIO_ID_LEN];
	int stars;
	uint64_t since;
	bool is_kept;
};

/* Subscribes to what the namespace `name` had, from the offset on (absent: from its CONNECT on). False where the pid is
 * not ours, or is another's; where other channels are asked for now (`names`); where nobody knows what it had; or
 * history no longer reaches: then it has no channels. */
bool sl_sio_rejoin(struct sl_eio_socket *socket, struct sl_span name, struct sl_span pid, struct sl_span offset,
	const struct sl_sio_names *names, struct sl_sio_rejoined *out);

#endif
