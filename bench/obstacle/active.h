/* A fault at work on one connection: its state, and what its hooks may do.
 * Owner: the connection's array. Thread: one. Errors: none. */
#ifndef SL_BENCH_OBSTACLE_ACTIVE_H
#define SL_BENCH_OBSTACLE_ACTIVE_H

#include "bench/obstacle/connection.h"
#include "bench/obstacle/fault.h"

struct ob_active {
	struct ob_connection *conn;
	struct ob_fault *fault;
	bool is_hit;            /* the share fell on this connection */
	bool is_matched;        /* path, transport and method are those of the request */
	bool is_counted;        /* it has taken effect on this request */
	struct sl_timer timer;
	struct sl_buffer held;  /* content on its way to the client */
	struct sl_buffer kept;  /* the type's own */
	uint64_t count;         /* the type's own, of this request */
	uint64_t mark_us[2];    /* the type's own, of this connection */
	struct ob_frames frames[2];
	struct ob_events events;
};

/* Makes the connection's array for the proxy's set of faults. Errors: SL_ENOMEM. */
int ob_actives_create(struct ob_connection *conn);
void ob_actives_destroy(struct ob_connection *conn);

/* Exchanges the set for the proxy's present one. What a fault that is gone held goes on.
 * Errors: SL_ENOMEM, and nothing has changed. */
int ob_actives_change(struct ob_connection *conn);

/* Forgets the request before and finds those faults that concern this one. */
void ob_actives_match(struct ob_connection *conn);

/* The request goes on, or a tunnel begins. */
void ob_actives_begin(struct ob_connection *conn);

/* All faults stand where what comes stands: a fault that was not in force finds frames and
 * events from there on. */
void ob_actives_follow(struct ob_connection *conn);

/* Gives what one side has sent to the faults. */
void ob_actives_take(struct ob_connection *conn, const struct ob_piece *piece);

/* Gives a piece to the faults from `from` on; what they let through is emitted. */
void ob_actives_pass(struct ob_connection *conn, unsigned from, const struct ob_piece *piece);

/* What passes is a WebSocket's frames. */
bool ob_active_has_frames(const struct ob_active *active);

/* It is in force here and now. */
bool ob_active_is_on(const struct ob_active *active);

/* For hooks. */

/* Counts that it took effect, once a request. */
void ob_active_count(struct ob_active *active);

/* Gives a piece to what comes behind this fault. */
void ob_active_pass(struct ob_active *active, const struct ob_piece *piece);
void ob_active_pass_bytes(struct ob_active *active, enum ob_way way, const void *bytes,
	size_t len);

/* Holds back the bytes of a piece; above OB_HELD_MAX all that is held goes on. */
void ob_active_hold(struct ob_active *active, const struct ob_piece *piece);

/* Lets go of what is held, and of the end. */
void ob_active_release(struct ob_active *active, bool end);

void ob_active_set_timer(struct ob_active *active, uint64_t delay_ms);

/* After OB_WAIT: the fault has nothing against it any more. */
void ob_active_resume(struct ob_active *active);

uint64_t ob_active_now_ms(const struct ob_active *active);

#endif
