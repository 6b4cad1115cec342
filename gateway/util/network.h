/* Network: IP addresses and networks of them, as text and as 16 bytes (IPv4 mapped into IPv6,
 * RFC 4291, section 2.5.5.2).
 * Owner: values; a list owns its array. Thread: any. Errors: as each call says. */
#ifndef SL_UTIL_NETWORK_H
#define SL_UTIL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/span.h"

struct sl_network {
	uint8_t bytes[16];
	uint8_t prefix; /* bits that count, 0 to 128 */
};

/* Networks, and perhaps all Unix sockets. All zero: nobody. */
struct sl_network_list {
	struct sl_network *networks; /* owns */
	size_t count;
	bool has_unix;
};

/* An IPv4 address in dotted decimals, or an IPv6 address without brackets and zone. False for
 * anything else. */
bool sl_network_parse_ip(uint8_t out[16], struct sl_span text);

/* An address in brackets where it is IPv6, perhaps `:port`; `is_bare_allowed` takes IPv6 without
 * brackets too, and then without a port. `*port` is 0 where none is said. */
bool sl_network_parse_host(uint8_t out[16], uint16_t *port, struct sl_span text,
	bool is_bare_allowed);

/* True for an IPv4 address in its mapped form. */
bool sl_network_is_ipv4(const uint8_t ip[16]);

#define SL_NETWORK_TEXT_MAX 52 /* an IPv6 address, '/', three digits, NUL */

/* "10.0.0.0/8", "fd00::/8" or an address alone. Errors: SL_EINVAL, also where a bit behind the
 * prefix is set: who writes 10.1.2.3/8 may mean one address or all. */
int sl_network_parse(struct sl_network *out, const char *text);

/* The form that parse takes; an address alone is written without a prefix. */
void sl_network_format(const struct sl_network *network, char out[SL_NETWORK_TEXT_MAX]);

/* Appends a network, or "unix". Errors: SL_EINVAL, SL_ENOMEM. */
int sl_network_list_add(struct sl_network_list *list, const char *text);

/* How many values add() was given: those of `networks`, then "unix". */
static inline size_t
sl_network_list_count(const struct sl_network_list *list)
{
	return list->count + list->has_unix;
}

/* The value at `index`, as add() takes it. */
void sl_network_list_format(const struct sl_network_list *list, size_t index,
	char out[SL_NETWORK_TEXT_MAX]);

/* Empties the list. */
void sl_network_list_finish(struct sl_network_list *list);

/* True when a network of the list holds the address. An IPv6 network holds no IPv4 address, however
 * short its prefix, unless it was written as IPv4 mapped. */
bool sl_network_list_has(const struct sl_network_list *list, const uint8_t ip[16]);

#endif
