/* Which segments carry nothing new. */
#include "bench/network/flows.h"

#include <string.h>

#include "tests/unit/unit.h"

#define FIN 1
#define SYN 2
#define ACK 16

struct tcp {
	unsigned source, port;
	uint32_t sequence;
	unsigned flags, payload;
	unsigned fragment, protocol, options; /* options: bytes in the IP head */
};

static struct bench_flows flows;

static void
put_32(unsigned char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static size_t
write_packet(unsigned char *packet, struct tcp tcp)
{
	size_t ip = 20 + tcp.options, total = ip + 32 + tcp.payload; /* 12 bytes of TCP options */
	memset(packet, 0, total);
	packet[0] = (unsigned char)(0x40 | ip / 4);
	packet[2] = (unsigned char)(total >> 8);
	packet[3] = (unsigned char)total;
	packet[6] = (unsigned char)(tcp.fragment >> 8);
	packet[7] = (unsigned char)tcp.fragment;
	packet[9] = (unsigned char)(tcp.protocol ? tcp.protocol : 6);
	put_32(packet + 12, 0x0a610000 + tcp.source);
	put_32(packet + 16, 0x0a610002);
	packet[ip] = (unsigned char)(tcp.port >> 8);
	packet[ip + 1] = (unsigned char)tcp.port;
	packet[ip + 3] = 80;
	put_32(packet + ip + 4, tcp.sequence);
	packet[ip + 12] = 8 << 4;
	packet[ip + 13] = (unsigned char)tcp.flags;
	return total;
}

static bool
repeats(struct tcp tcp)
{
	unsigned char packet[2000];
	size_t len = write_packet(packet, tcp);
	return bench_flows_is_repeat(&flows, packet, len);
}

static void
begin(void)
{
	memset(&flows, 0, sizeof flows);
}

/* A segment of one connection. */
static bool
segment(uint32_t sequence, unsigned flags, unsigned payload)
{
	return repeats((struct tcp){ .port = 5000, .sequence = sequence, .flags = flags, .payload = payload });
}

static void
test_data_that_was_had_is_a_repeat_and_more_of_it_is_not(void)
{
	begin();
	CU_ASSERT_FALSE(segment(100, SYN, 0));
	CU_ASSERT_FALSE(segment(101, ACK, 50));
	CU_ASSERT_FALSE(segment(151, ACK, 50));
	CU_ASSERT_TRUE(segment(101, ACK, 50));
	CU_ASSERT_TRUE(segment(101, ACK, 100)); /* both together, nothing new */
	CU_ASSERT_FALSE(segment(151, ACK, 51)); /* one byte is new */
	CU_ASSERT_TRUE(segment(201, ACK, 1));
}

static void
test_syn_and_fin_again_are_repeats(void)
{
	begin();
	CU_ASSERT_FALSE(segment(100, SYN, 0));
	CU_ASSERT_TRUE(segment(100, SYN, 0));
	CU_ASSERT_FALSE(segment(101, FIN | ACK, 10));
	CU_ASSERT_TRUE(segment(101, FIN | ACK, 10));
	CU_ASSERT_TRUE(segment(111, FIN | ACK, 0));
}

static void
test_acknowledgements_and_keepalives_are_no_repeats(void)
{
	begin();
	segment(100, SYN, 0);
	segment(101, ACK, 10);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_FALSE(segment(111, ACK, 0));
		CU_ASSERT_FALSE(segment(110, ACK, 0));
	}
}

static void
test_sequence_numbers_wrap(void)
{
	begin();
	CU_ASSERT_FALSE(segment(0xfffffff0, SYN, 0));
	CU_ASSERT_FALSE(segment(0xfffffff1, ACK, 100));
	CU_ASSERT_FALSE(segment(85, ACK, 100));
	CU_ASSERT_TRUE(segment(0xfffffff1, ACK, 100));
	CU_ASSERT_TRUE(segment(85, ACK, 100));
}

static void
test_port_used_again_is_a_new_connection(void)
{
	begin();
	segment(0x90000000, SYN, 0);
	segment(0x90000001, ACK, 100);
	CU_ASSERT_FALSE(segment(50, SYN, 0));
	CU_ASSERT_FALSE(segment(51, ACK, 100));
	CU_ASSERT_TRUE(segment(51, ACK, 100));
}

