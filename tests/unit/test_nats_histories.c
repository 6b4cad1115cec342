/* Random histories of a log with three nodes, read by the resync as a gateway does, against what a model of
 * the log knows: nothing is delivered twice or out of order, nothing under a number that another message has in
 * the same epoch, and nothing is left out unless it is gone from the log. */
#include "bus/nats_resync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/draw.h"
#include "tests/unit/unit.h"

#define LOG_MAX 4000
#define NODES 3
#define STEP_MS 100
#define HOUR_NS INT64_C(3600000000000)

/* What every node has or will have: the log as its leader keeps it. `times` names a message. */
struct log {
	int64_t created_ns;
	uint64_t generation, first, last;
	int64_t times[LOG_MAX];
};

/* How far a node has got. */
struct node {
	uint64_t first, last;
	uint64_t hole_from, hole_to; /* what it lacks though it should not */
	bool is_stopped; /* takes nothing, sends nothing */
	bool is_behind;  /* takes nothing */
};

struct consumer {
	bool exists;
	unsigned node;
	uint64_t next, dseq;
	uint64_t beat_ms;
};

struct world {
	uint64_t seed, now_ms, told_ms;
	int64_t clock_ns; /* of the leader */
	struct log log, copy;
	struct node nodes[NODES];
	struct consumer consumer;
	struct sl_nats_resync resync;
	struct sl_nats_stream_state answer; /* of the stream, on its way */
	unsigned answer_in;                 /* steps; 0: nothing was asked */
	bool is_quiet;    /* nothing goes wrong any more */
	bool is_steady;   /* there is a publisher that never rests */
	int64_t seen[LOG_MAX]; /* what was delivered under this epoch */
	uint64_t head, floor;
	unsigned delivered, lost, resets; /* in all */
};

/* Under one epoch no number ever has two messages that somebody was shown. */
static void
note_delivered(struct world *world, uint64_t seq, int64_t time_ns)
{
	CU_ASSERT_FATAL(seq > world->head && seq < LOG_MAX);
	world->head = seq;
	world->seen[seq] = time_ns;
	world->delivered++;
}

/* Nothing is told as lost that could still be had, but of a log that has just been rolled back. */
static void
note_lost(struct world *world, uint64_t through)
{
	CU_ASSERT_FATAL(through > world->head && through < LOG_MAX);
	CU_ASSERT(through < world->log.first || through > world->log.last);
	world->head = world->floor = through;
	world->lost++;
}

/* ---- the log ---- */

static void
append(struct world *world, unsigned count)
{
	for (unsigned i = 0; i < count && world->log.last + 1 < LOG_MAX; i++) {
		world->clock_ns += 1000 + draw(&world->seed, 1000000);
		if (draw(&world->seed, 400) == 0)
			world->clock_ns += draw(&world->seed, 2) ? HOUR_NS : -HOUR_NS;
		world->log.times[++world->log.last] = world->clock_ns;
	}
}

static void
replicate(struct world *world)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct node *node = &world->nodes[i];
		if (node->is_stopped || (node->is_behind && !world->is_quiet))
			continue;
		node->first = world->log.first;
		node->last = world->log.last;
	}
}

/* All consumers are gone, and every node has what the leader has: a restart. */
static void
restart(struct world *world)
{
	world->consumer.exists = false;
	for (unsigned i = 0; i < NODES; i++)
		world->nodes[i] = (struct node){ .first = world->log.first, .last = world->log.last };
}

/* What another gateway would have done as well. */
static void
make_again(struct world *world)
{
	static int64_t created_ns = 1790000000000000000;
	world->log = (struct log){ .created_ns = ++created_ns, .first = 1 };
	world->copy = world->log;
	restart(world);
}

/* ---- the consumer ---- */

