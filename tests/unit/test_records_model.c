/* Records against a model that remembers everything: what is held, in what order, what a gap
 * tells, and that only whoever has most loses; through losses of the log, and from one log to the next. */
#include "bus/records.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/draw.h"
#include "tests/unit/messages.h"
#include "tests/unit/unit.h"
#include "util/err.h"

#define CHANNELS 24 /* the last two are leased */
#define LEASED 2
#define OWNERS 5
#define STEPS 1500

struct published {
	uint64_t seq;
	size_t bytes;
};

/* What the model knows of a channel; `before` and what follows are as they stood before the step. */
struct known {
	char name[8];
	uint64_t owner, used_at; /* of the record */
	bool is_wanted, has_record;
	struct published published[STEPS];
	size_t count, count_before; /* those of the logs before come first */
	uint64_t last_evicted, bytes;
	size_t held;
};

struct model {
	struct sl_bus_config config;
	struct sl_records records;
	struct known known[CHANNELS];
	uint64_t state, now, seq;
};

static bool
is_leased(const struct known *known)
{
	return known->name[0] == '~';
}

static struct sl_channel *
find(const struct model *model, const struct known *known)
{
	struct sl_channel *channel;
	HASH_FIND(hh, model->records.table, known->name, strlen(known->name), channel);
	return channel;
}

/* Of what history has: what does not count as held any more, and will be dropped. */
static size_t
count_gone(const struct sl_records *records, const struct sl_channel *channel)
{
	size_t gone = 0;
	if (!sl_records_is_of_log(records, channel))
		return channel->history.count;
	while (gone < channel->history.count &&
			sl_history_at(&channel->history, gone)->seq <= records->lost_through)
		gone++;
	return gone;
}

/* History is what was published last, without a hole, and nothing else above last_evicted was
 * published; without a record the floor tells of everything. */
static void
check_channel(const struct model *model, const struct known *known)
{
	const struct sl_channel *channel = find(model, known);
	const struct sl_records *records = &model->records;
	uint64_t told = is_leased(known) ? records->leased_floor : records->floor;
	size_t held = 0, gone = 0, bytes = 0;
	if (channel) {
		told = sl_records_get_lost(records, channel);
		gone = count_gone(records, channel);
		held = channel->history.count - gone;
	}
	CU_ASSERT(told >= records->lost_through);
	CU_ASSERT_FATAL(held <= known->count - known->count_before);
	for (size_t i = known->count_before; i < known->count; i++) {
		const struct published *published = &known->published[i];
		if (i < known->count - held) {
			CU_ASSERT(published->seq <= told);
			continue;
		}
		CU_ASSERT_EQUAL(sl_history_at(&channel->history, gone + i - (known->count - held))->seq,
			published->seq);
		CU_ASSERT(published->seq > told);
		bytes += published->bytes;
	}
	CU_ASSERT(!channel || gone || channel->history.bytes == bytes);
	CU_ASSERT(!channel || (channel->interest != 0) == known->is_wanted);
	CU_ASSERT(!known->is_wanted || channel);
}

static void
check_all(const struct model *model)
{
	size_t messages = 0, bytes = 0, records = 0;
	for (const struct known *known = model->known; known < model->known + CHANNELS; known++) {
		const struct sl_channel *channel = find(model, known);
		check_channel(model, known);
		records += channel != NULL;
		messages += channel && !is_leased(known) ? channel->history.count : 0;
		bytes += channel && !is_leased(known) ? channel->history.bytes : 0;
	}
	CU_ASSERT_EQUAL(model->records.stats.channels_now, records);
	CU_ASSERT_EQUAL(model->records.stats.history_messages_now, messages);
	CU_ASSERT_EQUAL(model->records.stats.history_bytes_now, bytes);
	CU_ASSERT(bytes <= model->config.history_total_bytes);
}

