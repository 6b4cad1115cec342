#include <assert.h>

#include "auth/principal_state.h"
#include "util/clock.h"
#include "util/metrics.h"

#define SECOND_MS 1000
#define SECOND_US 1000000
/* The wall clock may be set at any time: a timer looks at it as often as this. */
#define LOOK_MS 60000

/* ---- the line ---- */

static void
count_ending(struct sl_principals *principals, int64_t by)
{
	sl_metrics_raise_gauge(principals->metrics, SL_GAUGE_PRINCIPALS_ENDING, by);
}

static void
leave_line(struct sl_principals *principals, struct sl_principal *principal)
{
	TAILQ_REMOVE(&principals->line, principal, entry);
	principal->is_in_line = false;
}

/* The holders stay with it: to join the line costs the same for one holder as for thousands. */
void
sl_principal_send_away(struct sl_principal *principal, enum sl_leave leave)
{
	struct sl_principals *principals = principal->owner;
	if (principal->leave != SL_LEAVE_REVOKED)
		principal->leave = leave;
	sl_timer_cancel(principals->timers, &principal->expiry);
	if (principal->is_in_line || principal->holder_count == 0)
		return;
	TAILQ_INSERT_TAIL(&principals->line, principal, entry);
	principal->is_in_line = true;
	count_ending(principals, (int64_t)principal->holder_count);
}

static void
take_holder(struct sl_principals *principals, struct sl_holder *holder)
{
	struct sl_principal *principal = holder->principal;
	TAILQ_REMOVE(&principal->holders, holder, entry);
	principal->holder_count--;
	if (principal->is_in_line)
		count_ending(principals, -1);
	if (principal->holder_count > 0)
		return;
	if (principal->is_in_line)
		leave_line(principals, principal);
	sl_timer_cancel(principals->timers, &principal->expiry);
}

bool
sl_principals_work(struct sl_principals *principals)
{
	for (unsigned i = 0; i < SL_ENDS_A_TURN && !TAILQ_EMPTY(&principals->line); i++) {
		struct sl_principal *principal = TAILQ_FIRST(&principals->line);
		struct sl_holder *holder = TAILQ_FIRST(&principal->holders);
		holder->leave = principal->leave;
		take_holder(principals, holder);
		principals->end(holder, (enum sl_leave)holder->leave);
	}
	return !TAILQ_EMPTY(&principals->line);
}

size_t
sl_principals_revoke(struct sl_principals *principals, struct sl_span subject, int64_t until_s)
{
	struct sl_known_subject *known;
	size_t ending = 0;
	HASH_FIND(hh, principals->subjects, subject.bytes, subject.len, known);
	if (!known)
		return 0;
	for (struct sl_principal *principal = LIST_FIRST(&known->principals); principal;
			principal = LIST_NEXT(principal, of_subject)) {
		if (principal->claims.issued_s > until_s)
			continue;
		ending += principal->is_in_line ? 0 : principal->holder_count;
		sl_principal_send_away(principal, SL_LEAVE_REVOKED);
	}
	return ending;
}

/* ---- expiry ---- */

static void
set_timer(struct sl_principals *principals, struct sl_principal *principal, uint64_t now_ms,
	int64_t left_s)
{
	uint64_t wait_ms = left_s < LOOK_MS / SECOND_MS ? (uint64_t)left_s * SECOND_MS : LOOK_MS;
	sl_timer_set(principals->timers, &principal->expiry, now_ms + wait_ms);
}

static void
watch_expiry(struct sl_principals *principals, struct sl_principal *principal, uint64_t now_ms,
	int64_t now_s)
{
	int64_t end_s = principal->claims.expires_s;
	if (now_s >= end_s)
		sl_principal_send_away(principal, SL_LEAVE_EXPIRED);
	else if (end_s != SL_NEVER_S)
		set_timer(principals, principal, now_ms, end_s - now_s);
}

void
sl_principal_on_expiry(struct sl_timer *timer)
{
	struct sl_principal *principal = (struct sl_principal *)
		((char *)timer - offsetof(struct sl_principal, expiry));
	watch_expiry(principal->owner, principal, sl_clock_monotonic_ms(),
		sl_clock_wall_us() / SECOND_US);
}

/* ---- holders ---- */

void
sl_holder_join(struct sl_principals *principals, struct sl_holder *holder,
	struct sl_principal *principal, uint64_t now_ms, int64_t now_s)
{
	assert(!holder->principal);
	*holder = (struct sl_holder){ .principal = sl_principal_ref(principal) };
	if (!principal->owner)
		return;
	TAILQ_INSERT_TAIL(&principal->holders, holder, entry);
	principal->holder_count++;
	if (principal->is_in_line)
		count_ending(principals, 1);
	else if (principal->leave != SL_LEAVE_NONE) /* it was sent away since it was identified */
		sl_principal_send_away(principal, (enum sl_leave)principal->leave);
	else if (!sl_timer_is_set(&principal->expiry))
		watch_expiry(principals, principal, now_ms, now_s);
}

void
sl_holder_leave(struct sl_principals *principals, struct sl_holder *holder)
{
	struct sl_principal *principal = holder->principal;
	if (!principal)
		return;
	if (principal->owner && holder->leave == SL_LEAVE_NONE)
		take_holder(principals, holder);
	*holder = (struct sl_holder){ 0 };
	sl_principal_unref(principal);
}
