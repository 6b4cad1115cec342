#include "listening.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/listener.h"
#include "util/err.h"
#include "util/log.h"
#include "util/systemd.h"

static void
log_address(enum sl_log_level level, const char *event, const struct sl_listen_address *address,
	const char *why)
{
	char text[SL_LISTEN_ADDRESS_MAX];
	sl_listen_address_format(address, text);
	sl_log(level, event, "address=%s reason=\"%s\"", text, why);
}

static bool
may_listen(const struct sl_config *config, const struct sl_listen_address *address)
{
	if (config->allow_anonymous || sl_listen_address_is_loopback(address))
		return true;
	log_address(SL_LOG_ERROR, "listen.refused", address, "without a token key only loopback "
		"addresses are served: use 127.0.0.1:PORT, or --allow-anonymous");
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
			sl_log(SL_LOG_ERROR, "listen.failed", "systemd_fd=%d error=\"%s\"", sockets[i].fd,
				"not a listening stream socket");
			return err;
		}
		listener->is_secure = strcmp(name, "tls") == 0 || strcmp(name, "https") == 0;
		++*count;
		if (!may_listen(config, &listener->address))
			return SL_EINVAL;
	}
	return 0;
}

/* The same place with and without TLS is not listed twice: the second cannot be opened. */
static bool
is_listed(const struct sl_listener *listeners, size_t count,
	const struct sl_listen_address *address, bool is_secure)
{
	for (size_t i = 0; i < count; i++)
		if (listeners[i].is_secure == is_secure &&
				sl_listen_address_equals(&listeners[i].address, address))
			return true;
	return false;
}

/* What is listened at already is left out. */
static size_t
expand(struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX],
	const struct sl_listener *listeners, size_t count, const struct sl_listen_address *asked,
	bool is_secure)
{
	size_t kept = 0, expanded = sl_listen_address_expand(asked, addresses);
	for (size_t i = 0; i < expanded; i++) {
		if (is_listed(listeners, count, &addresses[i], is_secure))
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i], "it is listed twice");
		else
			addresses[kept++] = addresses[i];
	}
	return kept;
}

static int
open_address(struct sl_listener *listeners, size_t *count, const struct sl_listen_address *asked,
	unsigned shards, bool is_secure)
{
	struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX];
	struct sl_listener opened[SL_LISTEN_ADDRESSES_MAX];
	size_t failed, wanted = expand(addresses, listeners, *count, asked, is_secure);
	if (wanted == 0)
		return 0;
	int err = sl_listener_open_name(opened, addresses, wanted, shards, &failed);
	if (err != 0) {
		log_address(SL_LOG_ERROR, "listen.failed", &addresses[failed], strerror(errno));
		return err;
	}
	for (size_t i = 0; i < wanted; i++) {
		opened[i].is_secure = is_secure;
		if (opened[i].count > 0)
			listeners[(*count)++] = opened[i];
		else
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i],
				"this machine has no such address");
	}
	return 0;
}

/* What the options name: cleartext first, whose default gives way to TLS listeners. */
static int
open_all(struct sl_listener *listeners, size_t *count, const struct sl_config *config)
{
	size_t in_clear = config->listen_given || config->tls_listen_count == 0 ?
		config->listen_count : 0;
	for (size_t i = 0; i < in_clear + config->tls_listen_count; i++) {
		bool is_secure = i >= in_clear;
		const struct sl_listen_address *asked = is_secure ?
			&config->tls_listen[i - in_clear] : &config->listen[i];
		if (!may_listen(config, asked))
			return SL_EINVAL;
		int err = open_address(listeners, count, asked, (unsigned)config->shards, is_secure);
		if (err != 0)
			return err;
	}
	return 0;
}

int
sl_listening_open(struct sl_listener **listeners, size_t *count, const struct sl_config *config)
{
	struct sl_systemd_socket *sockets = NULL;
	int err, passed = sl_systemd_listen_fds(&sockets);
	if (passed < 0)
		return passed;
	if (config->listen_given || config->tls_listen_count > 0)
		passed = 0;
	size_t room = passed > 0 ? (size_t)passed :
		(config->listen_count + config->tls_listen_count) * SL_LISTEN_ADDRESSES_MAX;
	*listeners = calloc(room, sizeof **listeners);
	if (!*listeners)
		err = SL_ENOMEM;
	else if (passed > 0)
		err = adopt_sockets(*listeners, count, config, sockets, passed);
	else
		err = open_all(*listeners, count, config);
	free(sockets);
	return err;
}
