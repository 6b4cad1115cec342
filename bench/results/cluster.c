#include "bench/results/cluster.h"

#include <string.h>

#include "bench/results/figure.h"
#include "bench/results/table.h"

#define BUSES_MAX 100000
#define GATEWAYS_MIN 2 /* of a bus: one may die */
#define USUAL_DELIVERY_US 6.0 /* doc/benchmarks.md, single messages over WebSocket, where the run has no fanout */
#define USUAL_CLIENT_KIB 9.0  /* twice an idle WebSocket's, gateway and kernel, where the run has no idle */
#define GIB (1024.0 * 1024.0) /* in KiB */

const struct bench_cluster_load bench_cluster_load = {
	.publishes_per_client_s = 1.0 / 600, .receivers = 10, .cores = 8, .memory_gib = 32, .history_gib = 0.5,
	.share = 0.5, .servers = 3,
};

/* ---- the computation ---- */

static double
larger(double one, double other)
{
	return one > other ? one : other;
}

static double
round_up(double value)
{
	double whole = (double)(unsigned long long)value;
	return whole < value ? whole + 1 : whole;
}

/* One bus of so many clients: sets the shares, and returns how many gateways it has; 0: it is too large for one. */
static unsigned
fit_bus(const struct bench_cluster_costs *costs, const struct bench_cluster_load *load, double clients,
	struct bench_cluster_size *size)
{
	double publishes = clients * load->publishes_per_client_s;
	double tail_cores = publishes * costs->tailed_us * 1e-6;
	double other_cores = publishes * (costs->publish_us + load->receivers * costs->delivery_us) * 1e-6;
	double free_cores = load->cores * load->share - tail_cores;
	double free_gib = load->memory_gib * load->share - load->history_gib;
	size->log_rate = publishes / costs->log_per_s / load->share;
	size->tail_thread = tail_cores / load->share;
	if (size->log_rate > 1 || size->tail_thread > 1 || free_cores <= 0)
		return 0;
	double by_cpu = other_cores / free_cores, by_memory = clients * costs->client_kib / GIB / free_gib;
	double gateways = larger(GATEWAYS_MIN, round_up(larger(by_cpu, by_memory)));
	size->gateway_cpu = (other_cores / gateways + tail_cores) / (load->cores * load->share);
	size->gateway_memory = (clients * costs->client_kib / GIB / gateways + load->history_gib)
		/ (load->memory_gib * load->share);
	double log_us = costs->log_publish_us + (gateways - 1) * costs->log_tail_us;
	size->log_cpu = publishes * log_us * 1e-6 / (load->servers * load->cores * load->share);
	return size->log_cpu > 1 ? 0 : (unsigned)gateways;
}

/* Whichever share is highest. */
static const char *
name_first(const struct bench_cluster_size *size)
{
	const struct {
		double share;
		const char *words;
	} all[] = {
		{ size->log_rate, "the rate of publishes that one log takes" },
		{ size->tail_thread, "the thread by which each gateway reads the whole log" },
		{ size->log_cpu, "the CPU of the NATS servers" },
		{ size->gateway_cpu, "the CPU of the gateways" },
		{ size->gateway_memory, "the memory of the gateways" },
	};
	size_t first = 0;
	for (size_t i = 1; i < sizeof all / sizeof *all; i++)
		if (all[i].share > all[first].share)
			first = i;
	return all[first].words;
}

void
bench_cluster_compute(const struct bench_cluster_costs *costs, const struct bench_cluster_load *load,
	double clients, struct bench_cluster_size *out)
{
	*out = (struct bench_cluster_size){ .clients = clients,
		.publishes_per_s = clients * load->publishes_per_client_s };
	/* Each step is a tenth more, so that a hundred million clients take no longer than a million. */
	for (unsigned buses = 1; buses <= BUSES_MAX; buses += 1 + buses / 32) {
		struct bench_cluster_size size = *out;
		unsigned gateways = fit_bus(costs, load, clients / buses, &size);
		if (!out->first && gateways == 0) { /* why one bus is not enough */
			size.gateway_cpu = size.gateway_memory = 0;
			out->first = name_first(&size);
		}
		if (gateways == 0)
			continue;
		size.first = out->first ? out->first : name_first(&size);
		size.buses = buses;
		size.gateways = gateways * buses;
		size.servers = load->servers * buses;
		*out = size;
		return;
	}
}

