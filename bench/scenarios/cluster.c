/* Many gateways: what a bus on NATS JetStream costs beside one in the gateway's own memory. Each repeat starts
 * NATS servers and gateways of its own, on any core. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/schedule.h"
#include "bench/load/talk.h"
#include "bench/results/histogram.h"
#include "bench/scenario.h"
#include "bench/server/nats.h"
#include "util/err.h"

#define SERVERS_MAX 3
#define GATEWAYS 2
#define PAYLOAD_BYTES 128
#define CHANNELS 100
#define WINDOW 64 /* publishes that one WebSocket may have unanswered (PROTOCOL.md) */
#define SECONDS 2.0
#define QUICK_SECONDS 0.3
#define WARM_UP 200      /* lone publishes */
#define PACED_PER_S 1000 /* of a tail that is watched: as messages come one by one */
#define DELIVERY_PAUSE_NS 2000000
#define REPLAYED 100000
#define FILE_BYTES (UINT64_C(2) << 30)
#define START_MS 30000

/* What one repeat has started. */
struct rig {
	const struct bench_settings *settings;
	unsigned servers; /* 0: the bus is in memory */
	char folder[64];
	struct bench_nats_place places[SERVERS_MAX];
	struct bench_process nats[SERVERS_MAX], gateways[GATEWAYS];
	uint16_t ports[GATEWAYS];
	struct bench_talk talk;  /* to the first gateway */
	uint32_t seq;            /* of the next message, over all channels */
	bool spins;
	double seconds;
	struct bench_histogram *times;
	json_t *figures; /* borrows */
};

/* ---- what is started ---- */

static int
remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int
start_gateway(struct rig *rig, unsigned n)
{
	char urls[256], log[96];
	bench_nats_format_urls(rig->places, rig->servers, urls, sizeof urls);
	snprintf(log, sizeof log, "%s/gateway-%u.log", rig->folder, n);
	const char *argv[] = { rig->settings->sluice_path, "--listen", "127.0.0.1:0", "--shards", "1", "--limits",
		"off", "--web", rig->folder, "--history-total", "256M",
		rig->servers ? "--backend" : NULL, "nats", "--nats", urls, "--nats-bus", "bench", NULL };
	int err = bench_process_start(&rig->gateways[n], argv, BENCH_ANY_CORE, log);
	return err ? err : bench_process_read_port(&rig->gateways[n], &rig->ports[n]);
}

static int
open_rig(struct rig *rig)
{
	strcpy(rig->folder, "/tmp/sluice-bench.XXXXXX");
	if (!mkdtemp(rig->folder))
		return SL_EIO;
	int err = rig->servers ? bench_nats_choose(rig->places, rig->servers) : 0;
	for (unsigned n = 0; n < rig->servers && !err; n++)
		err = bench_nats_start(&rig->nats[n], rig->places, rig->servers, n, rig->folder, FILE_BYTES);
	if (!err)
		err = bench_nats_await(rig->places, rig->servers, START_MS);
	if (!err)
		err = start_gateway(rig, 0);
	return err ? err : bench_talk_open(&rig->talk, rig->ports[0], "bench.publisher", rig->spins);
}

