#include "bench/row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/load.h"
#include "bench/results/statistics.h"
#include "util/err.h"

#define WARM_UP_S 0.25
#define WARM_UP_CHANNELS_A_SECOND 6000
#define DRAIN_LIMIT_S 12.0
#define SATURATED_SHARE 0.9
#define SATURATED_LATE_MS 10.0
#define OVERLOADED_S 0.25
/* The kernel's own work shows up as others' by some per cent. */
#define DISTURBED_SHARE 0.2
#define PUBLISHERS_OF_MANY_CHANNELS 8
/* Memory given back or taken by timers after opening is part of an idle connection. */
#define IDLE_WAIT_NS 1000000000u

const struct bench_row bench_rows[] = {
	{ "websocket", "websocket, 1 channel, one at a time", "floor,nchan,sluice",
		BENCH_FANOUT, BENCH_WEBSOCKET, 0, 60, 1 },
	{ "websocket-burst", "websocket, 1 channel, bursts of 10", "floor,nchan,sluice",
		BENCH_FANOUT, BENCH_WEBSOCKET, 0, 40, 10 },
	{ "sse", "sse, 1 channel, one at a time", "floor,nchan,sluice",
		BENCH_FANOUT, BENCH_SSE, 0, 60, 1 },
	{ "sse-burst", "sse, 1 channel, bursts of 10", "floor,nchan,sluice",
		BENCH_FANOUT, BENCH_SSE, 0, 40, 10 },
	{ "longpoll", "longpoll, 1 channel, one at a time", "nchan,sluice",
		BENCH_FANOUT, BENCH_LONGPOLL, 0, 25, 1 },
	{ "sse-each", "sse, 8,000 channels", "nchan,sluice",
		BENCH_OWN_CHANNELS, BENCH_SSE, 8000, 2000, 1 },
	{ "sse-each-1000", "sse, 1,000 channels", "sluice",
		BENCH_OWN_CHANNELS, BENCH_SSE, 1000, 2000, 1 },
	{ "longpoll-each", "longpoll, 8,000 channels", "nchan,sluice",
		BENCH_OWN_CHANNELS, BENCH_LONGPOLL, 8000, 2000, 1 },
	{ "longpoll-each-1000", "longpoll, 1,000 channels", "sluice",
		BENCH_OWN_CHANNELS, BENCH_LONGPOLL, 1000, 2000, 1 },
	{ "memory-websocket", "an idle websocket", "nchan,sluice",
		BENCH_MEMORY, BENCH_WEBSOCKET },
	{ "memory-sse", "an idle sse", "nchan,sluice", BENCH_MEMORY, BENCH_SSE },
	{ "memory-longpoll", "an idle longpoll", "nchan,sluice", BENCH_MEMORY, BENCH_LONGPOLL },
	{ "accept", "accepting and opening a websocket", "nchan,sluice",
		BENCH_ACCEPT, BENCH_WEBSOCKET },
	{ NULL },
};

const char *
bench_row_unit(const struct bench_row *row)
{
	return row->work == BENCH_MEMORY ? "KB" : "µs";
}

static uint64_t
own_cpu_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* What the processes and the machine had used at one moment. */
struct usage {
	uint64_t now_ns, server_ns, own_ns, idle_ns;
};

static struct usage
take_usage(const struct bench_load *load, const struct bench_options *options)
{
	return (struct usage){
		.now_ns = bench_now_ns(),
		.server_ns = bench_process_cpu_ns(&load->server->process),
		.own_ns = own_cpu_ns(),
		.idle_ns = bench_core_idle_ns(options->settings.server_core)
			+ bench_core_idle_ns(options->settings.load_core),
	};
}

/* Sets the shares over the time between the two; returns the server's CPU time in it. */
static uint64_t
set_shares(struct bench_sample *sample, const struct usage *before, const struct usage *after)
{
	double elapsed = (double)(after->now_ns - before->now_ns);
	double server = (double)(after->server_ns - before->server_ns);
	double own = (double)(after->own_ns - before->own_ns);
	double idle = (double)(after->idle_ns - before->idle_ns);
	sample->server_share = server / elapsed;
	sample->own_share = own / elapsed;
	sample->others_share = (2 * elapsed - idle - server - own) / elapsed;
	sample->disturbed = sample->others_share > DISTURBED_SHARE;
	return after->server_ns - before->server_ns;
}

/* Publishes `count` times, each at its own due time whatever became of those before. */
static int
keep_schedule(struct bench_load *load, uint64_t start_ns, double rate, unsigned count,
	unsigned burst, double *late_ms)
{
	int err = 0;
	for (unsigned i = 0; i < count && !err; i++) {
		uint64_t due = start_ns + (uint64_t)(i * 1e9 / rate);
		err = bench_load_serve_until(load, due);
		late_ms[i] = (double)(bench_now_ns() - due) / 1e6;
		if (!err)
			err = bench_load_publish(load, bench_load_draw(load), burst);
	}
	return err;
}

/* The first messages pay for what a server sets up once: a channel's history, cold caches.
 * With many channels each gets one. */
static int
warm_up(struct bench_load *load, const struct bench_row *row, double rate)
{
	unsigned count = load->own_channels ? load->subscriber_count : (unsigned)(rate * WARM_UP_S) + 1;
	double pace = load->own_channels ? WARM_UP_CHANNELS_A_SECOND : rate;
	uint64_t start_ns = bench_now_ns();
	int err = 0;
	for (unsigned i = 0; i < count && !err; i++) {
		err = bench_load_serve_until(load, start_ns + (uint64_t)(i * 1e9 / pace));
		if (!err)
			err = bench_load_publish(load, load->own_channels ? i : 0, row->burst);
	}
	return err ? err : bench_load_drain(load, DRAIN_LIMIT_S);
}

