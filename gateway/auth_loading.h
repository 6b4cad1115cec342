/* Auth loading: the keys of tokens and the secret, from the files that the options name, all or nothing.
 * Owner: the app's struct; it owns the secret. Thread: main's. Errors: SL_EINVAL, SL_EIO, SL_ENOMEM, with
 * the sentence to tell in `error`. */
#ifndef SL_AUTH_LOADING_H
#define SL_AUTH_LOADING_H

#include <stdbool.h>
#include <stddef.h>

struct sl_auth;
struct sl_config;
struct sl_http;
struct sl_listener;
struct sl_secret;
struct sl_settings;
struct sl_sio_memory;

/* All zero: nothing is loaded. */
struct sl_auth_loading {
	struct sl_secret *secret; /* owns */
	bool is_of_file;          /* else it was made for this process, and stays the same in it */
	struct sl_sio_memory *memory; /* owns; it signs with the secret in force; NULL: not shared yet */
};

/* Returns new in `*out`; NULL where no token is asked for, which is refused while a listener that is no
 * admins' has another address than loopback without --allow-anonymous. After an error nothing has
 * changed. */
int sl_auth_loading_create(struct sl_auth_loading *loading, struct sl_auth **out,
	const struct sl_config *config, const struct sl_listener *listeners, size_t listener_count,
	char *error, size_t error_size);

/* The same for a new generation of settings; `before` is the one in force, or NULL at the start. What is
 * refused is logged. After a start it is an error; a reload keeps that of `before`, and `*is_stale` is
 * true. */
int sl_auth_loading_renew(struct sl_auth_loading *loading, struct sl_auth **out, bool *is_stale,
	const struct sl_settings *before, const struct sl_config *config,
	const struct sl_listener *listeners, size_t listener_count);

/* The same as a test: reads all, makes no file and keeps nothing. Returns 0, or has told on standard
 * error. */
int sl_auth_loading_check(const struct sl_config *config);

/* What gateways with the same secret share, for all shards: they count a client as the same one (core/owners.h), and
 * know each other's signatures for recovery (clients/socket_io/sio_memory.h). Once, before there are owners. */
int sl_auth_loading_share(struct sl_auth_loading *loading, const struct sl_config *config, struct sl_http *http);

/* No shard runs any more. */
void sl_auth_loading_finish(struct sl_auth_loading *loading);

#endif
