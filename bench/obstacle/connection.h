/* One client's connection, and the one to the origin that belongs to it.
 * Owner: the proxy's list; freed at the end of the turn in which it was closed. Thread: one.
 * Errors: none, a connection that fails ends. */
#ifndef SL_BENCH_OBSTACLE_CONNECTION_H
#define SL_BENCH_OBSTACLE_CONNECTION_H

#include "bench/obstacle/exchange.h"
#include "bench/obstacle/fault.h"
#include "bench/obstacle/proxy.h"
#include "bench/obstacle/queue.h"
#include "bench/obstacle/tls.h"

enum ob_stage {
	OB_STAGE_OPENING,    /* faults are asked if it may begin */
	OB_STAGE_READING,    /* a request's head */
	OB_STAGE_JUDGING,    /* faults are asked what becomes of the request */
	OB_STAGE_FORWARDING, /* the request goes to the origin, its response comes back */
	OB_STAGE_TUNNEL,     /* bytes pass both ways */
	OB_STAGE_HOLE,       /* nothing comes of what the client sends */
	OB_STAGE_ENDING,     /* what is queued for the client goes out, then it is closed */
	OB_STAGE_ORPHAN,     /* the client has left, the origin has not been told */
	OB_STAGE_CLOSED,
};

struct ob_side {
	struct sl_watch watch;
	struct ob_connection *conn;
	struct ob_tls_end tls;
	struct ob_queue out; /* what it will be sent */
	bool is_connecting;
};

struct ob_connection {
	struct ob_proxy *proxy;
	struct ob_connection *next, **prev;
	struct ob_side client, origin;
	unsigned origin_at, origin_left; /* the address being tried, and how many are to be */
	struct sl_buffer in; /* from the client, not yet understood */
	enum ob_stage stage;
	bool ends_with_reset, is_shut;
	bool is_dead[2];     /* by enum ob_way: what comes is thrown away */
	uint64_t opened_ms;
	uint64_t read_ms[2]; /* by enum ob_way: when bytes last came */
	uint64_t carried;    /* bytes read from both sides */
	uint64_t deadline_ms; /* of ENDING and ORPHAN */
	struct sl_timer timer;
	struct ob_fault_set *faults; /* owns a reference */
	struct ob_active *actives;   /* owns; one a fault, in order */
	unsigned active_count;
	struct ob_exchange exchange;
	struct sl_deferred deferred;
};

/* Takes `fd`. A connection that cannot be made is closed. */
void ob_connection_open(struct ob_proxy *proxy, int fd);
void ob_connection_close(struct ob_connection *conn);

/* After whatever happened: sends what is due, asks for the events that are wanted. Every
 * callback ends with it. */
void ob_connection_settle(struct ob_connection *conn);

/* Ends it as `ending` says: enum ob_ending or a status. Does nothing to one that is ending. */
void ob_connection_end(struct ob_connection *conn, uint64_t ending);

/* Queues bytes for one side as the faults schedule them. */
void ob_connection_send(struct ob_connection *conn, enum ob_way way, const void *bytes,
	size_t len);

/* Connects to the origin; at once false when that is hopeless. */
bool ob_connection_open_origin(struct ob_connection *conn);
void ob_connection_close_origin(struct ob_connection *conn);

/* Asks the faults from `from` on whether it may begin. */
void ob_connection_begin(struct ob_connection *conn, unsigned from);

/* Bytes pass as they are from now on. */
void ob_connection_start_tunnel(struct ob_connection *conn);

/* The proxy's faults have changed. */
void ob_connection_change_faults(struct ob_connection *conn);

/* True while it can still be given an answer of our own. */
bool ob_connection_can_answer(const struct ob_connection *conn);

#endif
