/* What a figure was measured on.
 * Owner: what is returned is the caller's. Thread: one. Errors: what cannot be read is absent. */
#ifndef SL_BENCH_MACHINE_H
#define SL_BENCH_MACHINE_H

#include <jansson.h>

/* Returns new: {"cpu", "cores", "kernel", "memory_mib", "load_before"}. */
json_t *bench_machine_json(void);

/* Sets the versions of the libraries that the gateway and this program were built with. */
void bench_machine_set_libraries(json_t *versions);

#endif
