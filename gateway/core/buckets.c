#include "core/owner_state.h"

#define DEBT_MAX_S UINT64_C(3600) /* what one amount may cost at most */

unsigned
sl_limit_burst_s(enum sl_limit limit)
{
	static const unsigned seconds[SL_LIMIT_COUNT] = {
		[SL_LIMIT_REQUESTS] = 4,
		[SL_LIMIT_PUBLISHES] = 2,
		[SL_LIMIT_PUBLISHED_BYTES] = 4,
		[SL_LIMIT_DELIVERIES] = 1,
		[SL_LIMIT_SUBSCRIBES] = 4,
		[SL_LIMIT_HISTORY_BYTES] = 2,
		[SL_LIMIT_TOKEN_FAILURES] = 5,
	};
	return seconds[limit];
}

bool
sl_buckets_are_untouched(const struct sl_owner *owner)
{
	for (int i = 0; i < SL_LIMIT_COUNT; i++)
		if (sl_owner_load(&owner->full_ns[i]) != 0)
			return false;
	return true;
}

bool
sl_buckets_are_full(const struct sl_owner *owner, uint64_t now_ns)
{
	for (int i = 0; i < SL_LIMIT_COUNT; i++)
		if (sl_owner_load(&owner->full_ns[i]) > now_ns)
			return false;
	return true;
}

/* What the owner earns a second; 0: it has no such limit. */
static uint64_t
get_rate(const struct sl_owner *owner, enum sl_limit limit)
{
	uint64_t rate = owner ? sl_owner_load(&owner->owners->rates[limit]) : 0;
	uint64_t raised;
	if (rate == 0)
		return 0;
	uint32_t factor = atomic_load_explicit(&owner->factor, memory_order_relaxed);
	bool is_too_much = __builtin_mul_overflow(rate, factor, &raised) || raised > UINT64_MAX / SL_NS_PER_S;
	return is_too_much ? 0 : raised;
}

/* How long earning `amount` takes, rounded up: a limit is never exceeded by rounding. */
static uint64_t
get_cost_ns(uint64_t amount, uint64_t rate)
{
	uint64_t seconds = amount / rate;
	if (seconds >= DEBT_MAX_S)
		return DEBT_MAX_S * SL_NS_PER_S;
	return seconds * SL_NS_PER_S + (amount % rate * SL_NS_PER_S + rate - 1) / rate;
}

/* It pays from the moment in which it is not empty. */
static uint64_t
get_wait_ms(enum sl_limit limit, uint64_t full_ns, uint64_t now_ns)
{
	uint64_t empty_until_ns = now_ns + sl_limit_burst_s(limit) * SL_NS_PER_S;
	return full_ns < empty_until_ns ? 0 : (full_ns - empty_until_ns) / SL_NS_PER_MS + 1;
}

/* Shards read their clocks at different times: one that is behind earns nothing, and loses nothing. */
static uint64_t
charge(struct sl_owner *owner, enum sl_limit limit, uint64_t amount, uint64_t now_ms, bool is_forced)
{
	uint64_t rate = get_rate(owner, limit);
	if (rate == 0 || amount == 0)
		return rate == 0 || is_forced ? 0 : sl_owner_get_wait(owner, limit, now_ms);
	_Atomic uint64_t *full_ns = &owner->full_ns[limit];
	uint64_t now_ns = now_ms * SL_NS_PER_MS, cost_ns = get_cost_ns(amount, rate);
	uint64_t before = sl_owner_load(full_ns), after;
	do {
		uint64_t wait_ms = is_forced ? 0 : get_wait_ms(limit, before, now_ns);
		if (wait_ms)
			return wait_ms;
		after = (before > now_ns ? before : now_ns) + cost_ns;
	} while (!atomic_compare_exchange_weak_explicit(full_ns, &before, after, memory_order_relaxed,
		memory_order_relaxed));
	return 0;
}

uint64_t
sl_owner_take(struct sl_owner *owner, enum sl_limit limit, uint64_t amount, uint64_t now_ms)
{
	return charge(owner, limit, amount, now_ms, false);
}

void
sl_owner_spend(struct sl_owner *owner, enum sl_limit limit, uint64_t amount, uint64_t now_ms)
{
	charge(owner, limit, amount, now_ms, true);
}

void
sl_owner_refund(struct sl_owner *owner, enum sl_limit limit, uint64_t amount)
{
	uint64_t rate = get_rate(owner, limit);
	if (rate == 0 || amount == 0)
		return;
	_Atomic uint64_t *full_ns = &owner->full_ns[limit];
	uint64_t cost_ns = get_cost_ns(amount, rate), before = sl_owner_load(full_ns), after;
	do {
		after = before > cost_ns ? before - cost_ns : 0;
	} while (!atomic_compare_exchange_weak_explicit(full_ns, &before, after, memory_order_relaxed,
		memory_order_relaxed));
}

uint64_t
sl_owner_get_wait(const struct sl_owner *owner, enum sl_limit limit, uint64_t now_ms)
{
	if (get_rate(owner, limit) == 0)
		return 0;
	return get_wait_ms(limit, sl_owner_load(&owner->full_ns[limit]), now_ms * SL_NS_PER_MS);
}
