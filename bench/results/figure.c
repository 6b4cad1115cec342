#include "bench/results/figure.h"

#include <stdio.h>
#include <string.h>

/* What the emulated link itself cost, of each scenario that needs one. */
#define LINK_FIGURES(scenario) \
	{ scenario, "link_cpu_share", "link's CPU", "share of a core the emulated link used", \
		BENCH_SHARE, false }, \
	{ scenario, "link_late_p99_us", "link late", "how late the emulated link delivered packets, p99", \
		BENCH_MICROSECONDS, false }

const struct bench_figure bench_figures[] = {
	{ "latency", "p50_us", "p50", "half of the deliveries took at most", BENCH_MICROSECONDS, true },
	{ "latency", "p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, true },
	{ "latency", "p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "latency", "p999_us", "p99.9", "99.9 % took at most", BENCH_MICROSECONDS, true },
	{ "latency", "max_us", "max", "the slowest delivery", BENCH_MICROSECONDS, true },
	{ "latency", "wakeups_per_delivery", "wake-ups", "how often a send woke the receiver, per delivery",
		BENCH_RATIO, true },
	{ "latency", "server_sleeps_per_delivery", "server sleeps", "how often the server slept, per delivery",
		BENCH_RATIO, false },
	{ "latency", "mean_us", "mean", "the mean", BENCH_MICROSECONDS, false },
	{ "latency", "samples", "samples", "deliveries timed", BENCH_COUNT, false },

	{ "fanout", "deliveries_per_s", "deliveries", "deliveries per second of the window",
		BENCH_PER_SECOND, true },
	{ "fanout", "deliveries_per_cpu_s", "per CPU s", "deliveries per second of the server's CPU",
		BENCH_PER_SECOND, true },
	{ "fanout", "cpu_us_per_delivery", "CPU each", "the server's CPU time per delivery",
		BENCH_MICROSECONDS, true },
	{ "fanout", "wakeups_per_delivery", "wake-ups", "how often a send woke the receiver, per delivery",
		BENCH_RATIO, true },
	{ "fanout", "server_sleeps_per_delivery", "server sleeps", "how often the server slept, per delivery",
		BENCH_RATIO, false },
	{ "fanout", "server_cpu_share", "server CPU", "share of a core the server used", BENCH_SHARE, true },
	{ "fanout", "wire_per_delivery", "wire", "bytes of TCP streams to the subscribers, per delivery", BENCH_BYTES,
		false },

	{ "channels", "cpu_us_per_delivery", "CPU each", "the server's CPU time per publish and its delivery",
		BENCH_MICROSECONDS, true },
	{ "channels", "wakeups_per_delivery", "wake-ups", "how often a send woke the receiver, per delivery",
		BENCH_RATIO, true },
	{ "channels", "server_sleeps_per_delivery", "server sleeps", "how often the server slept, per delivery",
		BENCH_RATIO, false },
	{ "channels", "p50_us", "p50", "half of the deliveries took at most", BENCH_MICROSECONDS, true },
	{ "channels", "p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "channels", "max_us", "max", "the slowest delivery", BENCH_MICROSECONDS, false },
	{ "channels", "samples", "samples", "deliveries timed", BENCH_COUNT, false },
	{ "channels", "process_kib", "memory", "memory of the process per channel, with its subscriber and messages",
		BENCH_KIBIBYTES, true },

	{ "overhead", "down_payload", "payload", "down: payload", BENCH_BYTES, true },
	{ "overhead", "down_framing", "framing", "down: frames, events, JSON around it", BENCH_BYTES, true },
	{ "overhead", "down_heads", "heads", "down: HTTP heads", BENCH_BYTES, true },
	{ "overhead", "down_tcp_ip", "TCP/IP", "down: TCP and IP headers", BENCH_BYTES, true },
	{ "overhead", "down_tls", "TLS", "down: TLS records", BENCH_BYTES, true },
	{ "overhead", "down_total", "down", "all bytes to the client", BENCH_BYTES, true },
	{ "overhead", "up_payload", "up payload", "up: payload", BENCH_BYTES, false },
	{ "overhead", "up_framing", "up framing", "up: frames", BENCH_BYTES, false },
	{ "overhead", "up_heads", "up heads", "up: HTTP heads", BENCH_BYTES, false },
	{ "overhead", "up_tcp_ip", "up TCP/IP", "up: TCP and IP headers", BENCH_BYTES, false },
	{ "overhead", "up_tls", "up TLS", "up: TLS records", BENCH_BYTES, false },
	{ "overhead", "up_total", "up", "all bytes from the client", BENCH_BYTES, true },
	{ "overhead", "bytes_per_s", "a client", "bytes in both directions, per second and client",
		BENCH_BYTES_PER_SECOND, true },
	{ "overhead", "relayed", "relayed", "requests of the transport that libmicrohttpd answered", BENCH_COUNT,
		false },
	{ "overhead", "wire_down", "counted down", "bytes the subscribers' sockets read, with the warm-up",
		BENCH_COUNT, false },
	{ "overhead", "stats_down", "gateway's down", "the same by the gateway's own count", BENCH_COUNT, false },
	{ "overhead", "wire_up", "counted up", "bytes the subscribers' sockets wrote, with the warm-up",
		BENCH_COUNT, false },
	{ "overhead", "stats_up", "gateway's up", "the same by the gateway's own count", BENCH_COUNT, false },

	{ "break-even", "rate_per_s", "equal at", "message rate at which both carry the same bytes",
		BENCH_PER_SECOND, true },

	{ "idle", "process_kib", "process", "memory of the process per connection", BENCH_KIBIBYTES, true },
	{ "idle", "kernel_slab_kib", "kernel slab", "kernel objects per connection", BENCH_KIBIBYTES, true },
	{ "idle", "kernel_socket_kib", "socket buffers", "kernel socket buffers per connection",
		BENCH_KIBIBYTES, true },
	{ "idle", "cpu_share_10000", "CPU of 10,000", "share of a core for 10,000 connections with heartbeats",
		BENCH_SHARE, true },
	{ "idle", "wakeups_per_s_10000", "wake-ups/s", "wake-ups of the receiver by sends to 10,000 connections, per second",
		BENCH_COUNT, true },
	{ "idle", "server_sleeps_per_s_10000", "server sleeps/s", "sleeps of the server with 10,000 connections, per second",
		BENCH_COUNT, false },
	{ "idle", "connections", "connections", "connections held", BENCH_COUNT, true },

	{ "opening", "cpu_us_per_connection", "CPU each", "the server's CPU time per connection",
		BENCH_MICROSECONDS, true },
	{ "opening", "wakeups_per_connection", "wake-ups", "how often a send woke the client, per connection",
		BENCH_RATIO, true },
	{ "opening", "server_sleeps_per_connection", "server sleeps", "how often the server slept, per connection",
		BENCH_RATIO, false },

	{ "connect", "connections_per_s", "connections", "connections opened per second",
		BENCH_PER_SECOND, true },
	{ "connect", "cpu_us_per_connection", "CPU each", "the server's CPU time per connection",
		BENCH_MICROSECONDS, true },
	{ "connect", "wakeups_per_connection", "wake-ups", "how often a send woke the client, per connection",
		BENCH_RATIO, true },
	{ "connect", "server_sleeps_per_connection", "server sleeps", "how often the server slept, per connection",
		BENCH_RATIO, false },
	{ "connect", "first_message_p50_us", "first message p50", "from connect() to the first message, p50",
		BENCH_MICROSECONDS, true },
	{ "connect", "first_message_p99_us", "p99", "from connect() to the first message, p99",
		BENCH_MICROSECONDS, true },
	{ "connect", "round_trips", "round trips", "round trips until the first message", BENCH_COUNT, true },

	{ "handshake", "cpu_us_per_connection", "CPU each",
		"the server's CPU time per connection, with its handshake and one answer", BENCH_MICROSECONDS, true },
	{ "handshake", "wakeups_per_connection", "wake-ups", "how often a send woke the client, per connection",
		BENCH_RATIO, true },
	{ "handshake", "server_sleeps_per_connection", "server sleeps", "how often the server slept, per connection",
		BENCH_RATIO, false },
	{ "handshake", "connections", "connections", "connections made", BENCH_COUNT, true },
	{ "handshake", "resumed", "resumed", "connections that resumed a TLS session", BENCH_COUNT, true },

	{ "storm", "longest_turn_us", "longest turn", "the gateway's longest turn during the storm",
		BENCH_MICROSECONDS, true },
	{ "storm", "p50_us", "p50", "half of the others' deliveries took at most", BENCH_MICROSECONDS, true },
	{ "storm", "p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, false },
	{ "storm", "p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "storm", "p999_us", "p99.9", "99.9 % took at most", BENCH_MICROSECONDS, false },
	{ "storm", "max_us", "max", "the slowest delivery", BENCH_MICROSECONDS, true },
	{ "storm", "mean_us", "mean", "the mean", BENCH_MICROSECONDS, false },
	{ "storm", "samples", "samples", "deliveries timed", BENCH_COUNT, false },
	{ "storm", "server_cpu_share", "server CPU", "share of a core the server used", BENCH_SHARE, true },
	{ "storm", "wakeups_per_delivery", "wake-ups", "how often a send woke the others, per delivery to them",
		BENCH_RATIO, true },
	{ "storm", "server_sleeps_per_delivery", "server sleeps", "how often the server slept, per delivery to them",
		BENCH_RATIO, false },
	{ "storm", "storm_us", "took", "from the first reconnect until all were open again", BENCH_MICROSECONDS,
		true },
	{ "storm", "connections", "connections", "connections that were open again", BENCH_COUNT, true },
	{ "storm", "full", "full", "full handshakes by the gateway's count", BENCH_COUNT, false },
	{ "storm", "resumed", "resumed", "resumed handshakes by the gateway's count", BENCH_COUNT, false },
	{ "storm", "failed", "failed", "failed handshakes by the gateway's count", BENCH_COUNT, false },

	{ "renewal", "longest_turn_us", "longest turn", "the gateway's longest turn meanwhile",
		BENCH_MICROSECONDS, true },
	{ "renewal", "quiet_turn_us", "before", "its longest turn before, when the same messages were all",
		BENCH_MICROSECONDS, true },
	{ "renewal", "cpu_us_each", "CPU each",
		"the gateway's CPU time per renewal, without that of the messages", BENCH_MICROSECONDS, true },
	{ "renewal", "wakeups_per_renewal", "wake-ups",
		"how often a send woke the clients, per renewal, with the messages", BENCH_RATIO, true },
	{ "renewal", "server_sleeps_per_renewal", "server sleeps", "how often the server slept, per renewal",
		BENCH_RATIO, false },
	{ "renewal", "gone_us", "gone after",
		"from the tokens' expiry, or the disconnect request, until the last stream ended",
		BENCH_MICROSECONDS, true },
	{ "renewal", "back_us", "back after", "from the tokens' expiry until all clients were back", BENCH_MICROSECONDS,
		true },
	{ "renewal", "streams", "streams", "streams that renewed, came back or ended", BENCH_COUNT, true },
	{ "renewal", "verified", "verified", "tokens that the gateway verified, by its own count", BENCH_COUNT,
		true },
	{ "renewal", "cached", "cached", "tokens that it had verified before, those of publishes", BENCH_COUNT,
		false },
	{ "renewal", "expired", "expired", "streams that it ended because a token expired, by its own count",
		BENCH_COUNT, false },
	{ "renewal", "revoked", "revoked", "streams that it ended by a disconnect, by its own count",
		BENCH_COUNT, false },
	{ "renewal", "retry_min_ms", "retry from", "ms: the shortest retry that the gateway sent", BENCH_COUNT,
		false },
	{ "renewal", "retry_max_ms", "retry to", "ms: the longest retry that the gateway sent", BENCH_COUNT,
		false },
	{ "renewal", "messages", "messages", "messages published to each stream", BENCH_COUNT, false },
	{ "renewal", "overlap", "overlap", "messages that arrived on both links of a client, per client", BENCH_RATIO,
		true },
	{ "renewal", "lost", "lost", "messages that never came", BENCH_COUNT, true },
	{ "renewal", "doubled", "doubled", "messages that arrived twice on a link", BENCH_COUNT, true },

	{ "request", "p50_us", "p50", "half of the requests took at most", BENCH_MICROSECONDS, true },
	{ "request", "p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "request", "cpu_us_per_request", "CPU each", "the server's CPU time per request",
		BENCH_MICROSECONDS, true },
	{ "request", "wakeups_per_request", "wake-ups", "how often a send woke the client, per request",
		BENCH_RATIO, true },
	{ "request", "server_sleeps_per_request", "server sleeps", "how often the server slept, per request",
		BENCH_RATIO, false },
	{ "request", "down_total", "down", "all bytes to the client", BENCH_BYTES, true },
	{ "request", "up_total", "up", "all bytes from the client", BENCH_BYTES, true },

	{ "publish", "cpu_us_per_publish", "CPU each", "the server's CPU time per message",
		BENCH_MICROSECONDS, true },
	{ "publish", "wakeups_per_publish", "wake-ups", "how often a send woke the publisher, per message",
		BENCH_RATIO, true },
	{ "publish", "server_sleeps_per_publish", "server sleeps", "how often the server slept, per message",
		BENCH_RATIO, false },

	{ "sessions", "process_kib", "process", "memory of the process per session", BENCH_KIBIBYTES, true },
	{ "sessions", "gone_us", "gone after", "from the last handshake until the gateway had removed all of them",
		BENCH_MICROSECONDS, true },
	{ "sessions", "again_kib", "the second time", "additional memory of the process when as many sessions come again, per session",
		BENCH_KIBIBYTES, true },
	{ "sessions", "count", "sessions", "sessions opened", BENCH_COUNT, true },
	{ "sessions", "expired", "expired", "sessions whose client did not come back, by the gateway's own count",
		BENCH_COUNT, false },
	{ "sessions", "p50_us", "median", "time of a handshake beside the flood", BENCH_MICROSECONDS, true },
	{ "sessions", "p90_us", "90 %", "the same, 90 % took at most", BENCH_MICROSECONDS, true },
	{ "sessions", "max_us", "longest", "the same, the longest", BENCH_MICROSECONDS, true },
	{ "sessions", "refused", "refused", "rejected handshakes of the client beside the flood",
		BENCH_COUNT, true },
	{ "sessions", "lost", "lost", "sessions of this client that were gone at the end", BENCH_COUNT, true },
	{ "sessions", "flood_sessions", "flood has", "sessions of the flood at the end", BENCH_COUNT, true },
	{ "sessions", "flood_asked", "flood asked", "answered handshakes of the flood", BENCH_COUNT, true },
	{ "sessions", "flood_refused", "flood refused", "rejected handshakes of the flood", BENCH_COUNT, false },

	{ "token", "cpu_us_per_request", "CPU each", "the server's CPU time per request", BENCH_MICROSECONDS,
		true },
	{ "token", "wakeups_per_request", "wake-ups", "how often a send woke the client, per request",
		BENCH_RATIO, true },
	{ "token", "server_sleeps_per_request", "server sleeps", "how often the server slept, per request",
		BENCH_RATIO, false },
	{ "token", "requests", "requests", "requests of the window", BENCH_COUNT, true },
	{ "token", "verified", "verified", "tokens that the gateway verified, by its own count", BENCH_COUNT,
		true },
	{ "token", "cached", "cached", "tokens that the gateway had verified before, by its own count",
		BENCH_COUNT, true },

	{ "deflate", "object_bytes", "object", "bytes of a message's JSON object", BENCH_BYTES, true },
	{ "deflate", "wire_per_delivery", "wire", "bytes of the TCP stream to a subscriber, per message", BENCH_BYTES,
		true },
	{ "deflate", "wire_share", "of it", "bytes on the wire divided by bytes of the object", BENCH_RATIO, true },
	{ "deflate", "cpu_us_per_message", "CPU each", "the server's CPU time per message, for all its subscribers",
		BENCH_MICROSECONDS, true },
	{ "deflate", "cpu_us_per_delivery", "a delivery", "the server's CPU time per message and subscriber",
		BENCH_MICROSECONDS, true },
	{ "deflate", "compressed_per_message", "compressed",
		"how often the gateway compressed a message, by its own count", BENCH_RATIO, true },
	{ "deflate", "wakeups_per_message", "wake-ups", "how often a send woke the generator, per message", BENCH_RATIO,
		true },
	{ "deflate", "samples", "samples", "messages of the window", BENCH_COUNT, false },
	{ "deflate", "server_sleeps_per_message", "server sleeps", "how often the server slept, per message",
		BENCH_RATIO, false },

	{ "cluster", "lone_p50_us", "lone", "a lone publish, until its ack: half took at most",
		BENCH_MICROSECONDS, true },
	{ "cluster", "lone_p99_us", "lone p99", "99 % of them took at most",
		BENCH_MICROSECONDS, true },
	{ "cluster", "publishes_per_s", "publishes", "acknowledged publishes per second, 64 under way on one WebSocket",
		BENCH_PER_SECOND, true },
	{ "cluster", "gateway_cpu_us_per_publish", "gateway", "the gateway's CPU time for each of them",
		BENCH_MICROSECONDS, true },
	{ "cluster", "log_cpu_us_per_publish", "servers", "the NATS servers' CPU time for each of them",
		BENCH_MICROSECONDS, true },
	{ "cluster", "wakeups_per_publish", "wake-ups", "how often an ack woke the publisher, per publish",
		BENCH_RATIO, true },
	{ "cluster", "server_sleeps_per_publish", "server sleeps", "how often the gateway's threads slept, per publish",
		BENCH_RATIO, false },
	{ "cluster", "delivery_p50_us", "delivery", "from a publish to a reader at the other gateway, or at the same one if it is alone: half took at most",
		BENCH_MICROSECONDS, true },
	{ "cluster", "delivery_p99_us", "delivery p99", "99 % of them took at most",
		BENCH_MICROSECONDS, true },
	{ "cluster", "replay_us", "start", "a gateway's start until it had read the log and listened",
		BENCH_MICROSECONDS, true },
	{ "cluster", "replayed", "of", "messages in the log at that start",
		BENCH_COUNT, true },
	{ "cluster", "tailed_cpu_us", "tailed", "CPU time of a gateway for a message without a subscriber there, with 64 always "
		"under way", BENCH_MICROSECONDS, true },
	{ "cluster", "tailed_paced_cpu_us", "one by one", "the same for messages that arrive one by one, 1,000 per second",
		BENCH_MICROSECONDS, true },
	{ "cluster", "start_us", "empty start", "a gateway's start on a log with a few hundred messages",
		BENCH_MICROSECONDS, false },
	{ "cluster", "log_cpu_us_with_two_tails", "servers, 2 gateways", "the NATS servers' CPU time per publish with two gateways that read",
		BENCH_MICROSECONDS, false },
	{ "cluster", "idle_cpu_share", "idle", "share of a core that a gateway without clients used",
		BENCH_SHARE, false },

	{ "page", "cpu_us_per_page", "CPU each", "the server's CPU time per page load, with its connections",
		BENCH_MICROSECONDS, true },
	{ "page", "wakeups_per_page", "wake-ups", "how often a send woke the browser, per page load",
		BENCH_RATIO, true },
	{ "page", "server_sleeps_per_page", "server sleeps", "how often the server slept, per page load",
		BENCH_RATIO, false },
	{ "page", "p50_us", "p50", "half of the page loads took at most", BENCH_MICROSECONDS, true },
	{ "page", "p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, true },
	{ "page", "max_us", "max", "the slowest page load", BENCH_MICROSECONDS, true },
	{ "page", "samples", "samples", "page loads timed", BENCH_COUNT, false },
	{ "page", "files", "files", "files of the page", BENCH_COUNT, true },

	{ "switch", "hops", "hops", "changes of transport", BENCH_COUNT, true },
	{ "switch", "delivered", "delivered", "messages that arrived", BENCH_COUNT, true },
	{ "switch", "lost", "lost", "messages that never came", BENCH_COUNT, true },
	{ "switch", "doubled", "doubled", "messages that came twice", BENCH_COUNT, true },
	{ "switch", "reordered", "reordered", "messages that came out of order", BENCH_COUNT, true },

	{ "upgrade", "p50_us", "p50", "from connect() of the WebSocket to the first message over it, p50",
		BENCH_MICROSECONDS, true },
	{ "upgrade", "p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, true },
	{ "upgrade", "p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "upgrade", "p999_us", "p99.9", "99.9 % took at most", BENCH_MICROSECONDS, false },
	{ "upgrade", "max_us", "max", "the slowest upgrade", BENCH_MICROSECONDS, true },
	{ "upgrade", "mean_us", "mean", "the mean", BENCH_MICROSECONDS, false },
	{ "upgrade", "samples", "samples", "upgrades timed", BENCH_COUNT, false },
	{ "upgrade", "released_p50_us", "poll released", "from connect() until the held poll was answered, p50",
		BENCH_MICROSECONDS, true },
	{ "upgrade", "released_p99_us", "p99", "from connect() until the held poll was answered, p99",
		BENCH_MICROSECONDS, true },
	{ "upgrade", "cpu_us_per_upgrade", "CPU each", "the server's CPU time an upgrade", BENCH_MICROSECONDS, true },
	{ "upgrade", "wakeups_per_upgrade", "wake-ups", "how often a send woke the client, an upgrade", BENCH_RATIO,
		true },
	{ "upgrade", "server_sleeps_per_upgrade", "server sleeps", "how often the server slept, an upgrade",
		BENCH_RATIO, false },

	{ "net-connect", "connect_p50_us", "connect p50", "from connect() to subscribed, p50",
		BENCH_MICROSECONDS, true },
	{ "net-connect", "connect_p90_us", "p90", "from connect() to subscribed, p90",
		BENCH_MICROSECONDS, true },
	{ "net-connect", "first_fresh_p50_us", "first message p50",
		"from connect() to a message that is published once the client is subscribed, p50",
		BENCH_MICROSECONDS, true },
	{ "net-connect", "first_fresh_p90_us", "p90",
		"from connect() to a message that is published once the client is subscribed, p90",
		BENCH_MICROSECONDS, true },
	{ "net-connect", "first_resumed_p50_us", "resumed p50",
		"from connect() at a cursor to the message that history holds, p50", BENCH_MICROSECONDS, true },
	{ "net-connect", "first_resumed_p90_us", "p90",
		"from connect() at a cursor to the message that history holds, p90", BENCH_MICROSECONDS, true },
	{ "net-connect", "samples", "samples", "clients timed", BENCH_COUNT, false },
	LINK_FIGURES("net-connect"),

	{ "net-latency", "latency_p50_us", "p50", "half of the deliveries took at most",
		BENCH_MICROSECONDS, true },
	{ "net-latency", "latency_p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, true },
	{ "net-latency", "latency_p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "net-latency", "latency_max_us", "max", "the slowest delivery", BENCH_MICROSECONDS, false },
	{ "net-latency", "samples", "samples", "deliveries timed", BENCH_COUNT, false },
	LINK_FIGURES("net-latency"),

	{ "net-recovery", "recovery_us", "recovery p50",
		"from the end of the cut until a client has all messages published before, p50",
		BENCH_MICROSECONDS, true },
	{ "net-recovery", "recovery_max_us", "max", "the slowest client", BENCH_MICROSECONDS, true },
	{ "net-recovery", "reopened", "reopened", "connections that ended and that the client opened again, per client",
		BENCH_RATIO, true },
	{ "net-recovery", "samples", "samples", "clients timed", BENCH_COUNT, false },
	LINK_FIGURES("net-recovery"),

	{ "net-bytes", "link_bytes_down_per_message", "down",
		"bytes of IP packets to the client, without what was sent again", BENCH_BYTES, true },
	{ "net-bytes", "link_bytes_up_per_message", "up",
		"bytes of IP packets from the client, without what was sent again", BENCH_BYTES, true },
	{ "net-bytes", "link_retransmitted_bytes_per_message", "sent again",
		"bytes of packets that carried nothing new, both ways", BENCH_BYTES, true },
	{ "net-bytes", "packets_per_message", "packets", "packets both ways", BENCH_RATIO, false },
	LINK_FIGURES("net-bytes"),

	{ "net-publish", "publish_p50_us", "p50", "from a publish that was due to its answer, p50",
		BENCH_MICROSECONDS, true },
	{ "net-publish", "publish_p90_us", "p90", "90 % took at most", BENCH_MICROSECONDS, true },
	{ "net-publish", "publish_p99_us", "p99", "99 % took at most", BENCH_MICROSECONDS, true },
	{ "net-publish", "samples", "samples", "publishes timed", BENCH_COUNT, false },
	LINK_FIGURES("net-publish"),
	{ 0 },
};

/* From the largest down; a value is shown in the first that it reaches. */
static const struct scale {
	enum bench_unit unit;
	double factor;
	const char *suffix;
} scales[] = {
	{ BENCH_MICROSECONDS, 1e6, "s" },
	{ BENCH_MICROSECONDS, 1e3, "ms" },
	{ BENCH_MICROSECONDS, 1, "µs" },
	{ BENCH_BYTES, 1024 * 1024, "MiB" },
	{ BENCH_BYTES, 10 * 1024, "KiB" },
	{ BENCH_BYTES, 1, "B" },
	{ BENCH_KIBIBYTES, 1024, "MiB" },
	{ BENCH_KIBIBYTES, 1, "KiB" },
	{ BENCH_PER_SECOND, 1e6, "M/s" },
	{ BENCH_PER_SECOND, 1e4, "k/s" },
	{ BENCH_PER_SECOND, 1, "/s" },
	{ BENCH_BYTES_PER_SECOND, 1024 * 1024, "MiB/s" },
	{ BENCH_BYTES_PER_SECOND, 10 * 1024, "KiB/s" },
	{ BENCH_BYTES_PER_SECOND, 1, "B/s" },
	{ BENCH_SHARE, 0.01, "%" },
	{ BENCH_COUNT, 1, "" },
	{ BENCH_RATIO, 1, "" },
};

const struct bench_figure *
bench_figure_find(const char *scenario, const char *name)
{
	for (const struct bench_figure *figure = bench_figures; figure->name; figure++)
		if (strcmp(figure->scenario, scenario) == 0 && strcmp(figure->name, name) == 0)
			return figure;
	return NULL;
}

static const struct scale *
scale_of(enum bench_unit unit, double value)
{
	const struct scale *found = NULL;
	for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
		if (scales[i].unit == unit) {
			found = &scales[i];
			if (value >= found->factor)
				break;
		}
	return found;
}

/* KiB and MiB begin at ten of the smaller unit, but divide by the unit itself. */
static double
divisor_of(const struct scale *scale)
{
	if (scale->factor == 10 * 1024)
		return 1024;
	return scale->factor == 1e4 ? 1e3 : scale->factor;
}

void
bench_figure_write(char out[BENCH_CELL_MAX], enum bench_unit unit, double value, double scale)
{
	const struct scale *chosen = scale_of(unit, scale);
	double shown = value / divisor_of(chosen), size = scale / divisor_of(chosen);
	int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
	/* In a burst of 100 a few thousandths of a wake-up are most of a delivery's CPU. */
	if (unit == BENCH_RATIO && size < 0.9995)
		digits = 3;
	/* Bytes and counts are often whole; 0 of anything is just that. */
	if (value == 0 || ((unit == BENCH_COUNT || unit == BENCH_BYTES) && value == (double)(long long)value
		&& divisor_of(chosen) == 1))
		digits = 0;
	snprintf(out, BENCH_CELL_MAX, "%.*f", digits, shown);
}

const char *
bench_figure_suffix(enum bench_unit unit, double scale)
{
	return scale_of(unit, scale)->suffix;
}

json_t *
bench_figures_json(void)
{
	static const char *const units[] = {
		[BENCH_COUNT] = "", [BENCH_MICROSECONDS] = "µs", [BENCH_BYTES] = "B",
		[BENCH_KIBIBYTES] = "KiB", [BENCH_PER_SECOND] = "/s", [BENCH_BYTES_PER_SECOND] = "B/s",
		[BENCH_SHARE] = "share", [BENCH_RATIO] = "ratio",
	};
	json_t *all = json_object();
	for (const struct bench_figure *figure = bench_figures; figure->name; figure++) {
		json_t *list = json_object_get(all, figure->scenario);
		if (!list) {
			list = json_array();
			json_object_set_new(all, figure->scenario, list);
		}
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", figure->name,
			"heading", figure->heading, "meaning", figure->meaning, "unit", units[figure->unit],
			"in_table", figure->in_table));
	}
	return all;
}