/* A start behind the node's end is set back to it. */
static void
open_consumer(struct world *world)
{
	unsigned node = (world->consumer.node + 1 + draw(&world->seed, NODES - 1)) % NODES;
	if (world->nodes[node].is_stopped && !world->is_quiet)
		return; /* nobody answers */
	uint64_t start = sl_nats_resync_get_start(&world->resync);
	if (start > world->nodes[node].last + 1)
		start = world->nodes[node].last + 1;
	if (start < world->nodes[node].first)
		start = world->nodes[node].first;
	sl_nats_resync_open(&world->resync, world->now_ms);
	sl_nats_resync_confirm_open(&world->resync, world->now_ms);
	world->consumer = (struct consumer){ .exists = true, .node = node, .next = start,
		.beat_ms = world->now_ms };
}

static void
send_one(struct world *world)
{
	struct consumer *consumer = &world->consumer;
	struct node *node = &world->nodes[consumer->node];
	if (consumer->next < node->first)
		consumer->next = node->first;
	if (consumer->next >= node->hole_from && consumer->next < node->hole_to)
		consumer->next = node->hole_to;
	if (consumer->next > node->last)
		return;
	struct sl_nats_reply message = { .sseq = consumer->next, .dseq = ++consumer->dseq,
		.time_ns = world->log.times[consumer->next] };
	consumer->next++;
	if (!world->is_quiet && draw(&world->seed, 300) == 0)
		return; /* dropped on the way */
	uint64_t lost;
	bool is_next = sl_nats_resync_see(&world->resync, &message, world->now_ms, &lost);
	if (lost)
		note_lost(world, lost);
	if (is_next)
		note_delivered(world, message.sseq, message.time_ns);
}

static void
send_some(struct world *world)
{
	struct consumer *consumer = &world->consumer;
	struct node *node = &world->nodes[consumer->node];
	if (!consumer->exists || node->is_stopped)
		return;
	for (unsigned left = 40; left > 0 && consumer->next <= node->last; left--)
		send_one(world);
	if (consumer->next > node->last && world->now_ms - consumer->beat_ms >= 500) {
		uint64_t lost;
		consumer->beat_ms = world->now_ms;
		sl_nats_resync_hear(&world->resync, consumer->dseq, world->now_ms, &lost);
		if (lost)
			note_lost(world, lost);
	}
}

/* ---- the gateway ---- */

static struct sl_nats_stream_state
state_of(const struct world *world)
{
	return (struct sl_nats_stream_state){ .created_ns = world->log.created_ns,
		.generation = world->log.generation, .first = world->log.first, .last = world->log.last,
		.has_leader = true };
}

static void
begin(struct world *world)
{
	struct sl_nats_stream_state state = state_of(world);
	memset(world->seen, 0, sizeof world->seen);
	world->head = world->floor = 0;
	world->answer_in = 0;
	world->resets++;
	uint64_t floor = sl_nats_resync_begin(&world->resync, &state);
	if (floor)
		note_lost(world, floor);
}

static void
take_turn(struct world *world)
{
	enum sl_nats_verdict verdict = sl_nats_resync_look(&world->resync, world->now_ms);
	if (verdict == SL_NATS_ROLLED_BACK)
		world->log.generation = world->resync.log.generation + 1;
	if (verdict != SL_NATS_SAME)
		begin(world);
	if (sl_nats_resync_must_create(&world->resync))
		open_consumer(world);
	bool is_due = world->now_ms - world->told_ms >= 1000 ||
		sl_nats_resync_wants_state(&world->resync);
	if (world->answer_in > 0 && --world->answer_in == 0) {
		uint64_t purged;
		sl_nats_resync_tell(&world->resync, &world->answer, world->now_ms, &purged);
		CU_ASSERT(purged <= world->head);
	} else if (world->answer_in == 0 && is_due) {
		world->told_ms = world->now_ms;
		world->answer_in = 1 + draw(&world->seed, 3);
		world->answer = state_of(world);
		world->answer.has_leader = world->is_quiet || draw(&world->seed, 4) > 0;
	}
}

/* ---- what goes wrong ---- */

static bool
has_hole(const struct world *world)
{
	for (unsigned i = 0; i < NODES; i++)
		if (world->nodes[i].hole_to)
			return true;
	return false;
}

