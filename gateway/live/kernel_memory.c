#include "live/kernel_memory.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "config/config.h"
#include "live/link.h"
#include "live/shard.h"

#define WALK_MS 1000         /* from the start of one to that of the next */
#define PIECE_MS 32          /* between its pieces */
#define LINKS_PER_PIECE 1024 /* asking takes a third of a microsecond */
#define QUIET_MS 8000        /* how often one is asked for which nothing was held or written */
#define ENDS_PER_TURN 128 /* half the links that a turn serves: each frees more than two of these bring */
#define UNASKED_MAX 16384
#define ASKS_PER_TURN 256

static struct sl_link *
link_of(struct sl_scale_node *node)
{
	return (struct sl_link *)((char *)node - offsetof(struct sl_link, kernel.weight));
}

static void
set_bytes(struct sl_link *link, uint64_t bytes)
{
	struct sl_kernel_memory *memory = &link->shard->kernel_memory;
	if (bytes)
		sl_scale_put(&memory->scale, &link->kernel.weight, bytes);
	else
		sl_scale_remove(&memory->scale, &link->kernel.weight);
	sl_metrics_raise_gauge(&link->shard->metrics, SL_GAUGE_KERNEL_MEMORY,
		(int64_t)(bytes - link->kernel.bytes));
	memory->held += bytes - link->kernel.bytes;
	if (bytes < link->kernel.bytes)
		link->kernel.fell_ms = link->shard->loop.now_ms;
	link->kernel.bytes = bytes;
}

void
sl_kernel_memory_ask(struct sl_link *link)
{
	link->kernel.asked_ms = link->shard->loop.now_ms;
	link->kernel.unasked = 0;
	set_bytes(link, sl_socket_get_kernel_bytes(&link->socket));
}

void
sl_kernel_memory_note_write(struct sl_link *link, size_t len)
{
	link->kernel.unasked += len;
	if (link->kernel.unasked >= UNASKED_MAX)
		sl_kernel_memory_ask(link);
}

void
sl_kernel_memory_forget(struct sl_link *link)
{
	struct sl_kernel_memory *memory = &link->shard->kernel_memory;
	if (memory->at == link)
		memory->at = link->next;
	set_bytes(link, 0);
}

/* Whoever is not read may send meanwhile. */
static bool
may_have_changed(const struct sl_link *link, uint64_t now_ms)
{
	const struct sl_kernel_part *part = &link->kernel;
	return part->bytes || link->last_write_ms >= part->asked_ms || !(link->watch.events & EPOLLIN) ||
		now_ms - part->asked_ms >= QUIET_MS;
}

/* One piece of the walk. */
static void
on_timer(struct sl_timer *timer)
{
	struct sl_shard *shard = (struct sl_shard *)
		((char *)timer - offsetof(struct sl_shard, kernel_memory.timer));
	struct sl_kernel_memory *memory = &shard->kernel_memory;
	uint64_t now_ms = shard->loop.now_ms;
	struct sl_link *link = memory->at;
	if (!link) {
		link = shard->links;
		memory->began_ms = now_ms;
	}
	for (unsigned left = LINKS_PER_PIECE; link && left > 0; left--) {
		if (may_have_changed(link, now_ms))
			sl_kernel_memory_ask(link);
		link = link->next;
	}
	memory->at = link;
	sl_timer_set(&shard->loop.timers, timer, link ? now_ms + PIECE_MS : memory->began_ms + WALK_MS);
}

void
sl_kernel_memory_init(struct sl_shard *shard)
{
	struct sl_kernel_memory *memory = &shard->kernel_memory;
	sl_scale_init(&memory->scale);
	sl_timer_init(&memory->timer, on_timer);
	sl_timer_set(&shard->loop.timers, &memory->timer, shard->loop.now_ms + WALK_MS);
}

/* It goes only if it still weighs as much: it may have been read since. */
static bool
end_if_still_heavy(struct sl_link *link)
{
	uint64_t before = link->kernel.bytes;
	sl_kernel_memory_ask(link);
	if (link->kernel.bytes < before && !sl_scale_weighs(&link->kernel.weight, before))
		return false;
	sl_metrics_add(&link->shard->metrics, SL_COUNTER_KERNEL_MEMORY_ENDS, 1);
	if (link->state == SL_LINK_OPEN)
		link->ops->end(link, SL_END_SLOW_CONSUMER);
	sl_link_abort(link); /* bytes that it has taken nothing of for so long wait in vain */
	return true;
}

bool
sl_kernel_memory_limit(struct sl_shard *shard)
{
	struct sl_kernel_memory *memory = &shard->kernel_memory;
	uint64_t limit = shard->config->kernel_memory / shard->count;
	unsigned ends = 0;
	if (!limit)
		return false;
	for (unsigned asks = 0; memory->held > limit && ends < ENDS_PER_TURN; asks++) {
		struct sl_scale_node *node = sl_scale_get_first(&memory->scale);
		if (!node || asks == ASKS_PER_TURN)
			break;
		ends += end_if_still_heavy(link_of(node));
	}
	return memory->held > limit;
}
