#include "app.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth/revocation_file.h"
#include "auth/revocations.h"
#include "backend_loading.h"
#include "bus/bus.h"
#include "check/channels.h"
#include "check/check_routes.h"
#include "check/report_quota.h"
#include "check/store.h"
#include "clients/families.h"
#include "config/config.h"
#include "core/listener.h"
#include "core/owners.h"
#include "core/tls_context.h"
#include "core/tls_tickets.h"
#include "demo/api.h"
#include "demo/demo.h"
#include "demo/feeds.h"
#include "demo/lanes.h"
#include "demo/obstacle.h"
#include "http/api_probe.h"
#include "http/routes.h"
#include "http/settings.h"
#include "limits_loading.h"
#include "listening.h"
#include "signals.h"
#include "tls_loading.h"
#include "transports/registry.h"
#include "util/clock.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/hash.h"
#include "util/log.h"
#include "util/systemd.h"
#include "worker.h"

#define ERROR_SIZE 512 /* a sentence with a path */
#define DRAIN_SLACK_MS 500 /* for the last bytes, within --drain */

/* ---- start ---- */

static int
open_lanes(struct sl_app *app, const struct sl_config *config)
{
	if (!config->demo)
		return 0;
	int lanes = sl_lanes_open(&app->listeners, &app->listener_count, (unsigned)config->shards);
	if (lanes < 0)
		return lanes;
	app->lane_count = (size_t)lanes;
	bool has_pair = config->tls_cert.count > 0 && config->tls_key.count > 0;
	const struct sl_demo_wanted wanted = {
		.obstacle = {
			.path = config->obstacle,
			.certificate = has_pair ? config->tls_cert.texts[0] : NULL,
			.key = has_pair ? config->tls_key.texts[0] : NULL,
		},
		.cluster = config->demo_cluster,
	};
	return sl_demo_create(&app->demo, app->listeners, app->listener_count, app->lane_count, &wanted);
}

static struct sl_bus_config
get_bus_config(const struct sl_config *config)
{
	return (struct sl_bus_config){
		.history_messages = config->history_messages,
		.history_bytes = config->history_bytes,
		.history_age_ms = config->history_age_ms,
		.history_total_bytes = config->history_total_bytes,
		.channels_max = config->max_channels_total,
	};
}

/* Clients are refused until it has started, which may take a while. */
static int
create_bus(struct sl_app *app, const struct sl_config *config)
{
	struct sl_bus_config bus_config = get_bus_config(config);
	bus_config.on_notice = sl_notices_handle;
	bus_config.notice_arg = &app->notices;
	struct sl_backend *backend;
	app->bus_settings = sl_settings_ref(app->settings);
	int err = sl_backend_loading_create(&backend, config);
	if (err == 0)
		err = sl_bus_create(&app->bus, &bus_config, backend);
	return err != 0 ? err : sl_listening_begin(app->listeners, app->listener_count);
}

/* The demo's come first: they lie below a folder of files. */
static const struct sl_route without_demo[] = {
	{ .path = "demo/api/", .kind = SL_ROUTE_NOTHING },
	{ .path = NULL },
};
static const struct sl_route nothing[] = { { .path = NULL } };

static void
list_routes(struct sl_app *app, const struct sl_config *config)
{
	const struct sl_route *const lists[] = {
		app->demo ? sl_demo_routes : without_demo, sl_transport_routes,
		config->engine_io ? sl_client_routes : nothing,
		config->check ? sl_check_routes : nothing, sl_http_routes, NULL,
	};
	_Static_assert(sizeof lists == sizeof app->routes, "struct sl_app has room for each");
	memcpy(app->routes, lists, sizeof lists);
}

static size_t
find_extra_size(const struct sl_transport *const *transports, size_t size)
{
	for (size_t i = 0; transports[i]; i++)
		if (transports[i]->extra_size > size)
			size = transports[i]->extra_size;
	return size;
}

