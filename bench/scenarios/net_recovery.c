/* Recovery: the link loses every packet for a while, in both directions, and messages are published
 * all the time. How long after the cut has a client all that was published before its end?
 * Connections stay, and TCP retransmits; one that ends is opened again at the cursor. Each client has
 * a channel of its own, so that the cut meets them at different moments. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/beside.h"
#include "bench/load/follower.h"
#include "bench/load/generator.h"
#include "bench/results/statistics.h"
#include "util/err.h"

#define CLIENTS 10
#define RATE 10 /* messages a second of each client */
#define BEFORE_S 1.5 /* published before the cut */
#define AFTER_S 0.5  /* and at least after its end */
#define OPEN_WAIT_NS 20000000000u
#define LIMIT_NS 90000000000u /* after the cut */
#define QUIET_NS 300000000u   /* behind the last message, for those that come twice */
#define TURN_NS 50000000u
#define EVENTS_A_TURN 64
#define INPUT_BYTES 65536
#define PAYLOAD_BYTES 128

struct client {
	struct bench_follower follower;
	uint32_t needed;       /* messages published before the cut ended */
	uint64_t recovered_ns; /* 0: not yet */
};

struct recovery {
	struct bench_follower_world world;
	struct bench_beside beside;
	struct client clients[CLIENTS];
	struct bench_schedule schedule; /* all clients in turn; its count is not known before */
	uint32_t published;
	bool stopped;                   /* nothing more is published */
	uint64_t cut_end_ns;            /* 0: not yet */
	struct bench_wait wait;
	struct bench_effort effort;
	struct bench_histogram late;
	char input[INPUT_BYTES];
};

static json_t *
net_recovery_cases(const struct bench_settings *settings)
{
	static const int cuts_s[] = { 1, 10 };
	size_t count = settings->quick ? 1 : 2;
	json_t *cases = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(cases, json_pack("{s:i, s:i}", "cut_s", cuts_s[i], "rate", RATE));
	return cases;
}

static uint32_t
messages_of(const struct recovery *recovery, unsigned client)
{
	return bench_schedule_dealt(recovery->published, client, CLIENTS);
}

static int
publish_due(struct recovery *recovery)
{
	uint64_t due_ns, now = bench_now_ns();
	int err = 0;
	while (!err && !recovery->stopped
		&& (due_ns = bench_schedule_due(&recovery->schedule, recovery->published)) <= now) {
		unsigned client = recovery->published % CLIENTS;
		bench_histogram_record(&recovery->late, now - due_ns);
		err = bench_beside_publish(&recovery->beside, recovery->clients[client].follower.channel,
			recovery->published / CLIENTS, PAYLOAD_BYTES);
		recovery->published++;
	}
	return err;
}

static void
read_client(struct recovery *recovery, struct client *client)
{
	struct bench_follower *follower = &client->follower;
	bench_follower_read(follower, recovery->input, INPUT_BYTES);
	/* Before the cut ends nothing can come of what it held up. */
	if (recovery->cut_end_ns && !client->recovered_ns && follower->counter.seen >= client->needed)
		client->recovered_ns = follower->last_ns;
}

static int
take_turn(struct recovery *recovery, uint64_t until)
{
	struct epoll_event events[EVENTS_A_TURN];
	uint64_t now = bench_now_ns(), due_ns;
	int err = publish_due(recovery);
	if (until > now + TURN_NS)
		until = now + TURN_NS;
	if (!recovery->stopped) {
		due_ns = bench_schedule_due(&recovery->schedule, recovery->published);
		until = due_ns < until ? due_ns : until;
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		bench_follower_tick(&recovery->clients[i].follower, now);
		due_ns = bench_follower_due(&recovery->clients[i].follower);
		until = due_ns < until ? due_ns : until;
	}
	now = bench_now_ns();
	int count = err ? 0 : bench_wait_events(&recovery->wait, recovery->world.epoll, events,
		EVENTS_A_TURN, until > now ? until - now : 0);
	for (int i = 0; i < count; i++)
		read_client(recovery, &recovery->clients[events[i].data.u64]);
	return err ? err : count < 0 ? SL_EIO : 0;
}

static bool
all_open(const struct recovery *recovery)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (recovery->clients[i].follower.opened_ns == 0)
			return false;
	return true;
}

static bool
all_recovered(const struct recovery *recovery)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (recovery->clients[i].recovered_ns == 0)
			return false;
	return true;
}

static bool
all_delivered(const struct recovery *recovery)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (recovery->clients[i].follower.counter.seen < messages_of(recovery, i))
			return false;
	return true;
}

/* Goes on until `until`, or until `is_done`. Errors: SL_EAGAIN, when the time is up before. */
static int
run_until(struct recovery *recovery, uint64_t until,
	bool (*is_done)(const struct recovery *recovery))
{
	int err = 0;
	while (!err && !(is_done && is_done(recovery)) && bench_now_ns() < until)
		err = take_turn(recovery, until);
	return !err && is_done && !is_done(recovery) ? SL_EAGAIN : err;
}

static int
open_all(struct recovery *recovery, const struct bench_run *run)
{
	char channel[BENCH_CHANNEL_MAX];
	for (unsigned i = 0; i < CLIENTS; i++) {
		bench_generator_name_channel(run, "net", i, channel);
		bench_follower_init(&recovery->clients[i].follower, &recovery->world, i, channel);
		bench_follower_open(&recovery->clients[i].follower);
		/* Short polls are spread over their interval. */
		recovery->clients[i].follower.poll_ns += (uint64_t)i * BENCH_POLL_INTERVAL_NS
			/ CLIENTS;
	}
	recovery->stopped = true;
	int err = run_until(recovery, bench_now_ns() + OPEN_WAIT_NS, all_open);
	recovery->stopped = false;
	return err;
}

