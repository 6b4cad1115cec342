#include "listening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/listener.h"
#include "util/err.h"
#include "util/log.h"
#include "util/systemd.h"

#define OPTION_SYSTEMD "ListenStream" /* of a socket unit */

static void
log_address(enum sl_log_level level, const char *event, const struct sl_listen_address *address,
	const char *why)
{
	char text[SL_LISTEN_ADDRESS_MAX];
	sl_listen_address_format(address, text);
	sl_log(level, event, "address=%s reason=\"%s\"", text, why);
}

static const char *
get_option(bool is_secure, bool is_admin)
{
	return is_admin ? "--admin-listen" : is_secure ? "--tls-listen" : "--listen";
}

/* What helps against an error of bind(2) or listen(2). */
static const char *
get_remedy(int error, const char *path)
{
	switch (error) {
	case EADDRINUSE: return "another port, or end the process that listens there";
	case EACCES: return *path ? "a path in a folder in which sluice may write" :
		"a port above 1023, or give sluice the capability CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL: return "an address that this machine has";
	case ENOENT: return "a path in a folder that exists";
	default: return "another address";
	}
}

static void
log_failure(const char *option, const struct sl_listen_address *address, int error)
{
	char text[SL_LISTEN_ADDRESS_MAX];
	sl_listen_address_format(address, text);
	sl_log(SL_LOG_ERROR, "listen.failed", "option=%s address=%s reason=\"%s; use %s\"", option, text,
		strerror(error), get_remedy(error, address->path));
}

static bool
may_listen(const struct sl_config *config, const struct sl_listen_address *address, const char *option)
{
	char text[SL_LISTEN_ADDRESS_MAX];
	if (config->allow_anonymous || config->token_key.count > 0 ||
			sl_listen_address_is_loopback(address))
		return true;
	sl_listen_address_format(address, text);
	sl_log(SL_LOG_ERROR, "listen.refused", "option=%s address=%s reason=\"a public address needs a token key; "
		"use --token-key FILE, an address such as 127.0.0.1:PORT, or --allow-anonymous\"", option, text);
	return false;
}

static int
adopt_sockets(struct sl_listener *listeners, size_t *count, const struct sl_config *config,
	const struct sl_systemd_socket *sockets, int socket_count)
{
	for (int i = 0; i < socket_count; i++) {
		struct sl_listener *listener = &listeners[*count];
		const char *name = sockets[i].name;
		int err = sl_listener_adopt(listener, sockets[i].fd);
		if (err != 0) {
			sl_log(SL_LOG_ERROR, "listen.failed", "systemd_fd=%d reason=\"not a listening stream socket; use "
				"ListenStream= and Accept=no in the socket unit\"", sockets[i].fd);
			return err;
		}
		listener->is_secure = strcmp(name, "tls") == 0 || strcmp(name, "https") == 0;
		listener->is_admin = strcmp(name, "admin") == 0;
		++*count;
		if (!may_listen(config, &listener->address, OPTION_SYSTEMD))
			return SL_EINVAL;
	}
	return 0;
}

/* What is said at some addresses, and for whom. */
struct purpose {
	const struct sl_listen_address *addresses;
	size_t count;
	bool is_secure, is_admin;
};

/* The same place with and without TLS, or for admins and for others, is not listed twice: the second
 * cannot be opened. */
static bool
is_listed(const struct sl_listener *listeners, size_t count,
	const struct sl_listen_address *address, const struct purpose *purpose)
{
	for (size_t i = 0; i < count; i++)
		if (listeners[i].is_secure == purpose->is_secure &&
				listeners[i].is_admin == purpose->is_admin && sl_listen_address_equals(&listeners[i].address, address))
			return true;
	return false;
}

/* What is listened at already is left out. */
static size_t
expand(struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX],
	const struct sl_listener *listeners, size_t count, const struct sl_listen_address *asked,
	const struct purpose *purpose)
{
	size_t kept = 0, expanded = sl_listen_address_expand(asked, addresses);
	for (size_t i = 0; i < expanded; i++) {
		if (is_listed(listeners, count, &addresses[i], purpose))
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i], "the address is listed twice");
		else
			addresses[kept++] = addresses[i];
	}
	return kept;
}

/* Nothing but its address keeps anybody from an admin listener. */
static void
warn_of_admin(const struct sl_listener *listener)
{
	if (listener->is_admin && !sl_listen_address_is_loopback(&listener->address))
		log_address(SL_LOG_WARNING, "listen.admin", &listener->address, "everybody who reaches this "
			"address may read the metrics and end streams; let only admins reach it");
}

