#include "clients/socket_io/sio_rejoin.h"

#include <string.h>

#include "auth/principal.h"
#include "clients/socket_io/sio_client.h"
#include "clients/socket_io/sio_memory.h"
#include "clients/socket_io/sio_names.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"

struct rejoining {
	struct sl_eio_socket *socket;
	struct sl_sio_memory *memory;
	struct sl_sio_pid pid;
	struct sl_buffer pid_space, kept_space;
	struct sl_cursor since;   /* what the client has */
	unsigned stars;           /* of its offset */
	struct sl_span tag;       /* whose stars they are */
	struct sl_sio_kept kept;  /* what it is to have */
	bool is_kept;             /* the memory had it */
};

static bool
is_same(struct sl_span one, struct sl_span other)
{
	return one.len == other.len && (one.len == 0 || memcmp(one.bytes, other.bytes, one.len) == 0);
}

/* Whether the pid is of this namespace, this subject, and the channels that are asked for now. */
static bool
is_mine(const struct rejoining *r, struct sl_span name, const struct sl_sio_names *names)
{
	const struct sl_principal *principal = sl_eio_socket_get_subscriber(r->socket)->holder.principal;
	const char *subject = principal ? sl_principal_get_claims(principal)->subject : "";
	bool is_mine = is_same(r->pid.nsp, name) && sl_span_equals(r->pid.subject, subject) &&
		r->pid.count == names->count;
	for (unsigned i = 0; i < r->pid.count && is_mine; i++)
		is_mine = sl_sio_names_has(names, r->pid.channels[i]);
	return is_mine;
}

/* A client keeps an offset when it begins anew, until the first event. So one without stars that lies before CONNECT
 * is of another life. */
static bool
read_offset(struct rejoining *r, struct sl_span offset)
{
	r->since = r->pid.cursor;
	if (!offset.bytes)
		return true;
	struct sl_cursor cursor;
	if (sl_sio_recovery_read_offset(offset, &cursor, &r->tag, &r->stars) != 0)
		return false;
	bool is_older = cursor.epoch != r->pid.cursor.epoch || (r->stars == 0 && cursor.seq < r->pid.cursor.seq);
	if (is_older)
		r->stars = 0;
	else
		r->since = cursor;
	return true;
}

static void
take_channels_of_pid(struct rejoining *r)
{
	r->kept.stars = 0;
	r->kept.count = r->pid.count;
	for (unsigned i = 0; i < r->pid.count; i++)
		r->kept.channels[i] = (struct sl_sio_kept_channel){ r->pid.channels[i], 0, 0 };
}

/* Who has seen no change goes on with the channels of CONNECT: it does not know that others were added. */
static bool
find_channels(struct rejoining *r)
{
	const struct sl_shard *shard = sl_eio_socket_get_shard(r->socket);
	if (r->stars == 0) {
		take_channels_of_pid(r);
		return true;
	}
	if (memcmp(r->tag.bytes, sl_sio_memory_get_tag(r->memory), SL_SIO_TAG_LEN) != 0)
		return false;
	r->is_kept = sl_sio_memory_find(r->memory, r->pid.id, &r->kept, &r->kept_space, true, shard->loop.now_ms);
	return r->is_kept && r->kept.epoch == r->since.epoch && r->stars <= r->kept.stars;
}

static uint64_t
get_start(const struct rejoining *r, unsigned i)
{
	const struct sl_sio_kept_channel *channel = &r->kept.channels[i];
	uint64_t least = r->stars == r->kept.stars ? channel->floor : channel->after;
	return r->since.seq > least ? r->since.seq : least;
}

/* Channels that begin at the same number are subscribed to together. */
static bool
subscribe(const struct rejoining *r, struct sl_span label)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(r->socket);
	struct sl_span names[SL_CHANNELS_MAX];
	bool is_lost = false;
	for (unsigned i = 0; i < r->kept.count && !is_lost;) {
		struct sl_verbs_subscription what = { names, 0, label, SL_SINCE_CURSOR,
			{ r->since.epoch, get_start(r, i) } };
		struct sl_refusal refusal;
		for (; i < r->kept.count && get_start(r, i) == what.since.seq; i++)
			names[what.count++] = r->kept.channels[i].name;
		is_lost = sl_verbs_subscribe_as(s, &what, true, &is_lost, &refusal) != 0 || is_lost;
	}
	if (is_lost)
		sl_verbs_unsubscribe_label(s, label);
	return !is_lost;
}

static bool
rejoin(struct rejoining *r, struct sl_span name, struct sl_span pid, struct sl_span offset,
	const struct sl_sio_names *names)
{
	uint8_t key[SL_SIO_KEY_LEN];
	char text[SL_SIO_LABEL_MAX];
	sl_sio_memory_get_key(r->memory, key);
	return sl_sio_recovery_read_pid(&r->pid, &r->pid_space, pid, key) == 0 && is_mine(r, name, names) &&
		read_offset(r, offset) && find_channels(r) &&
		subscribe(r, sl_sio_label_write(text, (int)r->kept.stars, sl_sio_memory_get_tag(r->memory), name));
}

bool
sl_sio_rejoin(struct sl_eio_socket *socket, struct sl_span name, struct sl_span pid, struct sl_span offset,
	const struct sl_sio_names *names, struct sl_sio_rejoined *out)
{
	struct rejoining r = { .socket = socket, .memory = sl_sio_client_of(socket)->memory };
	bool is_back = rejoin(&r, name, pid, offset, names);
	if (is_back) {
		*out = (struct sl_sio_rejoined){ .stars = (int)r.kept.stars, .since = r.since.seq,
			.is_kept = r.is_kept };
		memcpy(out->id, r.pid.id, SL_SIO_ID_LEN);
	} else if (r.is_kept) {
		sl_sio_memory_leave(r.memory, r.pid.id, sl_eio_socket_get_shard(socket)->loop.now_ms);
	}
	sl_buffer_finish(&r.pid_space);
	sl_buffer_finish(&r.kept_space);
	return is_back;
}
