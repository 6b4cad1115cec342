#include "bench/obstacle/connection.h"

#include "bench/obstacle/active.h"

/* When `*len` bytes are due, or as many as the faults let pass together. */
static uint64_t
schedule(struct ob_connection *conn, enum ob_way way, size_t *len)
{
	uint64_t due_ms = conn->proxy->loop.now_ms;
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		size_t (*grain)(const struct ob_active *) = active->fault->type->grain;
		if (grain && ob_active_is_on(active) && grain(active) < *len)
			*len = grain(active);
	}
	for (unsigned i = 0; i < conn->active_count; i++) {
		struct ob_active *active = &conn->actives[i];
		if (active->fault->type->on_schedule && ob_active_is_on(active))
			due_ms = active->fault->type->on_schedule(active, way, *len, due_ms);
	}
	return due_ms;
}

void
ob_connection_send(struct ob_connection *conn, enum ob_way way, const void *bytes, size_t len)
{
	struct ob_side *side = way == OB_UP ? &conn->origin : &conn->client;
	const char *at = bytes;
	if (conn->is_dead[way] || side->watch.fd < 0 || conn->stage >= OB_STAGE_ENDING)
		return;
	while (len) {
		size_t piece = len;
		uint64_t due_ms = schedule(conn, way, &piece);
		if (ob_queue_push(&side->out, at, piece, due_ms) != 0) {
			ob_connection_close(conn);
			return;
		}
		at += piece;
		len -= piece;
	}
}