static void
test_flow_seen_from_its_middle_counts_from_there(void)
{
	begin();
	CU_ASSERT_FALSE(segment(5000, ACK, 100));
	CU_ASSERT_TRUE(segment(5000, ACK, 100));
	CU_ASSERT_FALSE(segment(5100, ACK, 100));
}

static void
test_flows_are_told_apart_by_address_and_port(void)
{
	begin();
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_FALSE(repeats((struct tcp){ .source = i % 10, .port = 1000 + i / 10,
			.sequence = 7, .flags = ACK, .payload = 9 }));
	for (unsigned i = 0; i < 1000; i++)
		CU_ASSERT_TRUE(repeats((struct tcp){ .source = i % 10, .port = 1000 + i / 10,
			.sequence = 7, .flags = ACK, .payload = 9 }));
	CU_ASSERT_EQUAL(flows.evicted, 0);
}

static void
test_full_table_evicts_the_flow_that_was_silent_longest_and_counts_it(void)
{
	unsigned total = 60000, again = 0;
	begin();
	for (unsigned port = 0; port < total; port++) {
		repeats((struct tcp){ .port = port, .sequence = 7, .flags = ACK, .payload = 9 });
		/* One that always speaks is never the one. */
		CU_ASSERT_EQUAL_FATAL(repeats((struct tcp){ .source = 9, .port = 1, .sequence = 7,
			.flags = ACK, .payload = 9 }), port > 0);
	}
	CU_ASSERT_EQUAL(flows.evicted, total + 1 - BENCH_FLOW_SETS * BENCH_FLOW_WAYS);
	for (unsigned port = total; port-- > total - 1000; )
		again += repeats((struct tcp){ .port = port, .sequence = 7, .flags = ACK, .payload = 9 });
	CU_ASSERT_EQUAL(again, 1000);
}

static void
test_what_is_no_whole_tcp_segment_is_passed_over(void)
{
	unsigned char packet[2000];
	struct tcp tcp = { .port = 1, .sequence = 1, .flags = ACK, .payload = 40 };
	begin();
	size_t len = write_packet(packet, tcp);
	for (size_t cut = 0; cut < len; cut++)
		CU_ASSERT_FALSE(bench_flows_is_repeat(&flows, packet, cut));
	CU_ASSERT_EQUAL(flows.packets, 0);
	for (unsigned i = 0; i < 2; i++) {
		tcp.protocol = 17;
		CU_ASSERT_FALSE(repeats(tcp));
		tcp.protocol = 6;
		tcp.fragment = 0x2000;
		CU_ASSERT_FALSE(repeats(tcp));
		tcp.fragment = 0x0010;
		CU_ASSERT_FALSE(repeats(tcp));
		tcp.fragment = 0;
	}
	CU_ASSERT_EQUAL(flows.packets, 0);
	packet[20 + 12] = 4 << 4; /* a TCP head of 16 bytes */
	CU_ASSERT_FALSE(bench_flows_is_repeat(&flows, packet, len));
	packet[20 + 12] = 15 << 4;
	packet[2] = 0;
	packet[3] = 60;
	CU_ASSERT_FALSE(bench_flows_is_repeat(&flows, packet, len));
	CU_ASSERT_EQUAL(flows.packets, 0);
	tcp.fragment = 0x4000; /* may not be fragmented */
	tcp.options = 8;
	CU_ASSERT_FALSE(repeats(tcp));
	CU_ASSERT_TRUE(repeats(tcp));
}

int
main(void)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(test_data_that_was_had_is_a_repeat_and_more_of_it_is_not),
		UNIT_TEST(test_syn_and_fin_again_are_repeats),
		UNIT_TEST(test_acknowledgements_and_keepalives_are_no_repeats),
		UNIT_TEST(test_sequence_numbers_wrap),
		UNIT_TEST(test_port_used_again_is_a_new_connection),
		UNIT_TEST(test_flow_seen_from_its_middle_counts_from_there),
		UNIT_TEST(test_flows_are_told_apart_by_address_and_port),
		UNIT_TEST(test_full_table_evicts_the_flow_that_was_silent_longest_and_counts_it),
		UNIT_TEST(test_what_is_no_whole_tcp_segment_is_passed_over),
		{ NULL, NULL },
	};
	return unit_main("bench network flows", tests);
}
