#include "util/rota.h"

#include <stddef.h>

void
sl_rota_init(struct sl_rota *rota)
{
	TAILQ_INIT(&rota->groups);
	rota->group_count = 0;
}

void
sl_rota_group_init(struct sl_rota_group *group)
{
	TAILQ_INIT(&group->places);
	group->count = 0;
}

void
sl_rota_join(struct sl_rota *rota, struct sl_rota_group *group, struct sl_rota_place *place)
{
	if (place->group)
		return;
	place->group = group;
	TAILQ_INSERT_TAIL(&group->places, place, entry);
	if (group->count++ > 0)
		return;
	TAILQ_INSERT_TAIL(&rota->groups, group, entry);
	rota->group_count++;
}

void
sl_rota_leave(struct sl_rota *rota, struct sl_rota_place *place)
{
	struct sl_rota_group *group = place->group;
	if (!group)
		return;
	place->group = NULL;
	TAILQ_REMOVE(&group->places, place, entry);
	if (--group->count > 0)
		return;
	TAILQ_REMOVE(&rota->groups, group, entry);
	rota->group_count--;
}

struct sl_rota_place *
sl_rota_get_first(const struct sl_rota *rota)
{
	const struct sl_rota_group *group = TAILQ_FIRST(&rota->groups);
	return group ? TAILQ_FIRST(&group->places) : NULL;
}

void
sl_rota_pass(struct sl_rota *rota)
{
	struct sl_rota_group *group = TAILQ_FIRST(&rota->groups);
	if (!group || !TAILQ_NEXT(group, entry))
		return;
	TAILQ_REMOVE(&rota->groups, group, entry);
	TAILQ_INSERT_TAIL(&rota->groups, group, entry);
}
