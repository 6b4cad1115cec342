/* A reader of forged histories, and the words for what it makes of them.
 * Owner: the test's struct. Thread: main. Errors: the test fails. */
#ifndef SL_TESTS_NATS_READER_H
#define SL_TESTS_NATS_READER_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bus/nats_resync.h"
#include "tests/unit/unit.h"

#define CREATED 1790000000000000000
#define HOUR_NS INT64_C(3600000000000)

/* A reader, and what it made of a forged history, as words: `5` delivered, `lost7` lost through, `purged3`. */
struct reader {
	struct sl_nats_resync resync;
	struct sl_nats_stream_state state;
	uint64_t now_ms;
	uint64_t dseq;
	char words[512];
};

static inline void
note(struct reader *reader, const char *word, uint64_t number)
{
	size_t len = strlen(reader->words);
	if (number)
		snprintf(reader->words + len, sizeof reader->words - len, "%s%s%" PRIu64,
			len ? " " : "", word, number);
}

static inline void
expect_words(struct reader *reader, const char *words)
{
	CU_ASSERT_STRING_EQUAL(reader->words, words);
	reader->words[0] = '\0';
}

static inline void
open_consumer(struct reader *reader)
{
	CU_ASSERT_TRUE(sl_nats_resync_must_create(&reader->resync));
	sl_nats_resync_open(&reader->resync, reader->now_ms);
	sl_nats_resync_confirm_open(&reader->resync, reader->now_ms);
	reader->dseq = 0;
}

/* The usual time of a number: one message each second. */
static inline int64_t
time_of(uint64_t seq)
{
	return CREATED + (int64_t)seq * 1000000000;
}

static inline void
send_at(struct reader *reader, uint64_t seq, int64_t time_ns)
{
	struct sl_nats_reply message = { .sseq = seq, .dseq = ++reader->dseq, .time_ns = time_ns };
	uint64_t lost;
	bool is_next = sl_nats_resync_see(&reader->resync, &message, reader->now_ms, &lost);
	note(reader, "lost", lost);
	note(reader, "", is_next ? seq : 0);
}

static inline void
send(struct reader *reader, uint64_t first, uint64_t last)
{
	for (uint64_t seq = first; seq <= last; seq++)
		send_at(reader, seq, time_of(seq));
}

static inline void
beat(struct reader *reader)
{
	uint64_t lost;
	sl_nats_resync_hear(&reader->resync, reader->dseq, reader->now_ms, &lost);
	note(reader, "lost", lost);
}

static inline void
tell(struct reader *reader, uint64_t first, uint64_t last)
{
	uint64_t purged;
	reader->state.first = first;
	reader->state.last = last;
	sl_nats_resync_tell(&reader->resync, &reader->state, reader->now_ms, &purged);
	note(reader, "purged", purged);
}

static inline enum sl_nats_verdict
look(struct reader *reader, uint64_t after_ms)
{
	reader->now_ms += after_ms;
	return sl_nats_resync_look(&reader->resync, reader->now_ms);
}

static inline void
begin(struct reader *reader, uint64_t first, uint64_t last)
{
	reader->state.first = first;
	reader->state.last = last;
	note(reader, "lost", sl_nats_resync_begin(&reader->resync, &reader->state));
	open_consumer(reader);
}

static inline void
start(struct reader *reader, uint64_t first, uint64_t last)
{
	memset(reader, 0, sizeof *reader);
	reader->now_ms = 1000;
	reader->state = (struct sl_nats_stream_state){ .created_ns = CREATED, .has_leader = true };
	sl_nats_resync_init(&reader->resync);
	begin(reader, first, last);
}

/* One that has read 1 to 5. */
static inline void
start_at_5(struct reader *reader)
{
	start(reader, 1, 5);
	send(reader, 1, 5);
	expect_words(reader, "1 2 3 4 5");
}

#endif