static int
create_report_store(struct sl_http *http, const struct sl_config *config)
{
	const char *folder = config->check_reports;
	if (!config->check || !folder)
		return 0;
	int err = sl_store_create(&http->report_store, folder, sl_signals_wake);
	if (err == SL_EIO)
		sl_log(SL_LOG_ERROR, "check.bad_folder", "folder=\"%s\" error=\"%s\" "
			"expected=\"--check-reports with a folder that exists and in which the gateway may create files\"", folder,
			strerror(errno));
	http->report_quota = sl_report_quota_create();
	return err != 0 || http->report_quota ? err : SL_ENOMEM;
}

static int
open_revocations(struct sl_app *app, const struct sl_config *config)
{
	char error[ERROR_SIZE];
	if (!config->revocations)
		return 0;
	int err = sl_revocation_file_open(&app->revocation_file, config->revocations,
		app->http.revocations, sl_clock_wall_us() / 1000000, error, sizeof error);
	if (err != 0)
		sl_log(SL_LOG_ERROR, "revocations.refused", "reason=\"%s\"", error);
	return err;
}

static int
create_shared(struct sl_app *app, const struct sl_config *config)
{
	struct sl_http *http = &app->http;
	const struct sl_limits limits = sl_limits_loading_get(config);
	list_routes(app, config);
	*http = (struct sl_http){
		.routes = { app->routes },
		.transports = sl_transports,
		.extra_size = find_extra_size(sl_client_transports, find_extra_size(sl_transports, 0)),
		.listeners = app->listeners,
		.listener_count = app->listener_count,
		.owners = sl_owners_create(&limits),
		.probes = sl_probe_table_create(),
		.revocations = sl_revocations_create(config->max_revocations),
		.on_revoked = sl_signals_wake,
		.metrics = &app->metrics,
		.started_ms = sl_clock_monotonic_ms(),
	};
	if (app->demo)
		sl_demo_attach(app->demo, http);
	int err = http->owners && http->probes && http->revocations ? create_report_store(http, config) : SL_ENOMEM;
	if (err == 0)
		err = sl_auth_loading_share(&app->auth_loading, config, http);
	if (err == 0)
		err = open_revocations(app, config);
	return err != 0 ? err : create_bus(app, config);
}

static int
create_workers(struct sl_app *app)
{
	unsigned count = (unsigned)app->settings->config.shards;
	app->workers = aligned_alloc(_Alignof(struct sl_worker), count * sizeof *app->workers);
	app->shards = calloc(count, sizeof *app->shards);
	if (!app->workers || !app->shards)
		return SL_ENOMEM;
	memset(app->workers, 0, count * sizeof *app->workers);
	for (unsigned i = 0; i < count; i++)
		app->shards[i] = &app->workers[i].shard;
	app->http.shards = app->shards;
	app->http.shard_count = count;
	for (; app->worker_count < count; app->worker_count++) {
		int err = sl_worker_init(&app->workers[app->worker_count], app->worker_count, count,
			app->bus, &app->http, app->settings);
		if (err != 0)
			return err;
	}
	sl_notices_set_has_shards(&app->notices, true);
	return 0;
}

static void
announce(const struct sl_app *app)
{
	sl_listening_announce(app->listeners, app->listener_count - app->lane_count,
		app->settings->config.base_path);
	if (!app->settings->config.allow_anonymous && !app->settings->auth)
		sl_log(SL_LOG_INFO, "access.loopback",
			"reason=\"there is no token key, so the gateway serves loopback addresses only\"");
}

/* What is refused leaves that of the settings before in force; at the start it is an error. */
static int
load_tls(struct sl_app *app, struct sl_tls_context **out, bool *is_stale,
	const struct sl_config *config)
{
	char error[ERROR_SIZE];
	const struct sl_settings *before = app->settings;
	int err = sl_tls_loading_create(out, config, app->tickets,
		sl_tls_loading_is_wanted(app->listeners, app->listener_count), error, sizeof error);
	*is_stale = err != 0 && before;
	if (err != 0)
		sl_log(SL_LOG_ERROR, "tls.refused", "reason=\"%s\"%s", error,
			before ? " in_force=\"the files that were loaded before\"" : "");
	if (*is_stale && before->tls)
		*out = sl_tls_context_ref(before->tls);
	return *is_stale ? 0 : err;
}

