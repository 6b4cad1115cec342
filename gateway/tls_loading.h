/* TLS loading: certificates and ticket keys from the files that the options name, all or nothing.
 * Owner: what is returned is the caller's. Thread: main's. Errors: SL_EINVAL with the sentence to
 * tell in `error`, SL_ENOMEM. */
#ifndef SL_TLS_LOADING_H
#define SL_TLS_LOADING_H

#include <stdbool.h>
#include <stddef.h>

struct sl_config;
struct sl_listener;
struct sl_tls_context;
struct sl_tls_tickets;

/* Returns new in `*out`, NULL where no listener is secure and no option asks for TLS; the keys of
 * `tickets` are then those of the file, if there is one. After an error nothing has changed.
 * Errors: also for certificates without a TLS listener, and the reverse. */
int sl_tls_loading_create(struct sl_tls_context **out, const struct sl_config *config,
	struct sl_tls_tickets *tickets, bool has_listener, char *error, size_t error_size);

/* The same as a test: reads all and keeps nothing. Whether systemd will pass a TLS listener
 * is not known, so that certificates may do without. Returns 0, or has told on standard error. */
int sl_tls_loading_check(const struct sl_config *config);

bool sl_tls_loading_is_wanted(const struct sl_listener *listeners, size_t count);

#endif
