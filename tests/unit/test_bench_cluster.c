#include "bench/results/cluster.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct bench_cluster_costs cheap = { .publish_us = 10, .tailed_us = 5, .delivery_us = 5,
	.log_publish_us = 50, .log_tail_us = 2, .log_per_s = 20000, .client_kib = 16 };
static const struct bench_cluster_load load = { .publishes_per_client_s = 0.001, .receivers = 10, .cores = 4,
	.memory_gib = 17, .history_gib = 0.5, .share = 0.5, .servers = 3 };

static void
test_cluster_of_a_few_clients_has_two_gateways_so_that_one_may_die(void)
{
	struct bench_cluster_size size;
	bench_cluster_compute(&cheap, &load, 1000, &size);
	CU_ASSERT_EQUAL(size.buses, 1);
	CU_ASSERT_EQUAL(size.gateways, 2);
	CU_ASSERT_EQUAL(size.servers, 3);
	CU_ASSERT_DOUBLE_EQUAL(size.publishes_per_s, 1, 1e-9);
}

/* 8 GiB of a host's 17 are for clients: 524,288 of them. */
static void
test_cluster_has_gateways_for_the_memory_of_its_clients(void)
{
	struct bench_cluster_size size;
	bench_cluster_compute(&cheap, &load, 3 * 524288, &size);
	CU_ASSERT_EQUAL(size.gateways, 3);
	CU_ASSERT_DOUBLE_EQUAL(size.gateway_memory, 1, 1e-9);
	CU_ASSERT_STRING_EQUAL(size.first, "the memory of the gateways");
	bench_cluster_compute(&cheap, &load, 3 * 524288 + 1, &size);
	CU_ASSERT_EQUAL(size.gateways, 4);
}

/* 1,000 publishes and 10,000 deliveries a second are 60 ms of CPU a second, or 6 s of it at a hundredfold cost; of
 * a host's two cores for that, reading the log takes 5 ms. */
static void
test_cluster_has_gateways_for_the_cpu_of_deliveries(void)
{
	struct bench_cluster_costs dear = cheap;
	struct bench_cluster_size size;
	dear.delivery_us = 599;
	dear.client_kib = 1;
	bench_cluster_compute(&dear, &load, 1e6, &size);
	CU_ASSERT_EQUAL(size.gateways, 4);
	CU_ASSERT_DOUBLE_EQUAL(size.gateway_cpu, (6.0 / 4 + 0.005) / 2, 1e-9);
	CU_ASSERT_STRING_EQUAL(size.first, "the CPU of the gateways");
}

/* Half of 20,000 a second is one bus's: 10,000 clients a thousandth each. */
static void
test_cluster_is_split_into_buses_where_a_log_takes_no_more(void)
{
	struct bench_cluster_size size;
	bench_cluster_compute(&cheap, &load, 1e7, &size);
	CU_ASSERT_EQUAL(size.buses, 1);
	CU_ASSERT_DOUBLE_EQUAL(size.log_rate, 1, 1e-9);
	bench_cluster_compute(&cheap, &load, 3e7, &size);
	CU_ASSERT_EQUAL(size.buses, 3);
	CU_ASSERT_EQUAL(size.servers, 9);
	CU_ASSERT_STRING_EQUAL(size.first, "the rate of publishes that one log takes");
}

static void
test_cluster_is_split_where_gateways_cannot_read_the_log_any_faster(void)
{
	struct bench_cluster_costs dear = cheap;
	struct bench_cluster_size size;
	dear.tailed_us = 500;
	bench_cluster_compute(&dear, &load, 2e6, &size);
	CU_ASSERT_EQUAL(size.buses, 2);
	CU_ASSERT_DOUBLE_EQUAL(size.tail_thread, 1, 1e-9);
	CU_ASSERT_STRING_EQUAL(size.first, "the thread by which each gateway reads the whole log");
}