static void
note_all(struct model *model)
{
	for (struct known *known = model->known; known < model->known + CHANNELS; known++) {
		const struct sl_channel *channel = find(model, known);
		known->has_record = channel;
		known->held = channel ? channel->history.count : 0;
		known->bytes = channel ? channel->history.bytes : 0;
	}
}

/* 0 for an owner that nothing can be taken from. */
static size_t
count_records(const struct model *model, uint64_t owner)
{
	size_t count = 0;
	bool has_unwanted = false;
	for (const struct known *known = model->known; known < model->known + CHANNELS; known++)
		if (known->has_record && !is_leased(known) && known->owner == owner) {
			count++;
			has_unwanted |= known->held && !known->is_wanted;
		}
	return has_unwanted ? count : 0;
}

/* A record went to make room: it was the oldest unwanted one of an owner that had most. */
static void
judge_evicted_record(const struct model *model, const struct known *evicted)
{
	CU_ASSERT_FALSE(evicted->is_wanted);
	CU_ASSERT_FALSE(is_leased(evicted));
	for (uint64_t owner = 0; owner < OWNERS; owner++)
		CU_ASSERT(count_records(model, owner) <= count_records(model, evicted->owner));
	for (const struct known *known = model->known; known < model->known + CHANNELS; known++)
		CU_ASSERT(!known->has_record || !known->held || known->is_wanted || is_leased(known) ||
			known->owner != evicted->owner || known->used_at >= evicted->used_at);
}

static struct sl_channel *
get(struct model *model, struct known *known)
{
	struct sl_channel *channel;
	uint64_t owner = draw(&model->state, 2) ? 1 : draw(&model->state, OWNERS);
	uint64_t evicted_before = model->records.stats.channels_evicted;
	bool was_there = find(model, known);
	size_t unwanted = 0;
	for (uint64_t any = 0; any < OWNERS; any++)
		unwanted += count_records(model, any);
	int err = sl_records_get(&model->records, known->name, strlen(known->name), owner, &channel);
	CU_ASSERT_EQUAL(channel != NULL, err == 0);
	if (err) {
		CU_ASSERT_EQUAL(err, SL_EFULL);
		CU_ASSERT_EQUAL(unwanted, 0);
		return NULL;
	}
	if (!was_there)
		known->owner = owner;
	uint64_t evicted = model->records.stats.channels_evicted - evicted_before;
	CU_ASSERT(evicted <= !was_there);
	for (struct known *other = model->known; evicted && other < model->known + CHANNELS; other++)
		if (other->has_record && !find(model, other)) {
			judge_evicted_record(model, other);
			evicted--;
		}
	CU_ASSERT_EQUAL(evicted, 0);
	note_all(model);
	return channel;
}

/* Whoever lost a message to the limit of all held as much as anybody holds now, to a sixteenth, before it
 * lost its last one, since nobody gains while messages go. */
static void
judge_losses(const struct model *model, const struct known *appended, size_t size)
{
	size_t most = 0;
	for (const struct known *known = model->known; known < model->known + CHANNELS; known++) {
		const struct sl_channel *channel = find(model, known);
		if (channel && !is_leased(known) && channel->history.bytes > most)
			most = channel->history.bytes;
	}
	for (const struct known *known = model->known; known < model->known + CHANNELS; known++) {
		const struct sl_channel *channel = find(model, known);
		size_t count = channel ? channel->history.count : 0;
		size_t bytes = channel ? channel->history.bytes : 0;
		size_t grown = known == appended;
		if (is_leased(known) || count == known->held + grown)
			continue;
		CU_ASSERT_FATAL(count < known->held + grown);
		CU_ASSERT(known->bytes + (grown ? size : 0) > bytes);
		size_t last_lost = known->published[known->count - count - 1].bytes;
		/* The channel itself may have lost by a limit of its own. */
		CU_ASSERT(grown || (bytes + last_lost) * 17 >= most * 16);
	}
}

