/* When messages are due: a pure function of their number, so that threads share nothing and
 * nothing that is late moves what comes after it (an open loop).
 * Owner: values. Thread: any. Errors: none. */
#ifndef SL_BENCH_SCHEDULE_H
#define SL_BENCH_SCHEDULE_H

#include <stdint.h>

struct bench_schedule {
	uint64_t start_ns;  /* of CLOCK_MONOTONIC: when number `first` is due */
	double rate;        /* writes a second */
	uint32_t first;     /* number of the first message */
	uint32_t count;     /* of writes */
	uint32_t burst;     /* messages a write */
};

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* When write number `turn` (0..count) is due. */
static inline uint64_t
bench_schedule_due(const struct bench_schedule *schedule, uint32_t turn)
{
	return schedule->start_ns + (uint64_t)((double)turn * 1e9 / schedule->rate);
}

/* When message `seq` (first..) was due: all of a burst at once. */
static inline uint64_t
bench_schedule_due_of(const struct bench_schedule *schedule, uint32_t seq)
{
	return bench_schedule_due(schedule, (seq - schedule->first) / schedule->burst);
}

/* Messages 0, 1, 2, ... go to `channels` channels in turn: number `seq` of channel `channel` is
 * this message. */
static inline uint32_t
bench_schedule_message_of(uint32_t seq, uint32_t channel, uint32_t channels)
{
	return seq * channels + channel;
}

/* How many of the messages below `end` go to channel `channel`. */
static inline uint32_t
bench_schedule_dealt(uint32_t end, uint32_t channel, uint32_t channels)
{
	return end > channel ? (end - channel - 1) / channels + 1 : 0;
}

/* Messages in all. */
static inline uint32_t
bench_schedule_messages(const struct bench_schedule *schedule)
{
	return schedule->count * schedule->burst;
}

#endif
