/* Faults of time: what passes passes later, or slowly. */
#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

#define US 1000u
#define TICKS_PER_SECOND 20 /* a bandwidth is spent in so many pieces a second */
#define LOOK_AGAIN_MS 50

static enum ob_verdict
wait_at_first(struct ob_active *active)
{
	ob_active_count(active);
	ob_active_set_timer(active, active->fault->values[0].number);
	return OB_WAIT;
}

/* Connections older than this one that have begun or wait before it. */
static uint64_t
count_before(const struct ob_connection *conn)
{
	uint64_t count = 0;
	for (const struct ob_connection *other = conn->proxy->first; other != conn;
		other = other->next)
		count += other->stage < OB_STAGE_ENDING;
	return count;
}

static enum ob_verdict
wait_for_place(struct ob_active *active)
{
	if (count_before(active->conn) < active->fault->values[0].number)
		return OB_GO;
	ob_active_count(active);
	ob_active_set_timer(active, LOOK_AGAIN_MS);
	return OB_WAIT;
}

static void
look_for_place(struct ob_active *active)
{
	if (wait_for_place(active) == OB_GO)
		ob_active_resume(active);
}

static uint64_t
add_delay(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	ob_active_count(active);
	return due_ms + active->fault->values[0].number;
}

static uint64_t
add_delay_up(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	return way == OB_UP ? add_delay(active, way, len, due_ms) : due_ms;
}

static uint64_t
add_delay_down(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	return way == OB_DOWN ? add_delay(active, way, len, due_ms) : due_ms;
}

/* A packet lost in TCP: everything behind it waits for the one sent again. */
static uint64_t
lose(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	if (!ob_proxy_draw(active->conn->proxy, (uint32_t)active->fault->values[0].number))
		return due_ms;
	ob_active_count(active);
	return due_ms + active->fault->values[1].number;
}

static size_t
bandwidth_grain(const struct ob_active *active)
{
	uint64_t rate = active->fault->values[0].number;
	return rate > TICKS_PER_SECOND ? rate / TICKS_PER_SECOND : 1;
}

/* The way is taken until the bytes before are through. */
static uint64_t
queue_behind(struct ob_active *active, enum ob_way way, uint64_t due_ms, uint64_t takes_us)
{
	uint64_t *free_us = &active->mark_us[way];
	if (*free_us < due_ms * US)
		*free_us = due_ms * US;
	*free_us += takes_us;
	return *free_us / US;
}

static uint64_t
spend_bandwidth(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	ob_active_count(active);
	return queue_behind(active, way, due_ms, len * US * US / active->fault->values[0].number);
}

static size_t
drip_grain(const struct ob_active *active)
{
	return active->fault->values[0].number;
}

static uint64_t
drip(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	if (way == OB_UP)
		return due_ms;
	ob_active_count(active);
	return queue_behind(active, way, due_ms, active->fault->values[1].number * US);
}

/* Flows for the first value, stands still for the second, and so on. */
static uint64_t
stall(struct ob_active *active, enum ob_way way, size_t len, uint64_t due_ms)
{
	uint64_t flow_ms = active->fault->values[0].number;
	uint64_t period_ms = flow_ms + active->fault->values[1].number;
	uint64_t phase_ms = (due_ms - active->conn->opened_ms) % period_ms;
	if (phase_ms < flow_ms)
		return due_ms;
	ob_active_count(active);
	return due_ms + period_ms - phase_ms;
}

const struct ob_fault_type ob_faults_pace[] = {
	{
		.name = "connect-delay", .values = { { OB_TIME, "5s" } }, .on_open = wait_at_first,
		.on_timer = ob_active_resume,
		.sentence = "Accepts a new connection and reads nothing from it for the time.",
		.product = "none measured; overloaded proxies, proxies that resolve names slowly",
	},
	{
		.name = "max-connections", .values = { { OB_COUNT, "2" } }, .on_open = wait_for_place,
		.on_timer = look_for_place,
		.sentence = "Lets connections above this number wait in silence for a place.",
		.product = "none measured; proxies with a limit per host",
	},
	{
		.name = "delay", .values = { { OB_TIME, "200ms" } }, .on_schedule = add_delay,
		.sentence = "Delays every byte, in each direction.",
		.product = "satellite links, VPNs",
	},
	{
		.name = "delay-up", .values = { { OB_TIME, "200ms" } }, .on_schedule = add_delay_up,
		.sentence = "Delays every byte to the origin.",
		.product = "saturated uplinks",
	},
	{
		.name = "delay-down", .values = { { OB_TIME, "200ms" } }, .on_schedule = add_delay_down,
		.sentence = "Delays every byte to the client.",
		.product = "saturated downlinks",
	},
	{
		.name = "loss", .values = { { OB_SHARE, "0.05" }, { OB_TIME, "200ms" } },
		.on_schedule = lose,
		.sentence = "Stalls this share of the writes for the time, and all bytes behind "
			"them, in each direction.",
		.product = "packet loss as TCP shows it: a retransmission timeout",
	},
	{
		.name = "bandwidth", .values = { { OB_SIZE, "8K" } }, .grain = bandwidth_grain,
		.on_schedule = spend_bandwidth,
		.sentence = "Lets this many bytes per second pass, in each direction.",
		.product = "tethering, traffic shapers",
	},
	{
		.name = "drip", .values = { { OB_SIZE, "16" }, { OB_TIME, "100ms" } }, .grain = drip_grain,
		.on_schedule = drip,
		.sentence = "Forwards responses in drips of this many bytes, with the time between "
			"two drips.",
		.product = "none measured; virus scanners that keep a download alive",
	},
	{
		.name = "stall", .values = { { OB_TIME, "5s" }, { OB_TIME, "5s" } }, .on_schedule = stall,
		.sentence = "Lets everything pass for the first time, stops for the second time, "
			"then forwards a burst.",
		.product = "none measured; mobile handovers",
	},
	{ 0 },
};