/* Each further gateway costs the servers: with many of them fewer publishes fit. */
static void
test_cluster_is_split_where_its_servers_have_too_many_readers(void)
{
	struct bench_cluster_costs dear = cheap;
	struct bench_cluster_size size;
	dear.log_tail_us = 600;
	bench_cluster_compute(&dear, &load, 1e7, &size);
	CU_ASSERT_TRUE(size.buses > 1);
	CU_ASSERT_STRING_EQUAL(size.first, "the CPU of the NATS servers");
	CU_ASSERT_TRUE(size.log_cpu <= 1);
}

static void
test_cluster_that_cannot_be_has_no_buses(void)
{
	struct bench_cluster_costs absurd = cheap;
	struct bench_cluster_size size;
	absurd.log_per_s = 1e-9;
	bench_cluster_compute(&absurd, &load, 1e6, &size);
	CU_ASSERT_EQUAL(size.buses, 0);
}

/* ---- the report ---- */

static json_t *
result_of(int servers, double lone_us, double per_s)
{
	const double values[] = { lone_us, per_s, 10, 60, 64, 3, 1.5e6, 100000 };
	static const char *const names[] = { "lone_p50_us", "publishes_per_s", "gateway_cpu_us_per_publish",
		"log_cpu_us_per_publish", "log_cpu_us_with_two_tails", "tailed_cpu_us", "replay_us", "replayed" };
	json_t *summary = json_object();
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		json_object_set_new(summary, names[i], json_pack("{s:f}", "median", values[i]));
	return json_pack("{s:s, s:{s:i}, s:o}", "scenario", "cluster", "case", "servers", servers, "summary", summary);
}

static const char *
verdict_of(const struct bench_report *report, size_t goal)
{
	const json_t *goals = json_object_get(json_object_get(report->root, "cluster"), "goals");
	return json_string_value(json_object_get(json_array_get(goals, goal), "verdict"));
}

static void
test_cluster_goals_are_held_against_what_was_measured(void)
{
	struct bench_report report = { json_pack("{s:[o,o,o]}", "results", result_of(0, 20, 70000),
		result_of(1, 600, 15000), result_of(3, 900, 9000)) };
	bench_cluster_set(&report);
	CU_ASSERT_STRING_EQUAL(verdict_of(&report, 0), "missed"); /* 580 µs above */
	CU_ASSERT_STRING_EQUAL(verdict_of(&report, 1), "missed");
	CU_ASSERT_STRING_EQUAL(verdict_of(&report, 2), "met");
	CU_ASSERT_STRING_EQUAL(verdict_of(&report, 3), "met");
	const json_t *cluster = json_object_get(report.root, "cluster"), *costs = json_object_get(cluster, "costs");
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(costs, "log_per_s")), 9000, 0); /* of three servers */
	CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(costs, "log_tail_us")), 4, 0);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(cluster, "sizes")), 3);
	json_decref(report.root);
}

static void
test_cluster_that_was_not_measured_is_not_in_the_report(void)
{
	struct bench_report report = { json_pack("{s:[{s:s, s:{s:i}, s:{}}]}", "results", "scenario", "cluster", "case",
		"servers", 1, "summary") };
	bench_cluster_set(&report);
	CU_ASSERT_PTR_NULL(json_object_get(report.root, "cluster"));
	json_decref(report.root);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_cluster_of_a_few_clients_has_two_gateways_so_that_one_may_die),
		UNIT_TEST(test_cluster_has_gateways_for_the_memory_of_its_clients),
		UNIT_TEST(test_cluster_has_gateways_for_the_cpu_of_deliveries),
		UNIT_TEST(test_cluster_is_split_into_buses_where_a_log_takes_no_more),
		UNIT_TEST(test_cluster_is_split_where_gateways_cannot_read_the_log_any_faster),
		UNIT_TEST(test_cluster_is_split_where_its_servers_have_too_many_readers),
		UNIT_TEST(test_cluster_that_cannot_be_has_no_buses),
		UNIT_TEST(test_cluster_goals_are_held_against_what_was_measured),
		UNIT_TEST(test_cluster_that_was_not_measured_is_not_in_the_report),
		{ NULL, NULL },
	};
	return unit_main("bench_cluster", tests);
}
