/* Memory: the backend that lives in this process, and the smallest complete one.
 * Owner: the bus it is given to. Thread: as bus/backend.h says. Errors: SL_ENOMEM, SL_EIO. */
#ifndef SL_BUS_MEMORY_H
#define SL_BUS_MEMORY_H

struct sl_backend;
struct sl_config;

/* Keeps at most `config->idempotency_keys` keys, until sl_bus_set_limits sets another number. */
int sl_memory_create(struct sl_backend **out, const struct sl_config *config);

#endif
