/* What results over networks look like in a terminal, and what is warned of. */
#include "bench/results/networks.h"

#include <string.h>

#include "bench/peer.h"
#include "bench/results/table.h"
#include "tests/unit/unit.h"

static struct bench_report report;
static const struct bench_network_kind phone = { .name = "4g", .rtt_ms = 40, .jitter_ms = 10,
	.loss = 0.005, .down_mbit = 20, .up_mbit = 5, .seed = 1 };
static const struct bench_network_kind office = { .name = "lan", .rtt_ms = 0.2, .seed = 1 };

static void
begin(void)
{
	static char name[] = "sluice-bench";
	char *const argv[] = { name, NULL };
	CU_ASSERT_EQUAL_FATAL(bench_report_init(&report, 1, argv), 0);
}

static void
add(const char *scenario, const char *transport, const struct bench_network_kind *network,
	json_t *params, json_t *figures)
{
	const struct bench_result_key key = { .scenario = scenario, .server = "sluice",
		.transport = transport, .network = network, .params = params };
	CU_ASSERT_EQUAL(bench_report_add(&report, &key, json_pack("{s:o}", "figures", figures)), 0);
	json_decref(params);
}

static void
add_latency(const char *transport, const struct bench_network_kind *network, int rate, double us)
{
	add("net-latency", transport, network, json_pack("{s:i}", "rate", rate),
		json_pack("{s:f}", "latency_p50_us", us));
}

/* What the report looks like; to be freed. */
static char *
shown(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bench_report_summarise(&report);
	bench_table_print(&report, out);
	fclose(out);
	return text;
}

static void
test_networks_tell_results_apart(void)
{
	begin();
	add_latency("sse", &phone, 10, 20000);
	add_latency("sse", &office, 10, 200);
	add_latency("sse", NULL, 10, 100);
	add_latency("sse", &phone, 10, 22000);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(report.root, "results")), 3);
	json_t *result = json_array_get(json_object_get(report.root, "results"), 0);
	CU_ASSERT_STRING_EQUAL(bench_network_name_of(result), "4g");
	CU_ASSERT_EQUAL(json_number_value(json_object_get(json_object_get(result, "network"),
		"up_mbit")), 5);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "repeats")), 2);
	result = json_array_get(json_object_get(report.root, "results"), 2);
	CU_ASSERT_PTR_NULL(json_object_get(result, "network"));
	CU_ASSERT_STRING_EQUAL(bench_network_name_of(result), "");
	bench_report_finish(&report);
}

static void
test_block_of_a_network_has_a_row_for_each_transport(void)
{
	begin();
	add_latency("sse", &phone, 1, 20000);
	add_latency("sse", &phone, 100, 24000);
	add_latency("longpoll", &phone, 100, 48000);
	add("net-recovery", "sse", &phone, json_pack("{s:i}", "cut_s", 10),
		json_pack("{s:f}", "recovery_us", 1.5e6));
	char *text = shown();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "4g: 40 ms, 10 ms jitter, 0.5 % loss, 20/5 Mbit/s\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "1/s p50  100/s p50\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  sse         20.0 ms    24.0 ms\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  longpoll          –    48.0 ms\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "cut 10 s\n  sse           1.50 s\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "cut 1 s"));
	CU_ASSERT_PTR_NULL(strstr(text, "net-latency"));
	free(text);
	bench_report_finish(&report);
}

static void
test_fastest_are_those_that_repeats_do_not_tell_apart(void)
{
	begin();
	add_latency("websocket", &office, 10, 200);
	add_latency("websocket", &office, 10, 240);
	add_latency("sse", &office, 10, 230);
	add_latency("sse", &office, 10, 300);
	add_latency("longpoll", &office, 10, 260);
	add_latency("longpoll", &office, 10, 300);
	add_latency("websocket", &phone, 10, 22000);
	add_latency("sse", &phone, 10, 20000);
	add_latency("stream", &phone, 10, 20900);
	char *text = shown();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  lan                       websocket, sse\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  4g                        sse, stream\n"));
	free(text);
	bench_report_finish(&report);
}

static void
test_lost_messages_stand_where_a_figure_would(void)
{
	begin();
	add_latency("sse", &phone, 10, 20000);
	json_t *result = json_array_get(json_object_get(report.root, "results"), 0);
	json_object_set_new(json_array_get(json_object_get(result, "repeats"), 0), "lost", json_integer(3));
	char *text = shown();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  sse             lost"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "net-latency, sse on sluice (10 messages/s, on 4g): lost 3"));
	CU_ASSERT_PTR_NULL(strstr(text, "Fastest"));
	free(text);
	bench_report_finish(&report);
}

static void
add_late(const struct bench_network_kind *network, double late_us)
{
	add("net-bytes", "sse", network, json_object(), json_pack("{s:f}", "link_late_p99_us", late_us));
}

/* Beyond 5 % of the round trip and beyond 0.2 ms. */
static void
test_a_late_link_is_warned_of_once_a_network(void)
{
	static const struct {
		const struct bench_network_kind *network;
		double late_us;
		bool warned;
	} cases[] = {
		{ &phone, 1900, false }, { &phone, 2100, true }, { &office, 190, false }, { &office, 210, true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		add_late(cases[i].network, cases[i].late_us);
		add("net-publish", "sse", cases[i].network, json_object(),
			json_pack("{s:f}", "link_late_p99_us", 1.0));
		bench_report_summarise(&report);
		const json_t *warnings = json_object_get(report.root, "warnings");
		CU_ASSERT_EQUAL(json_array_size(warnings), cases[i].warned);
		if (cases[i].warned)
			CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_array_get(warnings, 0)),
				": in 1 of 2 results the link itself"));
		bench_report_finish(&report);
	}
}

static void
test_other_scenarios_say_the_network_of_their_case(void)
{
	begin();
	add("latency", "sse", &phone, json_pack("{s:i}", "rate", 5), json_pack("{s:f}", "p50_us", 20000.0));
	add("latency", "sse", NULL, json_pack("{s:i}", "rate", 5), json_pack("{s:f}", "p50_us", 100.0));
	char *text = shown();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  5 messages/s, on 4g\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  5 messages/s\n"));
	free(text);
	bench_report_finish(&report);
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_networks_tell_results_apart),
		UNIT_TEST(test_block_of_a_network_has_a_row_for_each_transport),
		UNIT_TEST(test_fastest_are_those_that_repeats_do_not_tell_apart),
		UNIT_TEST(test_lost_messages_stand_where_a_figure_would),
		UNIT_TEST(test_a_late_link_is_warned_of_once_a_network),
		UNIT_TEST(test_other_scenarios_say_the_network_of_their_case),
		{ 0 },
	};
	return unit_main("bench networks", tests);
}
