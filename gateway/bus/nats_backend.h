/* Backend on NATS JetStream: the log of a bus that any number of gateways share.
 * Owner: the bus it is given to. Thread: as bus/backend.h says; no shard ever calls the library of NATS. Errors: as
 * each call says.
 *
 * Its parts: the worker (bus/nats_worker.h) holds the connection, the publisher (bus/nats_publisher.h) brings
 * messages into the log, the tail (bus/nats_tail.h) reads all of it, and what is delivered is what the tail
 * reads. */
#ifndef SL_BUS_NATS_BACKEND_H
#define SL_BUS_NATS_BACKEND_H

#include <stddef.h>

struct sl_backend;
struct sl_config;

/* Borrows `config` until it is destroyed. Errors: SL_EINVAL, options that contradict each other or a file that cannot be
 * used, which is in the log; SL_ENOMEM. */
int sl_nats_backend_create(struct sl_backend **out, const struct sl_config *config);

/* What create would refuse; connects to nobody. Errors: SL_EINVAL and a sentence, SL_ENOMEM. */
int sl_nats_backend_check(const struct sl_config *config, char *error, size_t error_size);

#endif
