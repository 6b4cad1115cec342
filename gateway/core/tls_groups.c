#include "core/tls_groups.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/tls_pair.h"
#include "util/buffer.h"
#include "util/err.h"

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct sl_tls_group_name *)a)->name,
		((const struct sl_tls_group_name *)b)->name);
}

static bool
has_kind(const struct sl_tls_group *group, const struct sl_tls_pair *pairs, const char *kind)
{
	for (size_t i = 0; i < group->count; i++)
		if (strcmp(pairs[group->members[i]].kind, kind) == 0)
			return true;
	return false;
}

/* Those that a name gets: that a certificate lists the name itself counts more than a wildcard. */
static struct sl_tls_group
choose(const struct sl_tls_pair *pairs, size_t count, const char *name)
{
	struct sl_tls_group group = { .count = 0 };
	for (size_t i = 0; i < 2 * count && group.count < SL_TLS_KINDS_MAX; i++) {
		const struct sl_tls_pair *pair = &pairs[i % count];
		bool covers = i < count ? sl_tls_names_list(&pair->names, name) :
			sl_tls_names_cover(&pair->names, name);
		if (covers && !has_kind(&group, pairs, pair->kind))
			group.members[group.count++] = i % count;
	}
	return group;
}

static char *
join_names(const struct sl_tls_group *group, const struct sl_tls_pair *pairs)
{
	struct sl_buffer text = SL_BUFFER_INIT;
	struct sl_tls_group_name *names;
	size_t count = 0, room = 1;
	for (size_t i = 0; i < group->count; i++)
		room += pairs[group->members[i]].names.count;
	names = calloc(room, sizeof *names);
	if (!names)
		return NULL;
	for (size_t i = 0; i < group->count; i++) {
		const struct sl_tls_names *own = &pairs[group->members[i]].names;
		for (size_t j = 0; j < own->count; j++)
			names[count++].name = own->names[j];
	}
	qsort(names, count, sizeof *names, compare_names);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i].name, names[i - 1].name) != 0) {
			sl_buffer_append_str(&text, names[i].name);
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

static bool
is_listed(const struct sl_tls_groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->name_count; i++)
		if (strcmp(groups->names[i].name, name) == 0)
			return true;
	return false;
}

static int
add_names(struct sl_tls_groups *groups, const struct sl_tls_pair *pairs, size_t count,
	const struct sl_tls_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->names[i];
		if (is_listed(groups, name))
			continue;
		struct sl_tls_group_name *entry = &groups->names[groups->name_count];
		int err = intern(groups, choose(pairs, count, name), pairs, &entry->group);
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
	size_t room = 1, place;
	int err = 0;
	*out = (struct sl_tls_groups){ 0 };
	for (size_t i = 0; i < count; i++)
		room += pairs[i].names.count;
	out->names = calloc(room, sizeof *out->names);
	if (!out->names)
		return SL_ENOMEM;
	if (pairs[0].names.count == 0) /* it is the default nevertheless */
		err = intern(out, (struct sl_tls_group){ .members = { 0 }, .count = 1 }, pairs, &place);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_names(out, pairs, count, &pairs[i].names);
	if (err != 0)
		sl_tls_groups_finish(out);
	else
		qsort(out->names, out->name_count, sizeof *out->names, compare_names);
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
