#include "http/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "core/listener.h"

#define NAME_MAX_BYTES 300

struct sl_access {
	char **origins; /* owns; scheme://host[:port]; the configured ones come first */
	size_t origin_count;
	size_t trusted_count; /* how many of them may send credentials */
	char **hosts;   /* owns; host[:port] of the public origins */
	size_t host_count;
	bool any_host;  /* --allow-anonymous */
};

static bool
add_string(char ***list, size_t *count, const char *text)
{
	char **more = realloc(*list, (*count + 1) * sizeof *more);
	if (!more)
		return false;
	*list = more;
	more[*count] = strdup(text);
	if (!more[*count])
		return false;
	++*count;
	return true;
}

static bool
add_name(struct sl_access *access, const char *name, unsigned port)
{
	char text[NAME_MAX_BYTES + 16];
	/* A browser leaves the scheme's default port out. */
	if (port == 80)
		snprintf(text, sizeof text, "http://%s", name);
	else
		snprintf(text, sizeof text, "http://%s:%u", name, port);
	return add_string(&access->origins, &access->origin_count, text);
}

/* A browser on this machine may call a loopback listener by any of these names. */
bool
sl_access_allow_port(struct sl_access *access, uint16_t port)
{
	return add_name(access, "localhost", port) && add_name(access, "127.0.0.1", port) &&
		add_name(access, "[::1]", port);
}

static bool
add_listener(struct sl_access *access, const struct sl_listener *listener)
{
	const struct sl_listen_address *address = &listener->address;
	char own[NAME_MAX_BYTES];
	if (!sl_listen_address_is_loopback_tcp(address))
		return true;
	snprintf(own, sizeof own, address->kind == SL_ADDRESS_IPV6 ? "[%s]" : "%s", address->host);
	return add_name(access, own, address->port) && sl_access_allow_port(access, address->port);
}

static bool
add_configured(struct sl_access *access, const struct sl_config *config)
{
	for (size_t i = 0; i < config->public_origin.count; i++) {
		const struct sl_origin *origin = &config->public_origin.origins[i];
		if (!add_string(&access->origins, &access->origin_count, origin->url) ||
				!add_string(&access->hosts, &access->host_count, origin->authority))
			return false;
	}
	for (size_t i = 0; i < config->allow_origin.count; i++)
		if (!add_string(&access->origins, &access->origin_count,
				config->allow_origin.origins[i].url))
			return false;
	return true;
}

struct sl_access *
sl_access_create(const struct sl_config *config, const struct sl_listener *listeners,
	size_t listener_count)
{
	struct sl_access *access = calloc(1, sizeof *access);
	if (!access)
		return NULL;
	access->any_host = config->allow_anonymous;
	if (!add_configured(access, config))
		goto fail;
	if (config->allow_credentials)
		access->trusted_count = access->origin_count;
	for (size_t i = 0; i < listener_count; i++)
		if (!add_listener(access, &listeners[i]))
			goto fail;
	return access;
fail:
	sl_access_destroy(access);
	return NULL;
}

void
sl_access_destroy(struct sl_access *access)
{
	if (!access)
		return;
	for (size_t i = 0; i < access->origin_count; i++)
		free(access->origins[i]);
	for (size_t i = 0; i < access->host_count; i++)
		free(access->hosts[i]);
	free(access->origins);
	free(access->hosts);
	free(access);
}

static bool
equals(struct sl_span span, const char *text)
{
	return span.len == strlen(text) && strncasecmp(span.bytes, text, span.len) == 0;
}

/* 127.0.0.0/8 in dotted form. */
static bool
is_loopback_ipv4(struct sl_span name)
{
	unsigned parts = 1, digits = 0;
	if (name.len < 9 || name.len > 15 || memcmp(name.bytes, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.bytes[i] == '.') {
			if (digits == 0)
				return false;
			parts++;
			digits = 0;
		} else if (name.bytes[i] < '0' || name.bytes[i] > '9' || ++digits > 3) {
			return false;
		}
	}
	return parts == 4 && digits > 0;
}

static struct sl_span
without_port(struct sl_span host)
{
	size_t len = host.len;
	while (len > 0 && host.bytes[len - 1] >= '0' && host.bytes[len - 1] <= '9')
		len--;
	if (len > 0 && host.bytes[len - 1] == ':')
		host.len = len - 1;
	return host;
}

bool
sl_access_host_allowed(const struct sl_access *access, struct sl_span host)
{
	if (access->any_host || !host.bytes)
		return true;
	for (size_t i = 0; i < access->host_count; i++)
		if (equals(host, access->hosts[i]))
			return true;
	struct sl_span name = without_port(host);
	return equals(name, "localhost") || equals(name, "[::1]") || is_loopback_ipv4(name);
}

bool
sl_access_origin_allowed(const struct sl_access *access, struct sl_span origin,
	struct sl_cors *cors)
{
	*cors = (struct sl_cors){ 0 };
	if (!origin.bytes)
		return true;
	for (size_t i = 0; i < access->origin_count; i++) {
		if (sl_span_equals(origin, access->origins[i])) {
			*cors = (struct sl_cors){ access->origins[i], i < access->trusted_count };
			return true;
		}
	}
	return false;
}
