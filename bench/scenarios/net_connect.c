/* Connecting over a network, as a client sees it. Fresh: it connects without a cursor and is
 * subscribed; at that moment a message is published at the server's end, and comes. Resumed: its
 * connection ends, another message is published, and it connects again at its cursor. The clients
 * begin one after another, and each has a channel of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/beside.h"
#include "bench/load/follower.h"
#include "bench/load/generator.h"
#include "util/err.h"

#define CLIENTS 104 /* ten samples beyond p90 */
#define FULL_CLIENTS 1004
#define QUICK_CLIENTS 24
#define APART_NS 15000000u
#define LIMIT_NS 60000000000u
#define TURN_NS 100000000u
#define EVENTS_A_TURN 64
#define INPUT_BYTES 65536
#define PAYLOAD_BYTES 128

enum stage { BEFORE, CONNECTING, FIRST, RESUMING, DONE };

struct client {
	struct bench_follower follower;
	enum stage stage;
};

struct connecting {
	struct bench_follower_world world;
	struct bench_beside beside;
	struct client *clients; /* owns */
	unsigned count, done;
	struct bench_wait wait;
	struct bench_effort effort;
	struct bench_histogram connect, fresh, resumed, late;
	char input[INPUT_BYTES];
};

static json_t *
net_connect_cases(const struct bench_settings *settings)
{
	return json_pack("[{s:i}]", "connections", settings->full ? FULL_CLIENTS
		: settings->quick ? QUICK_CLIENTS : CLIENTS);
}

static int
publish(struct connecting *connecting, const struct client *client, uint32_t seq)
{
	return bench_beside_publish(&connecting->beside, client->follower.channel, seq, PAYLOAD_BYTES);
}

/* What follows from what the client has got. */
static int
advance(struct connecting *connecting, struct client *client)
{
	struct bench_follower *follower = &client->follower;
	int err = 0;
	if (follower->reopened)
		return SL_ECLOSED;
	if (client->stage == CONNECTING && follower->opened_ns) {
		bench_histogram_record(&connecting->connect, follower->opened_ns - follower->connect_ns);
		client->stage = FIRST;
		err = publish(connecting, client, 0);
	}
	if (client->stage == FIRST && follower->first_ns) {
		bench_histogram_record(&connecting->fresh, follower->first_ns - follower->connect_ns);
		bench_follower_close(follower);
		client->stage = RESUMING;
		err = publish(connecting, client, 1);
		bench_follower_open(follower);
	}
	if (client->stage == RESUMING && follower->first_ns) {
		bench_histogram_record(&connecting->resumed, follower->first_ns - follower->connect_ns);
		bench_follower_close(follower);
		client->stage = DONE;
		connecting->done++;
	}
	return err;
}

/* Begins what is due; `*until` is when the next thing is. */
static void
begin_due(struct connecting *connecting, uint64_t start_ns, uint64_t *until)
{
	uint64_t now = bench_now_ns();
	*until = now + TURN_NS;
	for (unsigned i = 0; i < connecting->count; i++) {
		struct client *client = &connecting->clients[i];
		uint64_t begin_ns = start_ns + i * (uint64_t)APART_NS;
		if (client->stage == BEFORE && begin_ns <= now) {
			bench_histogram_record(&connecting->late, now - begin_ns);
			client->stage = CONNECTING;
			bench_follower_open(&client->follower);
		}
		bench_follower_tick(&client->follower, now);
		uint64_t due_ns = client->stage == BEFORE ? begin_ns : bench_follower_due(&client->follower);
		*until = due_ns < *until ? due_ns : *until;
	}
}

static int
serve(struct connecting *connecting, uint64_t until)
{
	struct epoll_event events[EVENTS_A_TURN];
	uint64_t now = bench_now_ns();
	int err = 0, count = bench_wait_events(&connecting->wait, connecting->world.epoll, events,
		EVENTS_A_TURN, until > now ? until - now : 0);
	if (count < 0)
		return SL_EIO;
	for (int i = 0; i < count && !err; i++) {
		struct client *client = &connecting->clients[events[i].data.u64];
		bench_follower_read(&client->follower, connecting->input, INPUT_BYTES);
		err = advance(connecting, client);
	}
	return err;
}

