#include "bench/network/flows.h"

#include <string.h>

#define IP_HEAD_BYTES 20
#define TCP_HEAD_BYTES 20
#define PROTOCOL_TCP 6
#define FRAGMENT_BITS 0x3fff /* more fragments, and the offset (RFC 791, section 3.1) */
#define FIN 1
#define SYN 2

/* What matters of a segment. */
struct segment {
	uint32_t source, destination, ports;
	uint32_t sequence, end; /* end: behind its last byte, where SYN and FIN count as one */
	bool is_syn;
};

static uint32_t
read_16(const unsigned char *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t
read_32(const unsigned char *at)
{
	return read_16(at) << 16 | read_16(at + 2);
}

static bool
read_segment(struct segment *segment, const unsigned char *packet, size_t len)
{
	if (len < IP_HEAD_BYTES || packet[0] >> 4 != 4 || packet[9] != PROTOCOL_TCP
		|| read_16(packet + 6) & FRAGMENT_BITS)
		return false;
	size_t ip_head = (size_t)(packet[0] & 15) * 4, total = read_16(packet + 2);
	if (total > len || ip_head < IP_HEAD_BYTES || total < ip_head + TCP_HEAD_BYTES)
		return false;
	const unsigned char *tcp = packet + ip_head;
	size_t tcp_head = (size_t)(tcp[12] >> 4) * 4;
	if (tcp_head < TCP_HEAD_BYTES || total < ip_head + tcp_head)
		return false;
	memcpy(&segment->source, packet + 12, 4);
	memcpy(&segment->destination, packet + 16, 4);
	memcpy(&segment->ports, tcp, 4);
	segment->is_syn = tcp[13] & SYN;
	segment->sequence = read_32(tcp + 4);
	segment->end = segment->sequence + (uint32_t)(total - ip_head - tcp_head) + segment->is_syn
		+ (tcp[13] & FIN ? 1 : 0);
	return true;
}

static unsigned
set_of(const struct segment *segment)
{
	uint64_t mixed = (segment->source ^ (uint64_t)segment->destination << 13)
		* 0x9e3779b97f4a7c15u ^ segment->ports;
	mixed *= 0x9e3779b97f4a7c15u;
	return (unsigned)(mixed >> 32) % BENCH_FLOW_SETS;
}

/* The flow's place, or the one that is free or was silent longest. */
static struct bench_flow *
find(struct bench_flows *flows, const struct segment *segment)
{
	struct bench_flow *set = flows->flows[set_of(segment)], *oldest = set;
	for (struct bench_flow *flow = set; flow < set + BENCH_FLOW_WAYS; flow++) {
		if (flow->used && flow->ports == segment->ports && flow->source == segment->source
			&& flow->destination == segment->destination)
			return flow;
		if (flow->used < oldest->used)
			oldest = flow;
	}
	flows->evicted += oldest->used > 0;
	*oldest = (struct bench_flow){ .source = segment->source, .destination = segment->destination,
		.ports = segment->ports };
	return oldest;
}

bool
bench_flows_is_repeat(struct bench_flows *flows, const unsigned char *packet, size_t len)
{
	struct segment segment;
	if (!read_segment(&segment, packet, len))
		return false;
	struct bench_flow *flow = find(flows, &segment);
	bool is_first = flow->used == 0;
	flow->used = ++flows->packets;
	/* Ports are used again: a SYN that is not the one before begins a new connection. */
	if (is_first || (segment.is_syn && segment.sequence != flow->first)) {
		flow->first = segment.sequence;
		flow->highest = segment.end;
		return false;
	}
	if ((int32_t)(segment.end - flow->highest) <= 0)
		return segment.end != segment.sequence;
	flow->highest = segment.end;
	return false;
}