static void
count_losses(const struct bench_load *load, struct bench_sample *sample)
{
	for (unsigned i = 0; i < load->subscriber_count; i++) {
		const struct bench_counter *counter = &load->subscribers[i].counter;
		uint32_t published = load->published[load->own_channels ? i : 0];
		uint32_t behind = published - counter->next;
		sample->lost += counter->skipped + (load->gave_up ? 0 : behind);
		sample->unfinished += load->gave_up ? behind : 0;
		sample->doubled += counter->doubled;
	}
	for (unsigned i = 0; i < load->publisher_count; i++)
		sample->unanswered += load->publishers[i].outstanding;
}

static int
run_window(struct bench_load *load, const struct bench_row *row, double rate,
	const struct bench_options *options, struct bench_sample *sample)
{
	unsigned count = (unsigned)(rate * options->settings.seconds + 0.5);
	double *late_ms = calloc(count, sizeof *late_ms);
	if (!late_ms)
		return SL_ENOMEM;
	uint64_t delivered = load->delivered;
	struct usage before = take_usage(load, options);
	uint64_t start = bench_now_ns() + 1000000;
	int err = keep_schedule(load, start, rate, count, row->burst, late_ms);
	if (!err)
		err = bench_load_drain(load, DRAIN_LIMIT_S);
	struct usage after = take_usage(load, options);
	sample->deliveries = load->delivered - delivered;
	if (!err && sample->deliveries == 0)
		err = SL_EAGAIN;
	if (!err) {
		sample->window_s = (double)(load->last_delivery_ns - start) / 1e9;
		sample->overhang_s = sample->window_s - (count - 1) / rate;
		sample->value = (double)set_shares(sample, &before, &after) / 1e3
			/ (double)sample->deliveries;
		sample->late_p99_ms = bench_percentile(late_ms, count, 99);
		sample->overloaded = sample->overhang_s > OVERLOADED_S;
		sample->saturated = sample->own_share > SATURATED_SHARE
			|| sample->late_p99_ms > SATURATED_LATE_MS;
	}
	free(late_ms);
	return err;
}

static int
measure_deliveries(struct bench_load *load, const struct bench_row *row,
	const struct bench_options *options, struct bench_sample *sample)
{
	bool own_channels = row->work == BENCH_OWN_CHANNELS;
	unsigned subscribers = own_channels ? row->subscribers : options->settings.subscribers;
	double rate = own_channels ? row->rate : row->rate * 1000 / subscribers;
	int err = bench_load_subscribe(load, subscribers);
	if (!err)
		err = bench_load_open_publishers(load,
			own_channels ? PUBLISHERS_OF_MANY_CHANNELS : 1, row->burst > 1);
	if (err)
		return err;
	bench_load_settle(load);
	err = warm_up(load, row, rate);
	if (err)
		return err;
	bench_load_settle(load);
	err = run_window(load, row, rate, options, sample);
	count_losses(load, sample);
	return err;
}

static int
measure_memory(struct bench_load *load, const struct bench_options *options,
	struct bench_sample *sample)
{
	uint64_t before = bench_process_pss_kib(&load->server->process);
	int err = bench_load_subscribe(load, options->settings.connections);
	if (!err)
		err = bench_load_serve_until(load, bench_now_ns() + IDLE_WAIT_NS);
	uint64_t after = bench_process_pss_kib(&load->server->process);
	if (!err && load->closed_count)
		err = SL_ECLOSED;
	sample->start_mib = (double)before / 1024;
	sample->value = ((double)after - (double)before) / options->settings.connections;
	return err;
}

static int
measure_accept(struct bench_load *load, const struct bench_options *options,
	struct bench_sample *sample)
{
	struct usage before = take_usage(load, options);
	int err = bench_load_subscribe(load, options->accepts);
	struct usage after = take_usage(load, options);
	sample->window_s = (double)(after.now_ns - before.now_ns) / 1e9;
	sample->value = (double)set_shares(sample, &before, &after) / 1e3 / options->accepts;
	return err;
}

static int
measure(struct bench_load *load, const struct bench_row *row, const struct bench_options *options,
	struct bench_sample *sample)
{
	switch (row->work) {
	case BENCH_MEMORY: return measure_memory(load, options, sample);
	case BENCH_ACCEPT: return measure_accept(load, options, sample);
	default: return measure_deliveries(load, row, options, sample);
	}
}

struct bench_sample
bench_row_measure(const struct bench_row *row, const struct bench_peer *peer,
	const struct bench_options *options)
{
	struct bench_sample sample = { 0 };
	struct bench_server server;
	struct bench_load load;
	int err = bench_server_start(&server, peer, &options->settings);
	if (err) {
		snprintf(sample.error, sizeof sample.error, "start: %s", sl_strerror(err));
		return sample;
	}
	err = bench_load_init(&load, &server, row->transport, row->work == BENCH_OWN_CHANNELS);
	if (!err)
		err = measure(&load, row, options, &sample);
	if (err)
		snprintf(sample.error, sizeof sample.error, "%s (%u of %u open, %u closed)",
			sl_strerror(err), load.open_count, load.subscriber_count, load.closed_count);
	sample.ran = !err;
	bench_load_finish(&load);
	bench_server_stop(&server);
	return sample;
}
