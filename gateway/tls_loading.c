#include "tls_loading.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "core/listener.h"
#include "core/tls_context.h"
#include "core/tls_file.h"
#include "core/tls_tickets.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define ERROR_SIZE 512

bool
sl_tls_loading_is_wanted(const struct sl_listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listeners[i].is_secure)
			return true;
	return false;
}

/* The first option that asks for TLS, or NULL. */
static const char *
find_option(const struct sl_config *config)
{
	if (config->tls_cert.count > 0)
		return "--tls-cert";
	if (config->tls_key.count > 0)
		return "--tls-key";
	return config->tls_ticket_keys ? "--tls-ticket-keys" : NULL;
}

static void
log_certificates(const struct sl_tls_context *context, const struct sl_config *config)
{
	size_t count;
	int64_t now_s = sl_clock_wall_us() / 1000000;
	const struct sl_tls_certificate *certificates = sl_tls_context_certificates(context, &count);
	for (size_t i = 0; i < count; i++)
		sl_log(SL_LOG_INFO, "tls.certificate", "name=\"%s\" key=%s expires_in_s=%lld file=\"%s\"",
			certificates[i].name, certificates[i].key,
			(long long)(certificates[i].expires_s - now_s), config->tls_cert.texts[i]);
}

static int
load(struct sl_tls_context **out, const struct sl_config *config, struct sl_tls_tickets *tickets,
	char *error, size_t error_size)
{
	struct sl_tls_ticket_keys keys = { .count = 0 };
	const char *path = config->tls_ticket_keys;
	int err = path ? sl_tls_ticket_keys_read(&keys, path,
		(struct sl_tls_error){ error, error_size }) : 0;
	if (err == 0)
		err = sl_tls_context_create(out, config, tickets, error, error_size);
	if (err == 0)
		sl_tls_tickets_use(tickets, path ? &keys : NULL);
	explicit_bzero(&keys, sizeof keys);
	return err;
}

int
sl_tls_loading_create(struct sl_tls_context **out, const struct sl_config *config,
	struct sl_tls_tickets *tickets, bool has_listener, char *error, size_t error_size)
{
	const char *option = find_option(config);
	const struct sl_tls_error where = { error, error_size };
	*out = NULL;
	if (!has_listener && !option)
		return 0;
	if (!has_listener)
		return sl_tls_refuse(where, "%s: no listener speaks TLS; use --tls-listen ADDRESS too, or a "
			"socket of systemd with FileDescriptorName=tls", option);
	if (config->tls_cert.count == 0)
		return sl_tls_refuse(where, "--tls-listen: TLS needs a certificate and its key; use "
			"--tls-cert FILE and --tls-key FILE too");
	int err = load(out, config, tickets, error, error_size);
	if (err == 0)
		log_certificates(*out, config);
	else if (err != SL_EINVAL)
		snprintf(error, error_size, "%s", sl_strerror(err));
	return err;
}

int
sl_tls_loading_check(const struct sl_config *config)
{
	char error[ERROR_SIZE];
	struct sl_tls_context *context = NULL;
	sl_log_set_level(config->log_level);
	struct sl_tls_tickets *tickets = sl_tls_tickets_create();
	bool may_have_listener = config->tls_listen_count > 0 || find_option(config);
	int err = SL_ENOMEM;
	snprintf(error, sizeof error, "%s", sl_strerror(err));
	if (tickets)
		err = sl_tls_loading_create(&context, config, tickets, may_have_listener, error,
			sizeof error);
	if (err != 0)
		fprintf(stderr, "sluice: %s\n", error);
	sl_tls_context_unref(context);
	sl_tls_tickets_destroy(tickets);
	return err;
}