static void
go_wrong(struct world *world)
{
	struct node *node = &world->nodes[draw(&world->seed, NODES)];
	switch (draw(&world->seed, 90)) {
	case 0: node->is_stopped = !node->is_stopped; break;
	case 1: node->is_behind = !node->is_behind; break;
	case 2: world->consumer.exists = false; break;
	case 3: world->consumer.exists = false; sl_nats_resync_reconnect(&world->resync); break;
	case 4: /* purged, or too old */
		world->log.first += draw(&world->seed, (unsigned)(world->log.last - world->log.first + 2));
		break;
	case 5: restart(world); break;
	case 6: world->now_ms += draw(&world->seed, 20000); break; /* the gateway was stopped */
	case 7: world->copy = world->log; break;
	case 8:
		if (draw(&world->seed, 3) == 0)
			make_again(world);
		break;
	case 9:
		if (draw(&world->seed, 2) == 0 && world->copy.created_ns == world->log.created_ns) {
			world->log = world->copy;
			restart(world);
		}
		break;
	case 10:
		if (!has_hole(world)) {
			node->hole_from = world->log.first + draw(&world->seed,
				(unsigned)(node->last - node->first + 2));
			node->hole_to = node->hole_from + 1 + draw(&world->seed, 5);
		}
		break;
	}
}

static void
expect_all_was_read(struct world *world)
{
	CU_ASSERT_EQUAL(world->resync.verdict, SL_NATS_SAME);
	CU_ASSERT_EQUAL(world->head, world->log.last);
	CU_ASSERT_TRUE(sl_nats_resync_has_caught_up(&world->resync));
	for (uint64_t seq = world->log.first; seq <= world->log.last; seq++) {
		/* What was gone may have come back with a copy of the log. */
		bool was_gone = seq <= world->floor && world->seen[seq] == 0;
		CU_ASSERT(was_gone || world->seen[seq] == world->log.times[seq]);
	}
}

static void
run_history(uint64_t seed, struct world *sum)
{
	struct world *world = calloc(1, sizeof *world);
	CU_ASSERT_PTR_NOT_NULL_FATAL(world);
	world->seed = seed;
	world->now_ms = 5000;
	world->clock_ns = 1790000000000000000;
	world->is_steady = seed & 1;
	sl_nats_resync_init(&world->resync);
	make_again(world);
	append(world, draw(&world->seed, 50));
	restart(world);
	begin(world);
	for (unsigned step = 0; step < 1500; step++) {
		world->is_quiet = step > 1100;
		world->now_ms += STEP_MS;
		append(world, world->is_steady || draw(&world->seed, 10) == 0 ? draw(&world->seed, 4) : 0);
		if (!world->is_quiet)
			go_wrong(world);
		else
			for (unsigned i = 0; i < NODES; i++)
				world->nodes[i].is_stopped = world->nodes[i].is_behind = false;
		replicate(world);
		send_some(world);
		take_turn(world);
	}
	append(world, 1); /* heartbeats alone prove nothing */
	replicate(world);
	for (unsigned step = 0; step < 60; step++) {
		world->now_ms += STEP_MS;
		send_some(world);
		take_turn(world);
	}
	expect_all_was_read(world);
	sum->delivered += world->delivered;
	sum->lost += world->lost;
	sum->resets += world->resets;
	sum->resync.resyncs += world->resync.resyncs;
	free(world);
}

static void
test_whatever_happens_everything_that_the_log_holds_is_read_once(void)
{
	static struct world sum;
	for (uint64_t seed = 1; seed <= 400; seed++)
		run_history(seed * UINT64_C(0x9e3779b97f4a7c15), &sum);
	/* Was anything to be seen? */
	CU_ASSERT(sum.delivered > 400 * 1000 && sum.lost > 400 && sum.resets > 800 &&
		sum.resync.resyncs > 400 * 10);
	printf("%u delivered, %u losses, %u logs, %u consumers given up: ", sum.delivered, sum.lost, sum.resets,
		(unsigned)sum.resync.resyncs);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_whatever_happens_everything_that_the_log_holds_is_read_once),
		{ NULL, NULL },
	};
	return unit_main("nats_histories", tests);
}
