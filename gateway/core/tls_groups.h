/* TLS groups: which certificates a name gets: one for each kind of key.
 * Owner: the caller's struct; it borrows the pairs' names. Thread: any once made. Errors:
 * SL_ENOMEM. */
#ifndef SL_CORE_TLS_GROUPS_H
#define SL_CORE_TLS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

struct sl_tls_pair;

#define SL_TLS_KINDS_MAX 5 /* of keys */

/* Certificates that are offered together, one of a kind: the first that lists the name, or else the
 * first whose wildcard covers it. */
struct sl_tls_group {
	size_t members[SL_TLS_KINDS_MAX]; /* places among the pairs */
	size_t count;
	char *text; /* owns; all their names, sorted, a line each */
};

struct sl_tls_group_name {
	const char *name; /* borrows */
	size_t group;
};

struct sl_tls_groups {
	struct sl_tls_group *groups; /* owns; the first is the default */
	size_t count;
	struct sl_tls_group_name *names; /* owns; sorted, patterns among them */
	size_t name_count;
};

/* `count` pairs, at least one. The default is the group of the first pair's first name; where that pair
 * lists none, it is made of those that are for its address. */
int sl_tls_groups_make(struct sl_tls_groups *out, const struct sl_tls_pair *pairs, size_t count);
void sl_tls_groups_finish(struct sl_tls_groups *groups);

/* The group of a normalised name: by the name itself, else by the pattern that covers it. Returns
 * false where no certificate does. */
bool sl_tls_groups_find(const struct sl_tls_groups *groups, const char *name, size_t *group);

/* True when some name gets the pair at `place`. */
bool sl_tls_groups_use(const struct sl_tls_groups *groups, size_t place);

#endif
