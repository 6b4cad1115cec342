#include "http/settings.h"

#include <stdlib.h>

#include "auth/auth.h"
#include "core/tls_context.h"
#include "http/access.h"
#include "http/static.h"
#include "util/err.h"

int
sl_settings_create(struct sl_settings **out, struct sl_config *config,
	const struct sl_listener *listeners, size_t listener_count, const uint16_t *ports, size_t port_count)
{
	struct sl_settings *settings = calloc(1, sizeof *settings);
	if (!settings) {
		sl_config_finish(config);
		return SL_ENOMEM;
	}
	settings->refs = 1;
	settings->config = *config;
	*config = (struct sl_config){ 0 };
	settings->access = sl_access_create(&settings->config, listeners, listener_count);
	bool is_complete = settings->access != NULL;
	for (size_t i = 0; is_complete && i < port_count; i++)
		is_complete = sl_access_allow_port(settings->access, ports[i]);
	int err = is_complete ? sl_static_load(&settings->files, settings->config.web) : SL_ENOMEM;
	if (err != 0) {
		sl_settings_unref(settings);
		return err;
	}
	*out = settings;
	return 0;
}

struct sl_settings *
sl_settings_ref(struct sl_settings *settings)
{
	atomic_fetch_add(&settings->refs, 1);
	return settings;
}

void
sl_settings_unref(struct sl_settings *settings)
{
	if (!settings || atomic_fetch_sub(&settings->refs, 1) > 1)
		return;
	sl_auth_unref(settings->auth);
	sl_tls_context_unref(settings->tls);
	sl_static_destroy(settings->files);
	sl_access_destroy(settings->access);
	sl_config_finish(&settings->config);
	free(settings);
}
