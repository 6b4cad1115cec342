#include "util/scale.h"

#include <assert.h>

#define WORDS (sizeof((struct sl_scale *)0)->used / sizeof *((struct sl_scale *)0)->used)

void
sl_scale_init(struct sl_scale *scale)
{
	*scale = (struct sl_scale){ 0 };
	for (size_t i = 0; i < SL_SCALE_LINES; i++)
		TAILQ_INIT(&scale->lines[i]);
}

/* The five highest binary digits of the weight, behind the number of those left out. */
static unsigned
find_line(uint64_t weight)
{
	unsigned left_out = weight < 32 ? 0 : 59u - (unsigned)__builtin_clzll(weight);
	return 16u * left_out + (unsigned)(weight >> left_out);
}

static void
move(struct sl_scale *scale, struct sl_scale_node *node, unsigned line)
{
	sl_scale_remove(scale, node);
	node->line = line;
	TAILQ_INSERT_TAIL(&scale->lines[line], node, entry);
	scale->used[line / 64] |= UINT64_C(1) << line % 64;
}

void
sl_scale_put(struct sl_scale *scale, struct sl_scale_node *node, uint64_t weight)
{
	unsigned line = find_line(weight);
	assert(weight != 0);
	if (node->line != line)
		move(scale, node, line);
}

void
sl_scale_raise(struct sl_scale *scale, struct sl_scale_node *node, uint64_t weight)
{
	unsigned line = find_line(weight);
	assert(weight != 0);
	if (node->line < line)
		move(scale, node, line);
}

void
sl_scale_remove(struct sl_scale *scale, struct sl_scale_node *node)
{
	unsigned line = node->line;
	if (!line)
		return;
	TAILQ_REMOVE(&scale->lines[line], node, entry);
	if (TAILQ_EMPTY(&scale->lines[line]))
		scale->used[line / 64] &= ~(UINT64_C(1) << line % 64);
	node->line = 0;
}

struct sl_scale_node *
sl_scale_get_first(const struct sl_scale *scale)
{
	for (size_t i = WORDS; i-- > 0;)
		if (scale->used[i])
			return TAILQ_FIRST(&scale->lines[64 * i + 63u - (unsigned)__builtin_clzll(scale->used[i])]);
	return NULL;
}

bool
sl_scale_weighs(const struct sl_scale_node *node, uint64_t weight)
{
	return node->line == find_line(weight);
}
