#include "live/share.h"

#include <stdlib.h>
#include <string.h>

#include "core/socket.h"
#include "util/err.h"
#include "util/metrics.h"
#include "util/table.h"

struct sl_share {
	struct sl_shares *shares;
	struct sl_rota_group line;       /* its links that wait */
	struct sl_rota_group handshakes; /* the same, for a step of a handshake */
	uint64_t id;
	uint64_t turn;  /* the last one in which it had a step */
	unsigned taken; /* in `turn` */
	unsigned answered; /* the same, for bytes that it was answered with */
	unsigned links;
	bool has_key;
	uint8_t key[16];
	UT_hash_handle by_key;
};

/* ---- life ---- */

void
sl_shares_init(struct sl_shares *shares, struct sl_metrics *metrics,
	void (*go_on)(struct sl_steps *steps))
{
	*shares = (struct sl_shares){ .metrics = metrics, .go_on = go_on, .turn = 2 };
	sl_rota_init(&shares->line);
}

static struct sl_share *
create(struct sl_shares *shares, const uint8_t *key)
{
	struct sl_share *share = calloc(1, sizeof *share);
	if (!share)
		return NULL;
	share->shares = shares;
	share->id = ++shares->next_id;
	sl_rota_group_init(&share->line);
	sl_rota_group_init(&share->handshakes);
	if (!key)
		return share;
	share->has_key = true;
	memcpy(share->key, key, sizeof share->key);
	HASH_ADD(by_key, shares->by_key, key, sizeof share->key, share);
	if (sl_table_holds(share, by_key))
		return share;
	free(share);
	return NULL;
}

static struct sl_share *
find(struct sl_shares *shares, const struct sl_address *address)
{
	uint8_t key[16];
	struct sl_share *share = NULL;
	if (!address || !sl_address_get_owner(address, key))
		return create(shares, NULL);
	HASH_FIND(by_key, shares->by_key, key, sizeof key, share);
	return share ? share : create(shares, key);
}

static void
let_go(struct sl_share *share)
{
	if (--share->links > 0)
		return;
	if (share->has_key)
		HASH_DELETE(by_key, share->shares->by_key, share);
	free(share);
}

int
sl_share_join(struct sl_shares *shares, struct sl_steps *steps, const struct sl_address *address)
{
	struct sl_share *share = find(shares, address);
	if (!share)
		return SL_ENOMEM;
	share->links++;
	steps->share = share;
	return 0;
}

void
sl_share_leave(struct sl_steps *steps)
{
	if (!steps->share)
		return;
	sl_share_cancel_wait(steps);
	let_go(steps->share);
	steps->share = NULL;
}

void
sl_share_move(struct sl_steps *steps, const struct sl_address *address)
{
	struct sl_share *share = find(steps->share->shares, address);
	if (!share)
		return;
	bool waits = sl_share_is_waiting(steps);
	share->links++;
	sl_share_leave(steps);
	steps->share = share;
	if (waits)
		sl_share_wait(steps);
}

struct sl_rota_group *
sl_share_get_handshakes(const struct sl_steps *steps)
{
	return &steps->share->handshakes;
}

/* ---- steps ---- */

static unsigned
subtract(unsigned from, unsigned what)
{
	return from > what ? from - what : 0;
}

/* Another one waits, or was served in this turn or the last. */
static bool
has_others(const struct sl_share *share)
{
	const struct sl_shares *shares = share->shares;
	return shares->shared_turn + 1 >= shares->turn ||
		shares->line.group_count > (share->line.count > 0);
}

/* Those of its links that waited come first: who comes with an event leaves them what they may take. */
static unsigned
count_room(const struct sl_steps *steps)
{
	const struct sl_share *share = steps->share;
	const struct sl_shares *shares = share->shares;
	unsigned room = subtract(SL_STEPS_OF_SHARE, share->turn == shares->turn ?
		share->taken + share->answered : 0);
	bool has_waited = shares->serving == steps || steps->served_turn == shares->turn;
	return has_waited ? room : subtract(room, share->line.count * SL_STEPS_OF_LINK);
}

unsigned
sl_share_count_left(const struct sl_steps *steps)
{
	uint64_t turn = steps->share->shares->turn;
	unsigned left = SL_STEPS_OF_LINK;
	if (sl_share_is_waiting(steps))
		return 0;
	if (steps->turn == turn)
		left -= steps->taken;
	if (left == 0 || !has_others(steps->share))
		return left;
	unsigned room = count_room(steps);
	return left < room ? left : room;
}