/* Takes `config`. */
static int
create_settings(struct sl_app *app, struct sl_settings **out, struct sl_config *config)
{
	struct sl_tls_context *tls = NULL;
	struct sl_auth *auth = NULL;
	bool is_tls_stale, is_auth_stale;
	int err = load_tls(app, &tls, &is_tls_stale, config);
	if (err == 0)
		err = sl_auth_loading_renew(&app->auth_loading, &auth, &is_auth_stale, app->settings, config,
			app->listeners, app->listener_count);
	uint16_t ports[SL_DEMO_PORTS];
	size_t port_count = sl_demo_get_ports(app->demo, ports);
	if (err == 0)
		err = sl_settings_create(out, config, app->listeners, app->listener_count, ports, port_count);
	if (err != 0) {
		sl_tls_context_unref(tls);
		sl_auth_unref(auth);
		sl_config_finish(config);
		return err;
	}
	(*out)->tls = tls;
	(*out)->is_tls_stale = is_tls_stale;
	(*out)->auth = auth;
	(*out)->is_auth_stale = is_auth_stale;
	return 0;
}

int
sl_app_init(struct sl_app *app, struct sl_config *config)
{
	uint8_t seed[16];
	sigset_t signals;
	sl_signals_block(&signals);
	*app = (struct sl_app){ .listeners = NULL };
	sl_notices_init(&app->notices, &app->http);
	sl_log_set_level(config->log_level);
	int err = sl_crypto_random(seed, sizeof seed);
	sl_hash_seed(seed);
	if (err == 0)
		err = sl_listening_open(&app->listeners, &app->listener_count, config);
	if (err == 0)
		err = open_lanes(app, config);
	if (err == 0 && !(app->tickets = sl_tls_tickets_create()))
		err = SL_ENOMEM;
	if (err == 0)
		err = create_settings(app, &app->settings, config);
	else
		sl_config_finish(config);
	if (err == 0)
		err = create_shared(app, &app->settings->config);
	if (err == 0)
		err = create_workers(app);
	if (err == 0 && app->settings->config.check)
		err = sl_check_channels_create(&app->check_channels, &app->http, app->auth_loading.secret);
	if (err != 0) {
		sl_log(err == SL_EDRAINING ? SL_LOG_INFO : SL_LOG_ERROR, "start.failed", "error=\"%s\"",
			sl_strerror(err));
		sl_app_finish(app);
	}
	return err;
}

void
sl_app_finish(struct sl_app *app)
{
	sl_check_channels_destroy(app->check_channels);
	sl_notices_set_has_shards(&app->notices, false);
	sl_workers_close(app->workers, app->worker_count);
	for (unsigned i = 0; i < app->worker_count; i++)
		sl_worker_finish(&app->workers[i]);
	free(app->workers);
	free(app->shards);
	sl_bus_destroy(app->bus);
	for (size_t i = 0; i < app->listener_count; i++)
		sl_listener_finish(&app->listeners[i]);
	free(app->listeners);
	sl_settings_unref(app->bus_settings);
	sl_settings_unref(app->settings);
	sl_tls_tickets_destroy(app->tickets);
	sl_auth_loading_finish(&app->auth_loading);
	sl_owners_destroy(app->http.owners);
	sl_probe_table_destroy(app->http.probes);
	sl_revocation_file_close(app->revocation_file);
	sl_revocations_destroy(app->http.revocations);
	sl_store_destroy(app->http.report_store);
	sl_report_quota_destroy(app->http.report_quota);
	sl_demo_destroy(app->demo);
	sl_notices_finish(&app->notices);
	*app = (struct sl_app){ 0 };
}

/* ---- running ---- */

/* Puts `settings` (takes them) in force wherever something of them is kept. */
static void
apply_settings(struct sl_app *app, struct sl_settings *settings)
{
	const struct sl_config *config = &settings->config;
	struct sl_bus_config bus_config = get_bus_config(config);
	const struct sl_limits limits = sl_limits_loading_get(config);
	sl_log_set_level(config->log_level);
	sl_owners_set_limits(app->http.owners, &limits);
	sl_revocations_set_max(app->http.revocations, config->max_revocations);
	sl_bus_set_limits(app->bus, &bus_config, config->idempotency_keys);
	sl_check_channels_set_secret(app->check_channels, app->auth_loading.secret);
	for (unsigned i = 0; i < app->worker_count; i++)
		sl_worker_set_settings(&app->workers[i], sl_settings_ref(settings));
	sl_config_log_changes(&app->settings->config, config);
	sl_settings_unref(app->settings);
	app->settings = settings;
}

