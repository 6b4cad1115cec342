/* The peers and the transports, each in the order in which they are shown. */
#include "bench/peer.h"

const char *const bench_transport_names[BENCH_TRANSPORT_COUNT] = {
	"websocket", "sse", "stream", "longpoll", "poll",
};

const struct bench_peer *const bench_peers[] = {
	&bench_peer_floor,
	&bench_peer_floor_open,
	&bench_peer_nchan,
	&bench_peer_ws,
	&bench_peer_socketio,
	&bench_peer_pushpin,
	&bench_peer_sluice,
	&bench_peer_sluice_tls,
	&bench_peer_sluice_hs256,
	&bench_peer_sluice_rs256,
	&bench_peer_sluice_es256,
	&bench_peer_sluice_eddsa,
	&bench_peer_sluice_4,
	&bench_peer_sluice_socketio,
	&bench_peer_sluice_socketio_4,
	&bench_peer_sluice_engineio,
	NULL,
};

const struct bench_peer *const bench_peers_by_algorithm[BENCH_ALGORITHM_COUNT] = {
	[BENCH_NO_ALGORITHM] = &bench_peer_sluice,
	[BENCH_HS256] = &bench_peer_sluice_hs256,
	[BENCH_RS256] = &bench_peer_sluice_rs256,
	[BENCH_ES256] = &bench_peer_sluice_es256,
	[BENCH_EDDSA] = &bench_peer_sluice_eddsa,
};