static void
note_share(struct sl_shares *shares, const struct sl_share *share)
{
	if (share->id != shares->last_id && shares->last_turn + 1 >= shares->turn)
		shares->shared_turn = shares->turn;
	shares->last_id = share->id;
	shares->last_turn = shares->turn;
}

static void
begin_turn(struct sl_share *share)
{
	if (share->turn != share->shares->turn)
		share->taken = share->answered = 0;
	share->turn = share->shares->turn;
}

static void
take(struct sl_steps *steps, unsigned count)
{
	struct sl_share *share = steps->share;
	struct sl_shares *shares = share->shares;
	if (steps->turn != shares->turn)
		steps->taken = steps->paid = 0;
	begin_turn(share);
	steps->turn = shares->turn;
	steps->taken = (uint8_t)(steps->taken + count);
	share->taken += count;
	shares->steps += count;
	note_share(shares, share);
	sl_metrics_note_longest(shares->metrics, SL_GAUGE_TURN_STEPS, steps->taken);
	/* One that is alone has no limit, and nobody whom that would harm. */
	if (has_others(share))
		sl_metrics_note_longest(shares->metrics, SL_GAUGE_TURN_ADDRESS_STEPS, share->taken);
}

void
sl_share_take_read(struct sl_steps *steps, unsigned count)
{
	take(steps, count);
	steps->paid = (uint8_t)count;
}

void
sl_share_take_answer(struct sl_steps *steps, uint64_t bytes)
{
	begin_turn(steps->share);
	steps->share->answered += (unsigned)(bytes / SL_STEP_BYTES);
}

static bool
is_paid(const struct sl_steps *steps)
{
	return steps->paid && steps->turn == steps->share->shares->turn;
}

bool
sl_share_may_serve(const struct sl_steps *steps)
{
	return !sl_share_is_waiting(steps) && (is_paid(steps) || sl_share_count_left(steps) > 0);
}

void
sl_share_take_served(struct sl_steps *steps)
{
	if (is_paid(steps))
		steps->paid--;
	else
		take(steps, 1);
}

/* ---- the line ---- */

void
sl_share_wait(struct sl_steps *steps)
{
	struct sl_share *share = steps->share;
	if (sl_share_is_waiting(steps))
		return;
	sl_rota_join(&share->shares->line, &share->line, &steps->place);
	sl_metrics_add(share->shares->metrics, SL_COUNTER_STEPS_DEFERRED, 1);
	sl_metrics_raise_gauge(share->shares->metrics, SL_GAUGE_LINKS_WAITING, 1);
}

void
sl_share_cancel_wait(struct sl_steps *steps)
{
	if (!sl_share_is_waiting(steps))
		return;
	sl_rota_leave(&steps->share->shares->line, &steps->place);
	sl_metrics_raise_gauge(steps->share->shares->metrics, SL_GAUGE_LINKS_WAITING, -1);
}

bool
sl_share_is_waiting_alone(const struct sl_steps *steps)
{
	return sl_share_is_waiting(steps) && steps->share->line.count == 1 &&
		steps->share->shares->line.group_count == 1;
}

static bool
has_turn(struct sl_shares *shares, const struct sl_steps *steps)
{
	bool has_had_it = steps->turn == shares->turn && steps->taken >= SL_STEPS_OF_LINK;
	shares->serving = steps;
	return !has_had_it && (!has_others(steps->share) || count_room(steps) > 0);
}

/* Until the line has had its steps, or whoever is first of each share has had those of this turn. */
void
sl_shares_take_turns(struct sl_shares *shares)
{
	unsigned given = 0, passed = 0;
	while (given < SL_STEPS_OF_LINE && passed < shares->line.group_count) {
		struct sl_steps *steps = (struct sl_steps *)sl_rota_get_first(&shares->line);
		unsigned before = shares->steps;
		sl_rota_pass(&shares->line);
		if (!has_turn(shares, steps)) {
			passed++;
			continue;
		}
		passed = 0;
		sl_share_cancel_wait(steps);
		steps->served_turn = shares->turn;
		shares->go_on(steps);
		given += shares->steps > before ? shares->steps - before : 1;
	}
	shares->serving = NULL;
}

bool
sl_shares_end_turn(struct sl_shares *shares)
{
	shares->turn++;
	shares->steps = 0;
	return !sl_rota_is_empty(&shares->line);
}
