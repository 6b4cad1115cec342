#include "auth_loading.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/secret.h"
#include "clients/socket_io/sio_memory.h"
#include "config/config.h"
#include "core/listener.h"
#include "core/owners.h"
#include "http/http.h"
#include "http/settings.h"
#include "util/err.h"
#include "util/log.h"

#define ERROR_SIZE 512

/* Whether others than users of this machine reach it. Admins' listeners are the operator's to guard. */
static bool
is_exposed(const struct sl_listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!listeners[i].is_admin && !sl_listen_address_is_loopback(&listeners[i].address))
			return true;
	return false;
}

/* A secret that is this process's own stays, so that a reload ends no ticket. */
static bool
keeps_secret(const struct sl_auth_loading *loading, const struct sl_config *config)
{
	return loading->secret && !loading->is_of_file && !config->secret;
}

int
sl_auth_loading_create(struct sl_auth_loading *loading, struct sl_auth **out,
	const struct sl_config *config, const struct sl_listener *listeners, size_t listener_count,
	char *error, size_t error_size)
{
	struct sl_secret *secret = loading->secret;
	bool is_open = config->token_key.count == 0 && !config->allow_anonymous;
	*out = NULL;
	if (is_open && is_exposed(listeners, listener_count)) {
		snprintf(error, error_size, "--token-key: without a key everybody may do everything, and a "
			"listener is at a public address; use a key until a restart with loopback listeners");
		return SL_EINVAL;
	}
	bool is_kept = keeps_secret(loading, config);
	int err = is_kept ? 0 : sl_secret_create(&secret, config->secret, error, error_size);
	if (err == 0)
		err = sl_auth_create(out, config, secret, error, error_size);
	if (is_kept)
		return err;
	sl_secret_destroy(err == 0 ? loading->secret : secret);
	if (err == 0) {
		*loading = (struct sl_auth_loading){ secret, config->secret != NULL, loading->memory };
		sl_sio_memory_set_secret(loading->memory, secret);
	}
	return err;
}

int
sl_auth_loading_renew(struct sl_auth_loading *loading, struct sl_auth **out, bool *is_stale,
	const struct sl_settings *before, const struct sl_config *config,
	const struct sl_listener *listeners, size_t listener_count)
{
	char error[ERROR_SIZE];
	int err = sl_auth_loading_create(loading, out, config, listeners, listener_count, error,
		sizeof error);
	*is_stale = err != 0 && before;
	if (err != 0)
		sl_log(SL_LOG_ERROR, "tokens.refused", "reason=\"%s\"%s", error,
			before ? " in_force=\"the files that were loaded before\"" : "");
	if (*is_stale && before->auth)
		*out = sl_auth_ref(before->auth);
	return *is_stale ? 0 : err;
}

int
sl_auth_loading_check(const struct sl_config *config)
{
	char error[ERROR_SIZE];
	struct sl_auth *auth = NULL;
	struct sl_secret *secret;
	bool is_there = config->secret && access(config->secret, F_OK) == 0;
	sl_log_set_level(config->log_level);
	int err = sl_secret_create(&secret, is_there ? config->secret : NULL, error, sizeof error);
	if (err == 0)
		err = sl_auth_create(&auth, config, secret, error, sizeof error);
	if (err != 0)
		fprintf(stderr, "sluice: %s\n", error);
	sl_auth_unref(auth);
	sl_secret_destroy(secret);
	return err;
}

static int
seed_owners(const struct sl_auth_loading *loading, struct sl_owners *owners)
{
	uint8_t key[SL_DERIVED_KEY_LEN];
	int err = sl_secret_derive(loading->secret, "owners", key);
	if (err == 0)
		sl_owners_set_seed(owners, key);
	return err;
}

int
sl_auth_loading_share(struct sl_auth_loading *loading, const struct sl_config *config, struct sl_http *http)
{
	int err = seed_owners(loading, http->owners);
	if (err == 0 && config->engine_io)
		err = sl_sio_memory_create(&loading->memory, loading->secret);
	http->sio_memory = loading->memory;
	return err;
}

void
sl_auth_loading_finish(struct sl_auth_loading *loading)
{
	sl_secret_destroy(loading->secret);
	sl_sio_memory_destroy(loading->memory);
	*loading = (struct sl_auth_loading){ .secret = NULL };
}
