/* Demo: what the gateway offers under --demo only, shared by the shards. Nothing below names it: the
 * app attaches it, and has sl_demo_routes (demo/api.h) among its routes.
 * Owner: the app; NULL there without --demo. Thread: made on main's before shards run,
 * constant then; what it points to locks for itself. Errors: SL_ENOMEM, and as create says. */
#ifndef SL_DEMO_H
#define SL_DEMO_H

#include <stddef.h>

#include "demo/obstacle.h"
#include "http/observer.h"

struct sl_cluster;
struct sl_http;
struct sl_listener;
struct sl_names;
struct sl_obstacle;
struct sl_shard;

struct sl_demo {
	struct sl_observer observer; /* first: sl_demo_of() finds the rest by it */
	struct sl_names *names; /* owns */
	char *origins; /* owns; the lanes' origins as a JSON array */
	char *policy;  /* owns; the page's Content-Security-Policy */
	struct sl_obstacle *obstacle; /* owns; NULL when there is none */
	struct sl_cluster *cluster;   /* owns; NULL but under scripts/demo --cluster */
};

/* What is asked for beside the lanes. */
struct sl_demo_wanted {
	struct sl_obstacle_program obstacle;
	const char *cluster; /* a path (demo/cluster.h); NULL: none */
};

/* The last `lane_count` of `listeners` are lanes (demo/lanes.h); the path of the obstacle is for
 * sl_obstacle_find(): without one that starts the demo does without. Returns new in `*out`. Errors:
 * of a cluster, which has been logged: SL_EINVAL (a listener that is not on loopback), and those of
 * sl_cluster_open(). */
int sl_demo_create(struct sl_demo **out, const struct sl_listener *listeners,
	size_t listener_count, size_t lane_count, const struct sl_demo_wanted *wanted);

/* Further ports on loopback whose pages may use the gateway: the obstacle's, and those of the other gateways
 * of a cluster. Returns how many; `demo` NULL: none. */
#define SL_DEMO_PORTS 8
size_t sl_demo_get_ports(const struct sl_demo *demo, uint16_t ports[SL_DEMO_PORTS]);

/* From now on it looks on at the requests of these fronts, and their pages have its policy. */
void sl_demo_attach(const struct sl_demo *demo, struct sl_http *http);

/* The one that is attached to the shard's front. */
const struct sl_demo *sl_demo_of(const struct sl_shard *shard);

/* After the shards have stopped. NULL is allowed. */
void sl_demo_destroy(struct sl_demo *demo);

#endif
