/* Rota: who waits for a turn. Each place belongs to a group; the groups take turns, and within a group whoever
 * came first is first. So a group with a thousand places delays another one's only by a turn of each group.
 * Owner: whoever embeds its structs. Thread: one. Errors: none, nothing is allocated. */
#ifndef SL_UTIL_ROTA_H
#define SL_UTIL_ROTA_H

#include <stdbool.h>
#include <sys/queue.h>

struct sl_rota_group;

/* Embed it in whatever waits; zero it before the first use. */
struct sl_rota_place {
	TAILQ_ENTRY(sl_rota_place) entry;
	struct sl_rota_group *group; /* NULL: it does not wait */
};

struct sl_rota_group {
	TAILQ_ENTRY(sl_rota_group) entry; /* while it has places */
	TAILQ_HEAD(, sl_rota_place) places;
	unsigned count; /* of them */
};

struct sl_rota {
	TAILQ_HEAD(, sl_rota_group) groups; /* those with places, the next one first */
	unsigned group_count;
};

void sl_rota_init(struct sl_rota *rota);
void sl_rota_group_init(struct sl_rota_group *group);

/* At the end of its group; where it waits already, it stays. */
void sl_rota_join(struct sl_rota *rota, struct sl_rota_group *group, struct sl_rota_place *place);

/* Also for one that does not wait. */
void sl_rota_leave(struct sl_rota *rota, struct sl_rota_place *place);

/* Whose turn it is, or NULL. */
struct sl_rota_place *sl_rota_get_first(const struct sl_rota *rota);

/* The first group's turn is over: it goes behind the others. */
void sl_rota_pass(struct sl_rota *rota);

static inline bool
sl_rota_is_empty(const struct sl_rota *rota)
{
	return rota->group_count == 0;
}

#endif
