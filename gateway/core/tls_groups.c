#include "core/tls_groups.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/tls_pair.h"
#include "util/buffer.h"
#include "util/err.h"

/* A name, and a pair that lists it. */
struct listing {
	const char *name;
	size_t pair;
};

/* All of them, sorted by name and then by place. */
struct listings {
	struct listing *all; /* owns */
	size_t count;
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
compare_listings(const void *a, const void *b)
{
	const struct listing *one = a, *other = b;
	int order = strcmp(one->name, other->name);
	return order != 0 ? order : (one->pair > other->pair) - (one->pair < other->pair);
}

static int
list_names(struct listings *out, const struct sl_tls_pair *pairs, size_t count)
{
	size_t room = 1;
	for (size_t i = 0; i < count; i++)
		room += pairs[i].names.count;
	*out = (struct listings){ .all = calloc(room, sizeof *out->all) };
	if (!out->all)
		return SL_ENOMEM;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < pairs[i].names.count; j++)
			out->all[out->count++] = (struct listing){ pairs[i].names.names[j], i };
	qsort(out->all, out->count, sizeof *out->all, compare_listings);
	return 0;
}

/* The place of the first that lists a name, or that it would have. */
static size_t
find_listing(const struct listings *listings, const char *name)
{
	size_t low = 0, high = listings->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(listings->all[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_kind(const struct sl_tls_group *group, const struct sl_tls_pair *pairs, const char *kind)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(pairs[group->members[i]].kind, kind) == 0)
			return true;
	return false;
}

static void
add(struct sl_tls_group *group, const struct sl_tls_pair *pairs, size_t pair)
{
	if (group->count < SL_TLS_KINDS_MAX && !has_kind(group, pairs, pairs[pair].kind))
		group->members[group->count++] = pair;
}

/* Adds the pairs that list the name, of kinds that are not there yet. */
static void
add_listed(struct sl_tls_group *group, const struct listings *listings,
	const struct sl_tls_pair *pairs, const char *name)
{
	for (size_t i = find_listing(listings, name);
			i < listings->count && strcmp(listings->all[i].name, name) == 0; i++)
		add(group, pairs, listings->all[i].pair);
}

/* Those that a name gets: that a certificate lists the name itself counts more than a wildcard. */
static struct sl_tls_group
choose(const struct listings *listings, const struct sl_tls_pair *pairs, const char *name)
{
	struct sl_tls_group group = { .count = 0 };
	char pattern[SL_TLS_NAME_MAX];
	add_listed(&group, listings, pairs, name);
	if (sl_tls_name_widen(name, pattern))
		add_listed(&group, listings, pairs, pattern);
	return group;
}

/* Those that a client gets which asks for no name. A certificate for an address alone stands beside
 * others for that address. */
static struct sl_tls_group
choose_default(const struct listings *listings, const struct sl_tls_pair *pairs, size_t count)
{
	struct sl_tls_group group = { .count = 0 };
	if (pairs[0].names.count > 0)
		return choose(listings, pairs, pairs[0].names.names[0]);
	for (size_t i = 0; i < count; i++)
		if (pairs[i].names.count == 0 && strcmp(pairs[i].label, pairs[0].label) == 0)
			add(&group, pairs, i);
	return group;
}

static char *
join_names(const struct sl_tls_group *group, const struct sl_tls_pair *pairs)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	const char **names;
	size_t count = 0, room = 1;
	for (size_t i = 0; i < group->count; i++)
		room += pairs[group->members[i]].names.count;
	names = calloc(room, sizeof *names);
	if (!names)
		return NULL;
	for (size_t i = 0; i < group->count; i++) {
		const struct sl_tls_names *own = &pairs[group->members[i]].names;
		for (size_t j = 0; j < own->count; j++)
			names[count++] = own->names[j];
	}
	qsort(names, count, sizeof *names, compare_names);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0) {
			sl_buffer_append_str(&text, names[i]);
			sl_buffer_append_char(&text, '\n');
		}
	free(names);
	return sl_buffer_take_string(&text);
}

/* Finds the group of the same members, or adds it. */
static int
intern(struct sl_tls_groups *groups, struct sl_tls_group group, const struct sl_tls_pair *pairs,
	size_t *place)
{
	for (*place = 0; *place < groups->count; ++*place) {
		const struct sl_tls_group *known = &groups->groups[*place];
		if (known->count == group.count &&
				memcmp(known->members, group.members, group.count * sizeof *group.members) == 0)
			return 0;
	}
	struct sl_tls_group *more = realloc(groups->groups, (groups->count + 1) * sizeof *more);
	if (!more)
		return SL_ENOMEM;
	groups->groups = more;
	group.text = join_names(&group, pairs);
	if (!group.text)
		return SL_ENOMEM;
	more[groups->count++] = group;
	return 0;
}

static int
add_names(struct sl_tls_groups *groups, const struct listings *listings,
	const struct sl_tls_pair *pairs)
{
	groups->names = calloc(listings->count + 1, sizeof *groups->names);
	if (!groups->names)
		return SL_ENOMEM;
	for (size_t i = 0; i < listings->count; i++) {
		const char *name = listings->all[i].name;
		struct sl_tls_group_name *entry = &groups->names[groups->name_count];
		if (i > 0 && strcmp(name, listings->all[i - 1].name) == 0)
			continue;
		int err = intern(groups, choose(listings, pairs, name), pairs, &entry->group);
		if (err != 0)
			return err;
		entry->name = name;
		groups->name_count++;
	}
	return 0;
}

int
sl_tls_groups_make(struct sl_tls_groups *out, const struct sl_tls_pair *pairs, size_t count)
{
	struct listings listings;
	size_t place;
	*out = (struct sl_tls_groups){ 0 };
	int err = list_names(&listings, pairs, count);
	if (err != 0)
		return err;
	err = intern(out, choose_default(&listings, pairs, count), pairs, &place);
	if (err == 0)
		err = add_names(out, &listings, pairs);
	free(listings.all);
	if (err != 0)
		sl_tls_groups_finish(out);
	return err;
}

void
sl_tls_groups_finish(struct sl_tls_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->groups[i].text);
	free(groups->groups);
	free(groups->names);
	*groups = (struct sl_tls_groups){ 0 };
}

static const struct sl_tls_group_name *
look_up(const struct sl_tls_groups *groups, const char *name)
{
	const struct sl_tls_group_name wanted = { .name = name };
	_Static_assert(offsetof(struct sl_tls_group_name, name) == 0, "it is compared as a name");
	return bsearch(&wanted, groups->names, groups->name_count, sizeof wanted, compare_names);
}

bool
sl_tls_groups_find(const struct sl_tls_groups *groups, const char *name, size_t *group)
{
	char pattern[SL_TLS_NAME_MAX];
	const struct sl_tls_group_name *entry = look_up(groups, name);
	if (!entry && sl_tls_name_widen(name, pattern))
		entry = look_up(groups, pattern);
	if (entry)
		*group = entry->group;
	return entry != NULL;
}

bool
sl_tls_groups_use(const struct sl_tls_groups *groups, size_t place)
{
	for (size_t i = 0; i < groups->count; i++)
		for (size_t j = 0; j < groups->groups[i].count; j++)
			if (groups->groups[i].members[j] == place)
				return true;
	return false;
}
