/* Memory: the backend that lives in this process, and the smallest complete one.
 * Owner: the bus it is given to. Thread: as bus/backend.h says. Errors: SL_ENOMEM, SL_EIO. */
#ifndef SL_BUS_MEMORY_H
#define SL_BUS_MEMORY_H

#include <stddef.h>

struct sl_backend;

/* Keeps at most `keys_max` idempotency keys. */
int sl_memory_create(struct sl_backend **out, size_t keys_max);

#endif