static int
open_address(struct sl_listener *listeners, size_t *count, const struct sl_listen_address *asked,
	unsigned shards, const struct purpose *purpose)
{
	struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX];
	struct sl_listener opened[SL_LISTEN_ADDRESSES_MAX];
	size_t failed, wanted = expand(addresses, listeners, *count, asked, purpose);
	if (wanted == 0)
		return 0;
	int err = sl_listener_open_name(opened, addresses, wanted, shards, &failed);
	if (err != 0) {
		log_failure(get_option(purpose->is_secure, purpose->is_admin), &addresses[failed], errno);
		return err;
	}
	for (size_t i = 0; i < wanted; i++) {
		opened[i].is_secure = purpose->is_secure;
		opened[i].is_admin = purpose->is_admin;
		if (opened[i].count > 0) {
			warn_of_admin(&opened[i]);
			listeners[(*count)++] = opened[i];
		} else {
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i],
				"this machine has no such address");
		}
	}
	return 0;
}

static int
open_purpose(struct sl_listener *listeners, size_t *count, const struct sl_config *config,
	const struct purpose *purpose)
{
	const char *option = get_option(purpose->is_secure, purpose->is_admin);
	int err = 0;
	for (size_t i = 0; err == 0 && i < purpose->count; i++) {
		const struct sl_listen_address *asked = &purpose->addresses[i];
		err = may_listen(config, asked, option) ? open_address(listeners, count, asked,
			(unsigned)config->shards, purpose) : SL_EINVAL;
	}
	return err;
}

/* What the options name: cleartext first, whose default gives way to TLS listeners and to what systemd
 * passed. */
static int
open_all(struct sl_listener *listeners, size_t *count, const struct sl_config *config,
	bool has_passed)
{
	bool is_default = !config->listen_given && (config->tls_listen_count > 0 || has_passed);
	const struct purpose purposes[] = {
		{ config->listen, is_default ? 0 : config->listen_count, false, false },
		{ config->tls_listen, config->tls_listen_count, true, false },
		{ config->admin_listen, config->admin_listen_count, false, true },
	};
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof purposes / sizeof *purposes; i++)
		err = open_purpose(listeners, count, config, &purposes[i]);
	return err;
}

int
sl_listening_open(struct sl_listener **listeners, size_t *count, const struct sl_config *config)
{
	struct sl_systemd_socket *sockets = NULL;
	int err, passed = sl_systemd_listen_fds(&sockets);
	if (passed == SL_EINVAL)
		sl_log(SL_LOG_ERROR, "listen.failed", "reason=\"the variable LISTEN_FDS does not count sockets that are "
			"open; use a socket unit of systemd, or unset it\"");
	if (passed < 0)
		return passed;
	if (config->listen_given || config->tls_listen_count > 0)
		passed = 0;
	size_t room = (size_t)passed + (config->listen_count + config->tls_listen_count +
		config->admin_listen_count) * SL_LISTEN_ADDRESSES_MAX;
	*listeners = calloc(room, sizeof **listeners);
	if (!*listeners)
		err = SL_ENOMEM;
	else
		err = adopt_sockets(*listeners, count, config, sockets, passed);
	if (err == 0)
		err = open_all(*listeners, count, config, passed > 0);
	free(sockets);
	return err;
}

int
sl_listening_begin(const struct sl_listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = sl_listener_listen(&listeners[i]);
		if (err != 0) {
			log_failure(get_option(listeners[i].is_secure, listeners[i].is_admin), &listeners[i].address, errno);
			return err;
		}
	}
	return 0;
}

void
sl_listening_announce(const struct sl_listener *listeners, size_t count, const char *base_path)
{
	for (size_t i = 0; i < count; i++) {
		const struct sl_listen_address *address = &listeners[i].address;
		const char *whose = listeners[i].is_admin ? " (admin)" : "";
		char text[SL_LISTEN_ADDRESS_MAX];
		bool is_secure = listeners[i].is_secure;
		sl_listen_address_format(address, text);
		if (address->kind == SL_ADDRESS_UNIX)
			printf("listening %s%s%s\n", text, is_secure ? " (TLS)" : "", whose);
		else
			printf("listening %s://%s%s%s\n", is_secure ? "https" : "http", text, base_path, whose);
	}
	fflush(stdout);
}
