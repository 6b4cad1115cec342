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
		"addresses are served: use --listen 127.0.0.1:PORT, or --allow-anonymous");
	return false;
}

static int
adopt_sockets(struct sl_listener *listeners, size_t *count, const struct sl_config *config,
	const int *fds, int fd_count)
{
	for (int i = 0; i < fd_count; i++) {
		struct sl_listener *listener = &listeners[*count];
		int err = sl_listener_adopt(listener, fds[i]);
		if (err != 0) {
			sl_log(SL_LOG_ERROR, "listen.failed", "systemd_fd=%d error=\"%s\"", fds[i],
				"not a listening stream socket");
			return err;
		}
		++*count;
		if (!may_listen(config, &listener->address))
			return SL_EINVAL;
	}
	return 0;
}

static bool
is_listed(const struct sl_listener *listeners, size_t count,
	const struct sl_listen_address *address)
{
	for (size_t i = 0; i < count; i++)
		if (sl_listen_address_equals(&listeners[i].address, address))
			return true;
	return false;
}

/* What is listened at already is left out. */
static size_t
expand(struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX],
	const struct sl_listener *listeners, size_t count, const struct sl_listen_address *asked)
{
	size_t kept = 0, expanded = sl_listen_address_expand(asked, addresses);
	for (size_t i = 0; i < expanded; i++) {
		if (is_listed(listeners, count, &addresses[i]))
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i], "it is listed twice");
		else
			addresses[kept++] = addresses[i];
	}
	return kept;
}

static int
open_address(struct sl_listener *listeners, size_t *count, const struct sl_listen_address *asked,
	unsigned shards)
{
	struct sl_listen_address addresses[SL_LISTEN_ADDRESSES_MAX];
	struct sl_listener opened[SL_LISTEN_ADDRESSES_MAX];
	size_t failed, wanted = expand(addresses, listeners, *count, asked);
	if (wanted == 0)
		return 0;
	int err = sl_listener_open_name(opened, addresses, wanted, shards, &failed);
	if (err != 0) {
		log_address(SL_LOG_ERROR, "listen.failed", &addresses[failed], strerror(errno));
		return err;
	}
	for (size_t i = 0; i < wanted; i++) {
		if (opened[i].count > 0)
			listeners[(*count)++] = opened[i];
		else
			log_address(SL_LOG_INFO, "listen.skipped", &addresses[i],
				"this machine has no such address");
	}
	return 0;
}

int
sl_listening_open(struct sl_listener **listeners, size_t *count, const struct sl_config *config)
{
	int *fds = NULL, err = 0;
	int passed = sl_systemd_listen_fds(&fds);
	if (passed < 0)
		return passed;
	if (config->listen_given)
		passed = 0;
	size_t room = passed > 0 ? (size_t)passed : config->listen_count * SL_LISTEN_ADDRESSES_MAX;
	*listeners = calloc(room, sizeof **listeners);
	if (!*listeners)
		err = SL_ENOMEM;
	else if (passed > 0)
		err = adopt_sockets(*listeners, count, config, fds, passed);
	for (size_t i = 0; err == 0 && passed == 0 && i < config->listen_count; i++)
		err = may_listen(config, &config->listen[i]) ?
			open_address(*listeners, count, &config->listen[i], (unsigned)config->shards) :
			SL_EINVAL;
	free(fds);
	return err;
}
