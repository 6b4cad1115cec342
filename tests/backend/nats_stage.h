/* Nats stage: backends on a NATS server of the test's own, as the gateway makes them for `--backend nats`.
 * Owner: static; one backend at a time. Thread: main. Errors: as each call says. */
#ifndef SL_TESTS_NATS_STAGE_H
#define SL_TESTS_NATS_STAGE_H

#include <stddef.h>

struct sl_backend;

/* Starts the server. Returns NULL, or why there can be none here: the program or the library is missing. */
const char *nats_stage_open(void);

/* Kills it. */
void nats_stage_close(void);

/* A backend on a bus of its own, or once more on the bus of the last one, which has been destroyed. Errors: SL_EIO,
 * those of the backend. */
int nats_stage_create(struct sl_backend **out, size_t keys_max);
int nats_stage_create_again(struct sl_backend **out);

/* While it is paused the log answers nobody. */
void nats_stage_pause(void);
void nats_stage_resume(void);

#endif