static void
reload(struct sl_app *app)
{
	struct sl_config config;
	struct sl_settings *settings;
	if (sl_config_reread(&app->settings->config, &config) != 0)
		return; /* it has said why */
	int err = create_settings(app, &settings, &config);
	if (err != 0) {
		sl_log(SL_LOG_ERROR, "reload.failed", "error=\"%s\"", sl_strerror(err));
		return;
	}
	apply_settings(app, settings);
	sl_log(SL_LOG_INFO, "reload.done", " ");
}

static void *
run_worker(void *arg)
{
	sl_worker_run(arg);
	return NULL;
}

static void
drain(struct sl_app *app)
{
	uint64_t drain_ms = app->settings->config.drain_ms;
	sl_log(SL_LOG_INFO, "drain.begin", "limit_ms=%llu", (unsigned long long)drain_ms);
	sl_systemd_notify("STOPPING=1");
	if (drain_ms > 2 * DRAIN_SLACK_MS)
		drain_ms -= DRAIN_SLACK_MS;
	uint64_t until_ms = sl_clock_monotonic_ms() + drain_ms;
	for (unsigned i = 0; i < app->worker_count; i++)
		sl_worker_drain(&app->workers[i], until_ms);
}

/* Writes what workers have for the disk. Returns for how long main may wait for a signal, in
 * milliseconds. */
static uint64_t
write_files(struct sl_app *app)
{
	struct sl_store *store = app->http.report_store;
	int64_t now_us = sl_clock_wall_us();
	uint64_t revocations_ms = sl_revocation_file_run(app->revocation_file, now_us / 1000000);
	uint64_t reports_ms = store ? sl_store_run(store, &app->metrics, now_us) : UINT64_MAX;
	return revocations_ms < reports_ms ? revocations_ms : reports_ms;
}

/* Until one comes that ends the gateway. */
static void
handle_signals(struct sl_app *app, const sigset_t *signals)
{
	for (;;) {
		uint64_t wait_ms = write_files(app);
		switch (sl_signals_wait(signals, wait_ms)) {
		case SL_SIGNAL_WAKE: break;
		case SIGCHLD:
			if (app->demo && sl_obstacle_watch(app->demo->obstacle))
				sl_metrics_add(&app->metrics, SL_COUNTER_DEMO_OBSTACLE_ENDED, 1);
			break;
		case SIGHUP:
			sl_systemd_notify("RELOADING=1");
			reload(app);
			sl_systemd_notify("READY=1");
			break;
		default: return;
		}
	}
}

int
sl_app_run(struct sl_app *app)
{
	pthread_t *threads = calloc(app->worker_count, sizeof *threads);
	struct sl_feeds *feeds = NULL;
	unsigned started = 0;
	sigset_t signals;
	int err = threads ? 0 : SL_ENOMEM;
	sl_signals_block(&signals);
	if (err == 0 && app->settings->config.demo)
		err = sl_feeds_create(&feeds, app->shards[0], app->demo->cluster);
	for (; err == 0 && started < app->worker_count; started++)
		if (pthread_create(&threads[started], NULL, run_worker, &app->workers[started]) != 0)
			err = SL_EIO;
	if (err == 0) {
		announce(app);
		sl_log(SL_LOG_INFO, "start.done", "version=" SLUICE_VERSION " shards=%u pid=%ld",
			app->worker_count, (long)getpid());
		sl_systemd_notify("READY=1");
		handle_signals(app, &signals);
	}
	drain(app);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	write_files(app); /* the last ones */
	sl_feeds_destroy(feeds);
	free(threads);
	sl_log(SL_LOG_INFO, "stop.done", " ");
	return err;
}