/* ---- what was measured ---- */

static const json_t *
find_result(const struct bench_report *report, const char *scenario, int servers)
{
	size_t i;
	json_t *result;
	json_array_foreach(json_object_get(report->root, "results"), i, result) {
		const char *name = json_string_value(json_object_get(result, "scenario"));
		const json_t *of = json_object_get(json_object_get(result, "case"), "servers");
		if (name && strcmp(name, scenario) == 0 && (servers < 0 || json_integer_value(of) == servers))
			return result;
	}
	return NULL;
}

static bool
median_of(const struct bench_report *report, int servers, const char *figure, double *out)
{
	return bench_result_median(find_result(report, "cluster", servers), figure, out);
}

/* Of three servers, or of one where there are no three. Returns how many; 0: of none. */
static unsigned
get_costs(const struct bench_report *report, struct bench_cluster_costs *costs)
{
	double two_tails, process_kib, slab_kib, socket_kib;
	unsigned servers = find_result(report, "cluster", 3) ? 3 : 1;
	int of = (int)servers;
	bool is_whole = median_of(report, of, "gateway_cpu_us_per_publish", &costs->publish_us)
		&& median_of(report, of, "tailed_cpu_us", &costs->tailed_us)
		&& median_of(report, of, "log_cpu_us_per_publish", &costs->log_publish_us)
		&& median_of(report, of, "log_cpu_us_with_two_tails", &two_tails)
		&& median_of(report, of, "publishes_per_s", &costs->log_per_s);
	if (!is_whole)
		return 0;
	costs->log_tail_us = larger(0, two_tails - costs->log_publish_us);
	if (!bench_result_median(find_result(report, "fanout", -1), "cpu_us_per_delivery", &costs->delivery_us))
		costs->delivery_us = USUAL_DELIVERY_US;
	const json_t *idle = find_result(report, "idle", -1);
	bool has_idle = bench_result_median(idle, "process_kib", &process_kib)
		&& bench_result_median(idle, "kernel_slab_kib", &slab_kib)
		&& bench_result_median(idle, "kernel_socket_kib", &socket_kib);
	costs->client_kib = has_idle ? process_kib + slab_kib + socket_kib : USUAL_CLIENT_KIB;
	return servers;
}

static void
add_goal(json_t *goals, const char *what, bool is_measured, double value, double limit, bool is_least,
	const char *unit)
{
	bool is_met = is_least ? value >= limit : value <= limit;
	const char *verdict = is_met ? "met" : "missed";
	json_array_append_new(goals, json_pack("{s:s, s:o, s:f, s:s, s:b, s:s}", "what", what, "value",
		is_measured ? json_real(value) : json_null(), "limit", limit, "unit", unit, "least", is_least,
		"verdict", is_measured ? verdict : "not measured"));
}

static json_t *
make_goals(const struct bench_report *report)
{
	json_t *goals = json_array();
	double memory = 0, nats = 0, value = 0, count = 0;
	bool is_lone = median_of(report, 0, "lone_p50_us", &memory) && median_of(report, 1, "lone_p50_us", &nats);
	add_goal(goals, "a lone publish above one in memory, 1 server", is_lone, nats - memory, 500, false, "µs");
	bool is_rate = median_of(report, 1, "publishes_per_s", &value);
	add_goal(goals, "publishes per second, 1 server, 64 under way", is_rate, value, 20000, true, "/s");
	bool is_replay = median_of(report, 1, "replay_us", &value) && median_of(report, 1, "replayed", &count);
	add_goal(goals, "start with a log of 100,000 messages", is_replay && count >= 100000, value / 1e6, 2, false, "s");
	bool is_tail = median_of(report, 1, "tailed_cpu_us", &value);
	add_goal(goals, "a gateway's CPU for a message without a subscriber there", is_tail, value, 5, false, "µs");
	return goals;
}