static int
connect_all(struct connecting *connecting)
{
	uint64_t start_ns = bench_now_ns(), until, limit_ns = start_ns + LIMIT_NS
		+ connecting->count * (uint64_t)APART_NS;
	struct bench_effort before = bench_effort_now(&connecting->wait);
	int err = 0;
	while (!err && connecting->done < connecting->count) {
		begin_due(connecting, start_ns, &until);
		err = serve(connecting, until);
		if (!err && bench_now_ns() > limit_ns)
			err = SL_EAGAIN;
	}
	bench_effort_add(&connecting->effort, &before, &connecting->wait);
	return err;
}

static int
prepare(struct connecting *connecting, const struct bench_run *run, unsigned count)
{
	char channel[BENCH_CHANNEL_MAX];
	connecting->count = count;
	connecting->clients = calloc(count, sizeof *connecting->clients);
	connecting->world = (struct bench_follower_world){
		.server = run->server, .transport = run->transport, .epoll = epoll_create1(EPOLL_CLOEXEC),
		.poll_interval_ns = BENCH_POLL_INTERVAL_NS,
	};
	if (!connecting->clients || connecting->world.epoll < 0)
		return SL_ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		bench_generator_name_channel(run, "net", i, channel);
		bench_follower_init(&connecting->clients[i].follower, &connecting->world, i, channel);
	}
	return bench_beside_open(&connecting->beside, run->server);
}

static void
report(const struct connecting *connecting, json_t *repeat)
{
	struct bench_generator_use use = { 0 };
	json_t *figures = json_object();
	json_object_set_new(repeat, "figures", figures);
	bench_histogram_set_percentile(&connecting->connect, 50, figures, "connect_p50_us");
	bench_histogram_set_percentile(&connecting->connect, 90, figures, "connect_p90_us");
	bench_histogram_set_percentile(&connecting->fresh, 50, figures, "first_fresh_p50_us");
	bench_histogram_set_percentile(&connecting->fresh, 90, figures, "first_fresh_p90_us");
	bench_histogram_set_percentile(&connecting->resumed, 50, figures, "first_resumed_p50_us");
	bench_histogram_set_percentile(&connecting->resumed, 90, figures, "first_resumed_p90_us");
	json_object_set_new(figures, "samples", json_integer((json_int_t)connecting->resumed.count));
	bench_generator_use_add(&use, &connecting->effort);
	/* Times are from connect(), however late that was. */
	bench_usage_set_generator(repeat, &use, &connecting->late, false);
}

static int
net_connect_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct connecting *connecting = calloc(1, sizeof *connecting);
	if (!connecting)
		return SL_ENOMEM;
	int err = prepare(connecting, run,
		(unsigned)json_integer_value(json_object_get(params, "connections")));
	if (!err)
		err = connect_all(connecting);
	if (err)
		json_object_set_new(repeat, "error", json_sprintf("%s (%u of %u done)", sl_strerror(err),
			connecting->done, connecting->count));
	else
		report(connecting, repeat);
	for (unsigned i = 0; connecting->clients && i < connecting->count; i++)
		bench_follower_finish(&connecting->clients[i].follower);
	bench_beside_close(&connecting->beside);
	if (connecting->world.epoll >= 0)
		close(connecting->world.epoll);
	free(connecting->clients);
	free(connecting);
	return err;
}

const struct bench_scenario bench_scenario_net_connect = {
	.name = "net-connect",
	.title = "net-connect: from connect() to subscribed and to the first message, over a network",
	.needs_network = true,
	.side_by_side = true,
	.is_light = true,
	.needs_resuming = true,
	.cases = net_connect_cases,
	.measure = net_connect_measure,
};
