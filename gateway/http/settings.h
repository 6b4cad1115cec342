/* Settings: one generation of the data that a reload may change: configuration, access, files, TLS.
 * Owner: counted. The app holds the newest; each shard holds the one that it uses. Thread: any once made;
 * settings never change (law 10). Errors: as each call says. */
#ifndef SL_HTTP_SETTINGS_H
#define SL_HTTP_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct sl_access;
struct sl_auth;
struct sl_listener;
struct sl_static;
struct sl_tls_context;

struct sl_settings {
	_Atomic unsigned refs;
	struct sl_config config;  /* owns */
	struct sl_access *access; /* owns */
	struct sl_static *files;  /* owns */
	struct sl_tls_context *tls; /* owns a reference; NULL without TLS listeners */
	bool is_tls_stale;          /* `tls` is that of an earlier configuration, since the new one was refused */
	struct sl_auth *auth;       /* owns a reference; NULL without token keys */
	bool is_auth_stale;         /* the same for `auth` */
};

/* Returns new in `*out`. Takes `config`, also on failure. Pages at `ports` (`port_count`) may use the gateway
 * too (sl_access_allow_port). The app sets `tls`, `auth` and whether they are stale before other threads see
 * the settings. */
int sl_settings_create(struct sl_settings **out, struct sl_config *config,
	const struct sl_listener *listeners, size_t listener_count, const uint16_t *ports, size_t port_count);

struct sl_settings *sl_settings_ref(struct sl_settings *settings);
void sl_settings_unref(struct sl_settings *settings);

#endif