static json_t *
size_json(const struct bench_cluster_size *size)
{
	return json_pack("{s:f, s:f, s:i, s:i, s:i, s:s, s:{s:f, s:f, s:f, s:f, s:f}}", "clients", size->clients,
		"publishes_per_s", size->publishes_per_s, "buses", (int)size->buses, "gateways", (int)size->gateways,
		"servers", (int)size->servers, "first", size->first ? size->first : "", "shares", "log_rate", size->log_rate,
		"log_cpu", size->log_cpu, "tail_thread", size->tail_thread, "gateway_cpu", size->gateway_cpu,
		"gateway_memory", size->gateway_memory);
}

static json_t *
make_sizes(const struct bench_cluster_costs *costs, const struct bench_cluster_load *load)
{
	static const double clients[] = { 1e6, 1e7, 1e8 };
	json_t *sizes = json_array();
	for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
		struct bench_cluster_size size;
		bench_cluster_compute(costs, load, clients[i], &size);
		json_array_append_new(sizes, size_json(&size));
	}
	return sizes;
}

void
bench_cluster_set(struct bench_report *report)
{
	struct bench_cluster_costs costs = { 0 };
	struct bench_cluster_load load = bench_cluster_load;
	const json_t *any = find_result(report, "cluster", 1);
	if (json_object_size(json_object_get(any, "summary")) == 0)
		return;
	json_t *cluster = json_pack("{s:o}", "goals", make_goals(report));
	json_object_set_new(report->root, "cluster", cluster);
	load.servers = get_costs(report, &costs);
	if (load.servers == 0)
		return;
	json_object_set_new(cluster, "costs", json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "publish_us",
		costs.publish_us, "tailed_us", costs.tailed_us, "delivery_us", costs.delivery_us, "log_publish_us",
		costs.log_publish_us, "log_tail_us", costs.log_tail_us, "log_per_s", costs.log_per_s, "client_kib",
		costs.client_kib));
	json_object_set_new(cluster, "load", json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:i}", "publishes_per_client_s",
		load.publishes_per_client_s, "receivers", load.receivers, "cores", load.cores, "memory_gib",
		load.memory_gib, "history_gib", load.history_gib, "share", load.share, "servers", (int)load.servers));
	json_object_set_new(cluster, "sizes", make_sizes(&costs, &load));
}

/* ---- printing ---- */

static double
number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void
print_goals(const json_t *goals, FILE *out)
{
	size_t i;
	json_t *goal;
	fputs("\ncluster: goals\n", out);
	json_array_foreach(goals, i, goal) {
		const char *unit = json_string_value(json_object_get(goal, "unit"));
		fprintf(out, "  %-56s", json_string_value(json_object_get(goal, "what")));
		if (json_is_number(json_object_get(goal, "value")))
			fprintf(out, "%10.2f %s", number_of(goal, "value"), unit);
		fprintf(out, "  %s %g %s: %s\n", json_is_true(json_object_get(goal, "least")) ? "at least" : "at most",
			number_of(goal, "limit"), unit, json_string_value(json_object_get(goal, "verdict")));
	}
}

static void
print_sizes(const json_t *cluster, FILE *out)
{
	const json_t *load = json_object_get(cluster, "load");
	size_t i;
	json_t *size;
	fprintf(out, "\ncluster: sizes\n  Each client publishes once every %.0f s, and each message reaches "
		"%.0f clients. Hosts have %.0f cores and\n  %.0f GiB, of which %.0f %% are used.\n  %12s %12s %7s %9s %13s  %s\n",
		1 / number_of(load, "publishes_per_client_s"), number_of(load, "receivers"), number_of(load, "cores"),
		number_of(load, "memory_gib"), 100 * number_of(load, "share"), "clients", "publishes/s", "buses", "gateways",
		"NATS servers", "what gives way first");
	json_array_foreach(json_object_get(cluster, "sizes"), i, size)
		fprintf(out, "  %12.0f %12.0f %7.0f %9.0f %13.0f  %s\n", number_of(size, "clients"),
			number_of(size, "publishes_per_s"), number_of(size, "buses"), number_of(size, "gateways"),
			number_of(size, "servers"), json_string_value(json_object_get(size, "first")));
}

void
bench_cluster_print(const struct bench_report *report, FILE *out)
{
	const json_t *cluster = json_object_get(report->root, "cluster");
	if (!cluster)
		return;
	print_goals(json_object_get(cluster, "goals"), out);
	if (json_object_get(cluster, "sizes"))
		print_sizes(cluster, out);
}
