/* The networks by name, and those of one's own. */
#include <string.h>

#include "bench/network/network.h"
#include "tests/unit/unit.h"
#include "util/err.h"

static struct bench_network_kind
parse(const char *text)
{
	struct bench_network_kind kind;
	const char *why = NULL;
	CU_ASSERT_EQUAL_FATAL(bench_network_parse(&kind, text, &why), 0);
	CU_ASSERT_PTR_NULL(why);
	CU_ASSERT_STRING_EQUAL(kind.name, text);
	return kind;
}

static void
expect(const char *name, double rtt_ms, double jitter_ms, double loss)
{
	struct bench_network_kind kind = parse(name);
	CU_ASSERT_DOUBLE_EQUAL(kind.rtt_ms, rtt_ms, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.jitter_ms, jitter_ms, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.loss, loss, 1e-12);
	CU_ASSERT_NOT_EQUAL(kind.seed, 0);
}

static void
test_named_networks_are_those_of_the_manual(void)
{
	static const char *const names[] = { "lan", "wifi", "4g", "atlantic", "satellite", "bad" };
	expect("lan", 0.2, 0, 0);
	expect("wifi", 5, 2, 0.005);
	expect("4g", 40, 10, 0.005);
	expect("atlantic", 90, 0, 0.001);
	expect("satellite", 600, 0, 0.01);
	expect("bad", 150, 0, 0.05);
	for (size_t i = 0; i <= sizeof names / sizeof *names; i++)
		CU_ASSERT_STRING_EQUAL(bench_network_kinds[i].name, i < 6 ? names[i] : "");
	struct bench_network_kind kind = parse("4g");
	CU_ASSERT_DOUBLE_EQUAL(kind.down_mbit, 20, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.up_mbit, 5, 0);
	CU_ASSERT_EQUAL(kind.queue_bytes, parse("rtt=40,jitter=10,loss=0.5,rate=20/5").queue_bytes);
}

static void
test_values_of_ones_own_come_in_any_order(void)
{
	struct bench_network_kind kind = parse("rate=2.5/0.5,loss=.25,rtt=12.5,jitter=3");
	CU_ASSERT_DOUBLE_EQUAL(kind.down_mbit, 2.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.up_mbit, 0.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.loss, 0.0025, 1e-12);
	CU_ASSERT_DOUBLE_EQUAL(kind.rtt_ms, 12.5, 0);
	CU_ASSERT_DOUBLE_EQUAL(kind.jitter_ms, 3, 0);
	expect("rtt=0", 0, 0, 0);
	kind = parse("rtt=40,rate=8");
	CU_ASSERT_DOUBLE_EQUAL(kind.up_mbit, 8, 0);
}

static void
test_queue_is_100_ms_or_a_round_trip_and_64_kib_at_least(void)
{
	CU_ASSERT_EQUAL(parse("rtt=40").queue_bytes, 0);
	CU_ASSERT_EQUAL(parse("rtt=40,rate=80").queue_bytes, 1000000);
	CU_ASSERT_EQUAL(parse("rtt=400,rate=80").queue_bytes, 4000000);
	CU_ASSERT_EQUAL(parse("rtt=400,rate=2/80").queue_bytes, 4000000);
	CU_ASSERT_EQUAL(parse("rtt=0,rate=1").queue_bytes, 65536);
	CU_ASSERT_EQUAL(parse("rtt=10000,rate=10000").queue_bytes, 1u << 30);
}

static void
test_what_is_wrong_is_said(void)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "use lan" }, { "5g", "use lan" }, { "LAN", "use lan" },
		{ "rtt", "use lan" }, { "loss=1", "rtt=MS is missing" }, { "rtt=", "rtt is" },
		{ "rtt=-1", "rtt is" }, { "rtt= 1", "rtt is" }, { "rtt=nan", "rtt is" },
		{ "rtt=10001", "rtt is" }, { "rtt=.", "rtt is" }, { "rtt=1,jitter=x", "jitter is" },
		{ "rtt=1,loss=101", "loss is" }, { "rtt=1,loss=1%", "no units" }, { "rtt=1ms", "no units" },
		{ "rtt=1,rate=1/", "rate is" }, { "rtt=1,rate=/1", "rate is" }, { "rtt=1,rate=1/2/3", "no units" },
		{ "rtt=1,rtt", "rtt is" }, { "rtt=1,", "use rtt=" }, { ",rtt=1", "use rtt=" },
		{ "rtt=1,delay=1", "use rtt=" }, { "rtt=1,=1", "use rtt=" }, { "=", "use rtt=" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bench_network_kind kind;
		const char *why = NULL;
		CU_ASSERT_EQUAL(bench_network_parse(&kind, cases[i].text, &why), SL_EINVAL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(why);
		if (!strstr(why, cases[i].says))
			printf("'%s': %s\n", cases[i].text, why);
		CU_ASSERT_PTR_NOT_NULL(strstr(why, cases[i].says));
	}
}

static void
test_name_longer_than_its_room_is_refused(void)
{
	char text[BENCH_NETWORK_NAME_MAX + 1] = "rtt=1.";
	struct bench_network_kind kind;
	const char *why = NULL;
	memset(text + 6, '0', sizeof text - 7);
	text[sizeof text - 2] = '\0'; /* 95 characters */
	CU_ASSERT_EQUAL(bench_network_parse(&kind, text, &why), 0);
	text[sizeof text - 2] = '0';
	text[sizeof text - 1] = '\0';
	CU_ASSERT_EQUAL(bench_network_parse(&kind, text, &why), SL_EINVAL);
	CU_ASSERT_STRING_EQUAL(why, "it is too long");
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_named_networks_are_those_of_the_manual),
		UNIT_TEST(test_values_of_ones_own_come_in_any_order),
		UNIT_TEST(test_queue_is_100_ms_or_a_round_trip_and_64_kib_at_least),
		UNIT_TEST(test_what_is_wrong_is_said),
		UNIT_TEST(test_name_longer_than_its_room_is_refused),
		{ NULL, NULL },
	};
	return unit_main("bench network kinds", tests);
}