static void
close_rig(struct rig *rig)
{
	bench_talk_close(&rig->talk);
	for (unsigned n = 0; n < GATEWAYS; n++)
		bench_process_stop(&rig->gateways[n]);
	for (unsigned n = 0; n < SERVERS_MAX; n++)
		bench_process_stop(&rig->nats[n]);
	if (rig->folder[0])
		nftw(rig->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static uint64_t
log_cpu_ns(const struct rig *rig)
{
	uint64_t sum = 0;
	for (unsigned n = 0; n < rig->servers; n++)
		sum += bench_process_cpu_ns(&rig->nats[n]);
	return sum;
}

static void
set(struct rig *rig, const char *name, double value)
{
	json_object_set_new(rig->figures, name, json_real(value));
}

static void
rest(uint64_t ns)
{
	nanosleep(&(struct timespec){ .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) }, NULL);
}

/* ---- publishing ---- */

static int
publish_next(struct rig *rig)
{
	char channel[32];
	snprintf(channel, sizeof channel, "bench.%u", rig->seq % CHANNELS);
	return bench_talk_publish(&rig->talk, channel, rig->seq++ / CHANNELS, PAYLOAD_BYTES);
}

/* One at a time, its ack awaited. */
static int
publish_lone(struct rig *rig)
{
	int err = publish_next(rig);
	return err ? err : bench_talk_await_acks(&rig->talk, rig->talk.acks + 1);
}

static int
measure_lone(struct rig *rig)
{
	int err = 0;
	for (unsigned i = 0; i < WARM_UP && !err; i++)
		err = publish_lone(rig);
	uint64_t end_ns = bench_now_ns() + (uint64_t)(rig->seconds * 1e9);
	*rig->times = (struct bench_histogram){ 0 };
	while (!err && bench_now_ns() < end_ns) {
		uint64_t start_ns = bench_now_ns();
		err = publish_lone(rig);
		bench_histogram_record(rig->times, bench_now_ns() - start_ns);
	}
	bench_histogram_set_percentile(rig->times, 50, rig->figures, "lone_p50_us");
	bench_histogram_set_percentile(rig->times, 99, rig->figures, "lone_p99_us");
	return err;
}

/* Keeps WINDOW publishes under way until `count` were sent or it is `end_ns`, and awaits all acks. */
static int
publish_window(struct rig *rig, uint64_t count, uint64_t end_ns)
{
	uint64_t sent = 0, before = rig->talk.acks;
	int err = 0;
	while (!err && sent < count && bench_now_ns() < end_ns) {
		while (!err && sent < count && sent - (rig->talk.acks - before) < WINDOW) {
			err = publish_next(rig);
			sent++;
		}
		if (!err)
			err = bench_talk_await_acks(&rig->talk, rig->talk.acks + 1);
	}
	return err ? err : bench_talk_await_acks(&rig->talk, before + sent);
}

/* `watched` is another gateway, which reads along; NULL: there is none. */
static int
measure_window(struct rig *rig, const struct bench_process *watched)
{
	uint64_t start_ns = bench_now_ns(), acks = rig->talk.acks;
	uint64_t gateway_ns = bench_process_cpu_ns(&rig->gateways[0]), log_ns = log_cpu_ns(rig);
	uint64_t sleeps = bench_process_sleeps(&rig->gateways[0]), wakeups = rig->talk.wakeups;
	uint64_t watched_ns = watched ? bench_process_cpu_ns(watched) : 0;
	int err = publish_window(rig, UINT64_MAX, start_ns + (uint64_t)(rig->seconds * 1e9));
	double published = (double)(rig->talk.acks - acks);
	double each_us = 1e-3 / published;
	if (err || published == 0)
		return err ? err : SL_EAGAIN;
	if (watched) {
		set(rig, "tailed_cpu_us", (double)(bench_process_cpu_ns(watched) - watched_ns) * each_us);
		set(rig, "log_cpu_us_with_two_tails", (double)(log_cpu_ns(rig) - log_ns) * each_us);
		return 0;
	}
	set(rig, "publishes_per_s", published * 1e9 / (double)(bench_now_ns() - start_ns));
	set(rig, "gateway_cpu_us_per_publish",
		(double)(bench_process_cpu_ns(&rig->gateways[0]) - gateway_ns) * each_us);
	set(rig, "wakeups_per_publish", (double)(rig->talk.wakeups - wakeups) / published);
	set(rig, "server_sleeps_per_publish",
		(double)(bench_process_sleeps(&rig->gateways[0]) - sleeps) / published);
	if (rig->servers)
		set(rig, "log_cpu_us_per_publish", (double)(log_cpu_ns(rig) - log_ns) * each_us);
	return 0;
}

/* ---- the other gateway ---- */

/* Until it listens, it has read the log to its end. */
static int
time_start(struct rig *rig, const char *figure)
{
	uint64_t start_ns = bench_now_ns();
	int err = start_gateway(rig, 1);
	if (!err)
		set(rig, figure, (double)(bench_now_ns() - start_ns) / 1e3);
	return err;
}

static int
measure_replay(struct rig *rig)
{
	uint64_t published = rig->seq;
	int err = published < REPLAYED ? publish_window(rig, REPLAYED - published, UINT64_MAX) : 0;
	if (!err)
		err = time_start(rig, "replay_us");
	set(rig, "replayed", rig->seq);
	return err;
}

/* What a message costs a gateway on which nobody wants it: what it uses in a time with messages, less what it
 * uses in one without. */
static int
measure_tail(struct rig *rig)
{
	const struct bench_process *watched = &rig->gateways[1];
	uint64_t span_ns = (uint64_t)(rig->seconds * 1e9), count = (uint64_t)(rig->seconds * PACED_PER_S);
	rest(200000000);
	uint64_t before_ns = bench_process_cpu_ns(watched);
	rest(span_ns);
	uint64_t idle_ns = bench_process_cpu_ns(watched) - before_ns;
	uint64_t start_ns = bench_now_ns(), acks = rig->talk.acks;
	before_ns = bench_process_cpu_ns(watched);
	int err = 0;
	for (uint64_t i = 0; i < count && !err; i++) {
		uint64_t due_ns = start_ns + i * 1000000000u / PACED_PER_S, now_ns = bench_now_ns();
		if (now_ns < due_ns)
			rest(due_ns - now_ns);
		if (acks + i >= rig->talk.acks + WINDOW) /* as many as a connection may leave unanswered */
			err = bench_talk_await_acks(&rig->talk, rig->talk.acks + 1);
		if (!err)
			err = publish_next(rig);
	}
	if (!err)
		err = bench_talk_await_acks(&rig->talk, acks + count);
	rest(50000000);
	double took = (double)(bench_now_ns() - start_ns);
	double used_ns = (double)(bench_process_cpu_ns(watched) - before_ns);
	double idle_share = (double)idle_ns / (double)span_ns;
	set(rig, "idle_cpu_share", idle_share);
	set(rig, "tailed_paced_cpu_us", (used_ns - idle_share * took) / (double)count / 1e3);
	return err;
}

/* Published through the first gateway, received from `port`. */
static int
measure_delivery(struct rig *rig, uint16_t port)
{
	struct bench_talk reader = { .fd = -1 };
	uint64_t end_ns = bench_now_ns() + (uint64_t)(rig->seconds * 1e9), acks = rig->talk.acks;
	uint32_t seq = 0;
	*rig->times = (struct bench_histogram){ 0 };
	int err = bench_talk_open(&reader, port, "bench.read", rig->spins);
	for (; !err && bench_now_ns() < end_ns; seq++) {
		uint64_t start_ns = bench_now_ns();
		err = bench_talk_publish(&rig->talk, "bench.read", seq, PAYLOAD_BYTES);
		if (!err)
			err = bench_talk_await_message(&reader, seq);
		bench_histogram_record(rig->times, bench_now_ns() - start_ns);
		if (!err)
			err = bench_talk_await_acks(&rig->talk, acks + seq + 1);
		rest(DELIVERY_PAUSE_NS);
	}
	if (!err && (reader.heard.skipped || reader.heard.doubled || reader.heard.reordered))
		err = SL_EPROTO;
	bench_histogram_set_percentile(rig->times, 50, rig->figures, "delivery_p50_us");
	bench_histogram_set_percentile(rig->times, 99, rig->figures, "delivery_p99_us");
	bench_talk_close(&reader);
	return err;
}

/* ---- a repeat ---- */

static int
measure(struct rig *rig)
{
	int err = measure_lone(rig);
	if (!err && rig->servers) {
		err = time_start(rig, "start_us");
		bench_process_stop(&rig->gateways[1]);
	}
	if (!err)
		err = measure_window(rig, NULL);
	if (!rig->servers)
		return err ? err : measure_delivery(rig, rig->ports[0]);
	if (!err)
		err = measure_replay(rig);
	if (!err)
		err = measure_tail(rig);
	if (!err)
		err = measure_window(rig, &rig->gateways[1]);
	return err ? err : measure_delivery(rig, rig->ports[1]);
}

/* NULL, or why a log in NATS cannot be measured here. */
static const char *
find_missing(const struct bench_settings *settings)
{
	char line[128] = "";
	if (!bench_nats_find())
		return "nats-server is not installed: scripts/setup cluster";
	/* It complains of the first option that is wrong. */
	bench_process_first_line(settings->sluice_path, "--backend=nats --shards=0", line, sizeof line);
	return strstr(line, "--shards") ? NULL
		: "the gateway was built without libnats: scripts/setup cluster, then configure --with-nats=yes";
}

/* What a gateway had to say that did not start. */
static void
show_logs(const struct rig *rig)
{
	for (unsigned n = 0; n < GATEWAYS; n++) {
		char path[96], line[512];
		snprintf(path, sizeof path, "%s/gateway-%u.log", rig->folder, n);
		FILE *log = fopen(path, "re");
		for (int lines = 0; log && lines < 20 && fgets(line, sizeof line, log); lines++)
			fprintf(stderr, "gateway %u: %s", n, line);
		if (log)
			fclose(log);
	}
}

static int
cluster_measure(struct bench_run *run, const json_t *params, json_t *repeat)
{
	struct rig rig = {
		.settings = run->settings,
		.servers = (unsigned)json_integer_value(json_object_get(params, "servers")),
		.talk.fd = -1, .spins = run->busy_polling,
		.seconds = bench_scenario_seconds(run->settings, SECONDS, QUICK_SECONDS),
		.times = calloc(1, sizeof *rig.times),
		.figures = json_object(),
	};
	for (unsigned n = 0; n < SERVERS_MAX; n++)
		rig.nats[n].output = -1;
	for (unsigned n = 0; n < GATEWAYS; n++)
		rig.gateways[n].output = -1;
	const char *missing = rig.servers ? find_missing(run->settings) : NULL;
	int err = rig.times && rig.figures ? 0 : SL_ENOMEM;
	json_object_set_new(repeat, missing ? "skipped" : "figures", missing ? json_string(missing) :
		json_incref(rig.figures));
	if (!missing && !err)
		err = open_rig(&rig);
	if (!missing && !err)
		err = measure(&rig);
	if (err && rig.talk.said[0])
		json_object_set_new(repeat, "error", json_sprintf("the gateway said: %s", rig.talk.said));
	if (err)
		show_logs(&rig);
	close_rig(&rig);
	json_decref(rig.figures);
	free(rig.times);
	return err;
}

static json_t *
cluster_cases(const struct bench_settings *settings)
{
	return settings->quick ? json_pack("[{s:i},{s:i}]", "servers", 0, "servers", 1)
		: json_pack("[{s:i},{s:i},{s:i}]", "servers", 0, "servers", 1, "servers", 3);
}

const struct bench_scenario bench_scenario_cluster = {
	.name = "cluster",
	.title = "cluster: a bus in the gateway's memory, and on NATS servers that gateways share",
	.by_name = true,
	.busy_polling = true,
	.instead_of_transport = "websocket",
	.needs = BENCH_HAS(BENCH_WEBSOCKET),
	.why_no_target = "it starts NATS servers and gateways of its own",
	.why_no_network = "its servers are on loopback",
	.cases = cluster_cases,
	.measure = cluster_measure,
};
