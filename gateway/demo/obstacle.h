/* Obstacle: sluice-obstacle beside the demo, a proxy on a loopback port of its own whose
 * faults the page switches by way of its control address (sluice-obstacle(1)).
 * Owner: the demo. Thread: main's, but for what is said of a running one: any.
 * Errors: as create says; the demo does without it.
 *
 * It keeps its ports for life, since the page's policy names them. One that ends is started
 * again, SL_OBSTACLE_RESTARTS times at most. */
#ifndef SL_DEMO_OBSTACLE_H
#define SL_DEMO_OBSTACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_OBSTACLE_RESTARTS 5
#define SL_OBSTACLE_START_MS 3000 /* until it must have said where it listens */

struct sl_buffer;
struct sl_listener;
struct sl_obstacle;

/* The program's path: `given`, or sluice-obstacle in the folder of this program when that is
 * NULL. Returns new, or NULL when there is none; "none" is none. */
char *sl_obstacle_find(const char *given);

/* What is started, and with which files (PEM) it speaks TLS where the gateway does. */
struct sl_obstacle_program {
	const char *path;
	const char *certificate, *key; /* NULL without TLS */
};

/* Starts `program` before the one of `own` that the lanes stand beside (sl_lanes_find_first), on
 * the ports behind those of the lanes, or where they are taken on such as the system chooses; its
 * control address is for pages of `own`. Both speak TLS where that listener does: the obstacle
 * ends it as an intercepting proxy does, and speaks it to the gateway. Waits at most `limit_ms`.
 * Returns new in `*out`. Errors: SL_ENOENT (no such listener or program), SL_ETOOBIG (a path),
 * SL_EPROTO and others of a program that is another. */
int sl_obstacle_create(struct sl_obstacle **out, const struct sl_obstacle_program *program,
	const struct sl_listener *own, size_t own_count, uint64_t limit_ms);

/* Ends it. NULL is allowed. */
void sl_obstacle_destroy(struct sl_obstacle *obstacle);

/* To be called when a child may have ended (SIGCHLD): starts it again, or says that it is
 * given up. Returns true when it had ended. */
bool sl_obstacle_watch(struct sl_obstacle *obstacle);

/* Where it listens; NULL is allowed and 0. */
uint16_t sl_obstacle_port(const struct sl_obstacle *obstacle);

/* Any thread: false when it was given up. NULL is allowed. */
bool sl_obstacle_is_there(const struct sl_obstacle *obstacle);

/* Any thread: {"origin":"http://...","control":"http://..."}, or https */
void sl_obstacle_append_json(const struct sl_obstacle *obstacle, struct sl_buffer *out);

/* What the page's policy says besides, within connect-src. */
void sl_obstacle_append_policy(const struct sl_obstacle *obstacle, struct sl_buffer *out);

#endif
