#include "http/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/listener.h"
#include "util/network.h"
#include "util/origin.h"

struct entry {
	char *text;                    /* owns; scheme://host[:port] */
	struct sl_authority authority; /* in `text`; of an app there is none */
	bool is_secure;
	bool is_host;                  /* a public origin: the gateway answers to its Host */
	bool is_trusted;               /* may send credentials */
};

struct sl_access {
	struct entry *entries; /* owns */
	size_t count;
	bool any_host; /* --allow-anonymous, and nobody said by which names the gateway is known */
	bool any_ip;   /* --allow-anonymous */
};

static struct entry *
add(struct sl_access *access, const char *text)
{
	struct entry *more = realloc(access->entries, (access->count + 1) * sizeof *more);
	if (!more)
		return NULL;
	access->entries = more;
	struct entry *entry = &more[access->count];
	*entry = (struct entry){ .text = strdup(text) };
	if (!entry->text)
		return NULL;
	access->count++;
	if (!sl_origin_parse(&entry->authority, &entry->is_secure,
			(struct sl_span){ entry->text, strlen(entry->text) }))
		entry->authority = (struct sl_authority){ 0 };
	return entry;
}

static bool
add_name(struct sl_access *access, const char *name, unsigned port, bool is_secure)
{
	const char *scheme = is_secure ? "https" : "http";
	char text[128];
	/* A browser leaves the scheme's default port out. */
	if (port == (is_secure ? 443 : 80))
		snprintf(text, sizeof text, "%s://%s", scheme, name);
	else
		snprintf(text, sizeof text, "%s://%s:%u", scheme, name, port);
	return add(access, text) != NULL;
}

/* A browser on this machine may call a loopback listener by any of these names. */
static bool
add_names(struct sl_access *access, unsigned port, bool is_secure)
{
	return add_name(access, "localhost", port, is_secure) &&
		add_name(access, "127.0.0.1", port, is_secure) && add_name(access, "[::1]", port, is_secure);
}

bool
sl_access_allow_port(struct sl_access *access, uint16_t port)
{
	return add_names(access, port, false) && add_names(access, port, true);
}

static bool
add_listener(struct sl_access *access, const struct sl_listener *listener)
{
	const struct sl_listen_address *address = &listener->address;
	char own[INET6_ADDRSTRLEN + 2];
	if (listener->is_admin || !sl_listen_address_is_loopback_tcp(address))
		return true;
	bool is_ipv6 = address->kind == SL_ADDRESS_IPV6;
	snprintf(own, sizeof own, "%s%s%s", is_ipv6 ? "[" : "", address->host, is_ipv6 ? "]" : "");
	return add_name(access, own, address->port, listener->is_secure) &&
		add_names(access, address->port, listener->is_secure);
}

static bool
add_list(struct sl_access *access, const struct sl_origin_list *list, bool is_host,
	bool is_trusted)
{
	for (size_t i = 0; i < list->count; i++) {
		struct entry *entry = add(access, list->origins[i].url);
		if (!entry)
			return false;
		entry->is_host = is_host;
		entry->is_trusted = is_trusted;
	}
	return true;
}

struct sl_access *
sl_access_create(const struct sl_config *config, const struct sl_listener *listeners,
	size_t listener_count)
{
	struct sl_access *access = calloc(1, sizeof *access);
	if (!access)
		return NULL;
	access->any_ip = config->allow_anonymous;
	access->any_host = access->any_ip && config->public_origin.count == 0;
	bool is_complete = add_list(access, &config->public_origin, true, config->allow_credentials) &&
		add_list(access, &config->allow_origin, false, config->allow_credentials);
	for (size_t i = 0; is_complete && i < listener_count; i++)
		is_complete = add_listener(access, &listeners[i]);
	if (is_complete)
		return access;
	sl_access_destroy(access);
	return NULL;
}

void
sl_access_destroy(struct sl_access *access)
{
	if (!access)
		return;
	for (size_t i = 0; i < access->count; i++)
		free(access->entries[i].text);
	free(access->entries);
	free(access);
}

/* A loopback name, or that of a public origin. */
static bool
is_known_host(const struct sl_access *access, const struct sl_authority *asked)
{
	if (sl_authority_is_loopback(asked))
		return true;
	for (size_t i = 0; i < access->count; i++) {
		const struct entry *entry = &access->entries[i];
		if (entry->is_host && sl_authority_equals(asked, &entry->authority,
				entry->is_secure ? 443 : 80))
			return true;
	}
	return false;
}

/* No page's name: nobody can have it lead elsewhere. */
static bool
is_ip(struct sl_span host)
{
	uint8_t ip[16];
	uint16_t port;
	return sl_network_parse_host(ip, &port, host, false);
}

static bool
is_known(const struct sl_access *access, struct sl_span host)
{
	struct sl_authority asked;
	return sl_authority_parse(&asked, host) && is_known_host(access, &asked);
}

bool
sl_access_host_allowed(const struct sl_access *access, struct sl_span host)
{
	return access->any_host || !host.bytes || is_known(access, host) || (access->any_ip && is_ip(host));
}

bool
sl_access_admin_host_allowed(const struct sl_access *access, struct sl_span host)
{
	return !host.bytes || is_ip(host) || is_known(access, host);
}

bool
sl_access_origin_allowed(const struct sl_access *access, struct sl_span origin,
	struct sl_cors *cors)
{
	struct sl_authority asked;
	bool is_secure;
	*cors = (struct sl_cors){ 0 };
	if (!origin.bytes)
		return true;
	bool is_web = sl_origin_parse(&asked, &is_secure, origin);
	for (size_t i = 0; i < access->count; i++) {
		const struct entry *entry = &access->entries[i];
		bool is_same = is_web ? entry->is_secure == is_secure && entry->authority.host.bytes &&
			sl_authority_equals(&asked, &entry->authority, 0) :
			sl_span_equals(origin, entry->text);
		if (is_same) {
			*cors = (struct sl_cors){ entry->text, entry->is_trusted };
			return true;
		}
	}
	return false;
}
