/* Backend on NATS JetStream: the log of a bus that any number of gateways share.
 * Owner: the bus it is given to. Thread: as bus/backend.h says; no shard ever calls the library of NATS.
 * Errors: as each call says.
 *
 * Its parts: the worker (bus/nats_worker.h) holds the connection. The publisher (bus/nats_publisher.h) brings
 * messages into the log. The tail (bus/nats_tail.h) reads the whole log, and delivers the messages that it
 * reads. */
#ifndef SL_BUS_NATS_BACKEND_H
#define SL_BUS_NATS_BACKEND_H

#include <stddef.h>

struct sl_backend;
struct sl_config;

/* Borrows `config` until it is destroyed. Errors: SL_EINVAL, options contradict each other or a file cannot be
 * used (the log has the reason); SL_ENOMEM. */
int sl_nats_backend_create(struct sl_backend **out, const struct sl_config *config);

/* Checks whether create would refuse `config`; connects to no server. Errors: SL_EINVAL and a sentence,
 * SL_ENOMEM. */
int sl_nats_backend_check(const struct sl_config *config, char *error, size_t error_size);

#endif
