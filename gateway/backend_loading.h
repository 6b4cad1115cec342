/* Backend loading: the backend that the configuration names.
 * Owner: the caller. Thread: main's. Errors: SL_EINVAL, options that the backend refuses; as its create says. Each has been
 * logged, or printed. */
#ifndef SL_BACKEND_LOADING_H
#define SL_BACKEND_LOADING_H

struct sl_backend;
struct sl_config;

/* Borrows `config` as long as the backend lives. */
int sl_backend_loading_create(struct sl_backend **out, const struct sl_config *config);

/* Prints what create would refuse, on standard error; connects to nobody. */
int sl_backend_loading_check(const struct sl_config *config);

#endif
