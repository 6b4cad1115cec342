#include "demo/demo.h"

#include <stdlib.h>

#include "core/listener.h"
#include "demo/lanes.h"
#include "demo/names.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/log.h"

/* The buffer's bytes as a string, or NULL; the buffer is empty then. */
static char *
take_string(struct sl_buffer *buf)
{
	sl_buffer_append_char(buf, '\0');
	if (sl_buffer_status(buf) != 0) {
		sl_buffer_finish(buf);
		return NULL;
	}
	return buf->bytes;
}

int
sl_demo_create(struct sl_demo **out, const struct sl_listener *listeners,
	size_t listener_count, size_t lane_count)
{
	struct sl_buffer origins = SL_BUFFER_INIT, policy = SL_BUFFER_INIT;
	struct sl_demo *demo = calloc(1, sizeof *demo);
	if (!demo)
		return SL_ENOMEM;
	size_t own_count = listener_count - lane_count;
	const struct sl_listener *lanes = listeners + own_count;
	sl_lanes_append_origins(&origins, lanes, lane_count);
	sl_lanes_append_policy(&policy, listeners, own_count, lanes, lane_count);
	demo->origins = take_string(&origins);
	demo->policy = take_string(&policy);
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
sl_demo_destroy(struct sl_demo *demo)
{
	if (!demo)
		return;
	sl_names_destroy(demo->names);
	free(demo->origins);
	free(demo->policy);
	free(demo);
}