static void
publish(struct model *model, struct known *known)
{
	static char text[3000];
	struct sl_channel *channel = get(model, known);
	/* Sizes that are often the same, seldom large, so that there are ties and whole rows of losses. */
	unsigned len = draw(&model->state, 2) ? 100 : draw(&model->state, 10) ? 300 : 2900;
	memset(text, 'x', len);
	text[len] = '\0';
	struct sl_message *message = make_message(++model->seq, known->name, text);
	message->arrived_ms = model->now;
	size_t size = sl_message_bytes(message);
	known->published[known->count++] = (struct published){ model->seq, size };
	if (channel) {
		known->used_at = model->now;
		sl_records_append(&model->records, channel, message);
		judge_losses(model, known, size);
	} else {
		sl_records_lose(&model->records, message);
	}
	sl_message_unref(message);
}

static void
change_interest(struct model *model, struct known *known)
{
	struct sl_channel *channel = known->is_wanted ? find(model, known) : get(model, known);
	if (!channel)
		return;
	if (known->is_wanted)
		sl_records_unwant(&model->records, channel, 3);
	else
		sl_records_want(&model->records, channel, 3);
	known->is_wanted = !known->is_wanted;
	known->used_at = model->now;
}

/* Numbers are lost, or purged, or begin anew. */
static void
change_log(struct model *model)
{
	switch (draw(&model->state, 3)) {
	case 0:
		model->seq += draw(&model->state, 50);
		sl_records_lose_through(&model->records, model->seq);
		break;
	case 1:
		sl_records_lose_through(&model->records, model->seq - draw(&model->state, 20) % (model->seq + 1));
		break;
	default:
		sl_records_begin_log(&model->records);
		model->seq = 0;
		for (struct known *known = model->known; known < model->known + CHANNELS; known++)
			known->count_before = known->count;
	}
}

static void
take_a_step(struct model *model)
{
	struct known *known = &model->known[draw(&model->state, CHANNELS)];
	size_t budget = 1000;
	model->now += draw(&model->state, 200) == 0 ? model->config.history_age_ms : 1;
	note_all(model);
	if (draw(&model->state, 100) == 0)
		change_log(model);
	switch (draw(&model->state, 12)) {
	case 0:
	case 1:
		change_interest(model, known);
		break;
	case 2:
		sl_records_sweep(&model->records, model->now, &budget);
		break;
	case 3: /* a reload, and the sweep that applies it */
		model->config.history_total_bytes = 4000 + draw(&model->state, 3) * 3000u;
		model->config.channels_max = 6 + draw(&model->state, 12);
		while (!sl_records_sweep(&model->records, model->now, &budget))
			budget = 1000;
		break;
	default:
		publish(model, known);
	}
	while (model->records.trash_count)
		sl_message_unref(model->records.trash[--model->records.trash_count]);
}

static void
test_records_lose_only_what_a_model_lets_them_lose(void)
{
	static struct model model;
	for (uint64_t round = 1; round <= 12; round++) {
		model = (struct model){ .state = round, .now = 1000,
			.config = { .history_messages = round % 3 ? 100 : 5, .history_bytes = 6000,
				.history_age_ms = 2000, .history_total_bytes = 10000, .channels_max = 12 } };
		sl_records_init(&model.records, &model.config);
		for (int i = 0; i < CHANNELS; i++)
			snprintf(model.known[i].name, sizeof model.known[i].name, "%sc%d",
				i < CHANNELS - LEASED ? "" : "~", i);
		for (unsigned step = 0; step < STEPS; step++) {
			take_a_step(&model);
			check_all(&model);
		}
		CU_ASSERT(model.records.stats.evicted_total > 100);
		CU_ASSERT(model.records.stats.channels_evicted > 10);
		CU_ASSERT(model.records.stats.evicted_log > 100);
		sl_records_finish(&model.records);
	}
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_records_lose_only_what_a_model_lets_them_lose),
		{ NULL, NULL },
	};
	return unit_main("records_model", tests);
}
