#include "demo/demo.h"

#include <stdlib.h>

#include "core/listener.h"
#include "demo/cluster.h"
#include "demo/lanes.h"
#include "demo/names.h"
#include "demo/obstacle.h"
#include "demo/watch.h"
#include "http/front.h"
#include "http/http.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

/* What cannot be had is left out: the page works without it. */
static struct sl_obstacle *
start_obstacle(const struct sl_listener *own, size_t own_count,
	const struct sl_obstacle_program *given)
{
	struct sl_obstacle *obstacle = NULL;
	struct sl_obstacle_program found = *given;
	char *program = sl_obstacle_find(given->path);
	if (!program)
		return NULL;
	found.path = program;
	int err = sl_obstacle_create(&obstacle, &found, own, own_count, SL_OBSTACLE_START_MS);
	if (err == 0)
		sl_log(SL_LOG_INFO, "demo.obstacle", "port=%u", sl_obstacle_port(obstacle));
	else
		sl_log(SL_LOG_WARNING, "obstacle.failed", "program=\"%s\" error=\"%s\"", program,
			sl_strerror(err));
	free(program);
	return obstacle;
}

/* It lets a page kill processes of this machine, so nobody else may reach it. */
static int
open_cluster(struct sl_demo *demo, const struct sl_listener *own, size_t own_count, const char *path)
{
	const struct sl_listener *first = sl_lanes_find_first(own, own_count);
	int err = first && !first->is_secure ? 0 : SL_EINVAL;
	for (size_t i = 0; err == 0 && i < own_count; i++)
		if (!sl_listen_address_is_loopback(&own[i].address))
			err = SL_EINVAL;
	if (err == 0)
		err = sl_cluster_open(&demo->cluster, path, first->address.port);
	if (err != 0)
		sl_log(SL_LOG_ERROR, "demo.bad_cluster", "file=\"%s\" error=\"%s\" expected=\"--demo-cluster with a "
			"file that scripts/demo --cluster wrote, and --listen with loopback addresses only\"", path, sl_strerror(err));
	return err;
}

int
sl_demo_create(struct sl_demo **out, const struct sl_listener *listeners,
	size_t listener_count, size_t lane_count, const struct sl_demo_wanted *wanted)
{
	struct sl_buffer origins = SL_BUFFER_INIT, policy = SL_BUFFER_INIT;
	size_t own_count = listener_count - lane_count;
	struct sl_demo *demo = calloc(1, sizeof *demo);
	int err = demo ? 0 : SL_ENOMEM;
	if (err == 0 && wanted->cluster)
		err = open_cluster(demo, listeners, own_count, wanted->cluster);
	if (err != 0) {
		sl_demo_destroy(demo);
		return err;
	}
	demo->observer = sl_watch_observer;
	const struct sl_listener *lanes = listeners + own_count;
	sl_lanes_append_origins(&origins, lanes, lane_count);
	sl_lanes_append_policy(&policy, listeners, own_count, lanes, lane_count);
	if (lane_count > 0) /* else there is no loopback listener to stand before */
		demo->obstacle = start_obstacle(listeners, own_count, &wanted->obstacle);
	if (demo->obstacle)
		sl_obstacle_append_policy(demo->obstacle, &policy);
	sl_cluster_append_policy(demo->cluster, &policy);
	demo->origins = sl_buffer_take_string(&origins);
	demo->policy = sl_buffer_take_string(&policy);
	demo->names = sl_names_create();
	if (!demo->names || !demo->origins || !demo->policy) {
		sl_demo_destroy(demo);
		return SL_ENOMEM;
	}
	sl_log(SL_LOG_INFO, "demo.lanes", "origins=%s", demo->origins);
	*out = demo;
	return 0;
}

void
sl_demo_attach(const struct sl_demo *demo, struct sl_http *http)
{
	http->observer = &demo->observer;
	http->page_policy = demo->policy;
}

size_t
sl_demo_get_ports(const struct sl_demo *demo, uint16_t ports[SL_DEMO_PORTS])
{
	size_t count = 0;
	if (!demo)
		return 0;
	if (sl_obstacle_port(demo->obstacle) != 0)
		ports[count++] = sl_obstacle_port(demo->obstacle);
	for (unsigned n = 0; count < SL_DEMO_PORTS && sl_cluster_find_other(demo->cluster, n) != 0; n++)
		ports[count++] = sl_cluster_find_other(demo->cluster, n);
	return count;
}

const struct sl_demo *
sl_demo_of(const struct sl_shard *shard)
{
	return (const struct sl_demo *)shard->front->http->observer;
}

void
sl_demo_destroy(struct sl_demo *demo)
{
	if (!demo)
		return;
	sl_obstacle_destroy(demo->obstacle);
	sl_cluster_close(demo->cluster);
	sl_names_destroy(demo->names);
	free(demo->origins);
	free(demo->policy);
	free(demo);
}