/* A client that has everything when the cut ends, because nothing was on its way to it, has
 * recovered then. */
static void
end_cut(struct recovery *recovery, struct bench_network *network)
{
	bench_network_cut(network, false);
	recovery->cut_end_ns = bench_now_ns();
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *client = &recovery->clients[i];
		client->needed = messages_of(recovery, i);
		if (client->follower.counter.seen >= client->needed)
			client->recovered_ns = recovery->cut_end_ns;
	}
}

static uint64_t
after(uint64_t from_ns, double seconds)
{
	return from_ns + (uint64_t)(seconds * 1e9);
}

static int
cut_and_recover(struct recovery *recovery, struct bench_run *run, double cut_s)
{
	struct bench_effort before = bench_effort_now(&recovery->wait);
	int err = open_all(recovery, run);
	uint64_t start_ns = bench_now_ns(), cut_ns = after(start_ns, BEFORE_S);
	recovery->schedule = (struct bench_schedule){ .start_ns = start_ns, .rate = RATE * CLIENTS,
		.burst = 1 };
	if (!err)
		err = run_until(recovery, cut_ns, NULL);
	if (!err) {
		bench_network_cut(run->network, true);
		err = run_until(recovery, after(cut_ns, cut_s), NULL);
		end_cut(recovery, run->network);
	}
	if (!err)
		err = run_until(recovery, after(recovery->cut_end_ns, AFTER_S), NULL);
	/* What never comes is counted, not an error. */
	if (!err)
		err = run_until(recovery, recovery->cut_end_ns + LIMIT_NS, all_recovered);
	recovery->stopped = true;
	if (!err)
		err = run_until(recovery, recovery->cut_end_ns + LIMIT_NS, all_delivered);
	if (!err || err == SL_EAGAIN)
		err = run_until(recovery, bench_now_ns() + QUIET_NS, NULL);
	bench_effort_add(&recovery->effort, &before, &recovery->wait);
	return err;
}

static void
set_figures(const struct recovery *recovery, json_t *figures)
{
	double times[CLIENTS], slowest = 0, reopened = 0;
	size_t count = 0;
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct client *client = &recovery->clients[i];
		reopened += client->follower.reopened;
		if (client->recovered_ns == 0)
			continue;
		times[count] = (double)(client->recovered_ns - recovery->cut_end_ns) / 1e3;
		slowest = times[count] > slowest ? times[count] : slowest;
		count++;
	}
	if (count) {
		json_object_set_new(figures, "recovery_us", json_real(bench_percentile(times, count, 50)));
		json_object_set_new(figures, "recovery_max_us", json_real(slowest));
	}
	json_object_set_new(figures, "reopened", json_real(reopened / CLIENTS));
	json_object_set_new(figures, "samples", json_integer((json_int_t)count));
}

static void
report(const struct recovery *recovery, json_t *repeat)
{
	struct bench_generator_use use = { 0 };
	uint64_t delivered = 0, doubled = 0, reordered = 0;
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct bench_counter *counter = &recovery->clients[i].follower.counter;
		delivered += counter->seen;
		doubled += counter->doubled;
		reordered += counter->reordered;
	}
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	set_figures(recovery, figures);
	json_object_set_new(repeat, "expected", json_integer((json_int_t)recovery->published));
	json_object_set_new(repeat, "deliveries", json_integer((json_int_t)delivered));
	json_object_set_new(repeat, "lost", json_integer((json_int_t)(recovery->published - delivered)));
	json_object_set_new(repeat, "doubled", json_integer((json_int_t)doubled));
	json_object_set_new(repeat, "reordered", json_integer((json_int_t)reordered));
	bench_generator_use_add(&use, &recovery->effort);
	bench_usage_set_generator(repeat, &use, &recovery->late, false);
}

static int
net_recovery_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct recovery *recovery = calloc(1, sizeof *recovery);
	if (!recovery)
		return SL_ENOMEM;
	recovery->world = (struct bench_follower_world){
		.server = run->server, .transport = run->transport, .epoll = epoll_create1(EPOLL_CLOEXEC),
		.poll_interval_ns = BENCH_POLL_INTERVAL_NS,
	};
	int err = recovery->world.epoll >= 0 ? bench_beside_open(&recovery->beside, run->server) : SL_EIO;
	if (!err)
		err = cut_and_recover(recovery, run, json_number_value(json_object_get(params, "cut_s")));
	if (!err)
		report(recovery, repeat);
	for (unsigned i = 0; i < CLIENTS; i++)
		bench_follower_finish(&recovery->clients[i].follower);
	bench_beside_close(&recovery->beside);
	if (recovery->world.epoll >= 0)
		close(recovery->world.epoll);
	free(recovery);
	return err;
}

const struct bench_scenario bench_scenario_net_recovery = {
	.name = "net-recovery",
	.title = "net-recovery: from the end of a cut until a client has all messages",
	.needs_network = true,
	.side_by_side = true,
	.is_light = true,
	.needs_resuming = true,
	.cases = net_recovery_cases,
	.measure = net_recovery_measure,
};
