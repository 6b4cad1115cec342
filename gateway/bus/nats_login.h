/* Login: the options of a connection to a server of NATS: its address, its login, and its TLS.
 * Owner: the caller. Thread: any. Errors: SL_EINVAL and a sentence that names the option, SL_ENOMEM.
 *
 * Files are read for each connection, so that a password or a certificate may be renewed without a restart. */
#ifndef SL_BUS_NATS_LOGIN_H
#define SL_BUS_NATS_LOGIN_H

#include <nats/nats.h>
#include <stddef.h>

struct sl_config;

/* For the server `index` of `config->nats`. Destroy them with natsOptions_Destroy(). */
int sl_nats_login_create(natsOptions **out, const struct sl_config *config, size_t index, char *error,
	size_t error_size);

/* Checks that the options fit together, and that their files can be used; connects to no server. */
int sl_nats_login_check(const struct sl_config *config, char *error, size_t error_size);

#endif
