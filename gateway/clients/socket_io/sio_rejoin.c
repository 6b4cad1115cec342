#include "clients/socket_io/sio_rejoin.h"

#include <string.h>

#include "auth/principal.h"
#include "clients/socket_io/sio_client.h"
#include "clients/socket_io/sio_memory.h"
#include "clients/socket_io/sio_names.h"
#include "clients/socket_io/sio_refusal.h"
#include "core/owners.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/err.h"

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
	struct sl_refusal *refusal; /* borrows */
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

/* Who has seen no change goes on with the channels of CONNECT: it does not know that others were added. Errors:
 * SL_ENOENT, SL_ENOMEM. */
static int
find_channels(struct rejoining *r)
{
	const struct sl_shard *shard = sl_eio_socket_get_shard(r->socket);
	if (r->stars == 0) {
		take_channels_of_pid(r);
		return 0;
	}
	if (memcmp(r->tag.bytes, sl_sio_memory_get_tag(r->memory), SL_SIO_TAG_LEN) != 0)
		return SL_ENOENT;
	r->is_kept = sl_sio_memory_find(r->memory, r->pid.id, &r->kept, &r->kept_space, true, shard->loop.now_ms);
	if (!r->is_kept && sl_buffer_status(&r->kept_space) != 0)
		return SL_ENOMEM;
	return r->is_kept && r->kept.epoch == r->since.epoch && r->stars <= r->kept.stars ? 0 : SL_ENOENT;
}

static uint64_t
get_start(const struct rejoining *r, unsigned i)
{
	const struct sl_sio_kept_channel *channel = &r->kept.channels[i];
	uint64_t least = r->stars == r->kept.stars ? channel->floor : channel->after;
	return r->since.seq > least ? r->since.seq : least;
}

/* Channels that begin at the same number are subscribed to together; all are paid for already. Errors: any,
 * SL_ENOENT where history no longer reaches. */
static int
subscribe_paid(const struct rejoining *r, struct sl_span label)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(r->socket);
	struct sl_span names[SL_CHANNELS_MAX];
	bool is_lost = false;
	int err = 0;
	for (unsigned i = 0; i < r->kept.count && err == 0;) {
		struct sl_verbs_subscription what = { .channels = names, .label = label, .since_kind = SL_SINCE_CURSOR,
			.since = { r->since.epoch, get_start(r, i) }, .is_paid = true };
		for (; i < r->kept.count && get_start(r, i) == what.since.seq; i++)
			names[what.count++] = r->kept.channels[i].name;
		err = sl_verbs_subscribe_as(s, &what, true, &is_lost, r->refusal);
		if (is_lost)
			err = SL_ENOENT;
	}
	return err;
}

/* What is not had is not paid for: else a client whose limit is low would owe for this try when it next comes. */
static int
subscribe(const struct rejoining *r, struct sl_span label)
{
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(r->socket);
	int err = r->kept.count > 0 ? sl_verbs_pay_for_channels(s, r->kept.count, r->refusal) : 0;
	if (err != 0)
		return err;
	err = subscribe_paid(r, label);
	if (err != 0) {
		sl_verbs_unsubscribe_label(s, label);
		sl_owner_refund(s->owner, SL_LIMIT_SUBSCRIBES, r->kept.count);
	}
	return err;
}

static int
rejoin(struct rejoining *r, const struct sl_sio_rejoining *asked)
{
	uint8_t key[SL_SIO_KEY_LEN];
	char text[SL_SIO_LABEL_MAX];
	sl_sio_memory_get_key(r->memory, key);
	int err = sl_sio_recovery_read_pid(&r->pid, &r->pid_space, asked->pid, key);
	if (err == 0 && !(is_mine(r, asked->name, asked->names) && read_offset(r, asked->offset)))
		err = SL_ENOENT;
	if (err == 0)
		err = find_channels(r);
	if (err == 0)
		err = subscribe(r, sl_sio_label_write(text, (int)r->kept.stars, sl_sio_memory_get_tag(r->memory),
			asked->name));
	return err;
}

int
sl_sio_rejoin(struct sl_eio_socket *socket, const struct sl_sio_rejoining *asked, struct sl_sio_rejoined *out,
	struct sl_refusal *refusal)
{
	struct rejoining r = { .socket = socket, .memory = sl_sio_client_of(socket)->memory, .refusal = refusal };
	int err = rejoin(&r, asked);
	if (err == 0) {
		*out = (struct sl_sio_rejoined){ .stars = (int)r.kept.stars, .since = r.since.seq,
			.is_kept = r.is_kept };
		memcpy(out->id, r.pid.id, SL_SIO_ID_LEN);
	} else if (r.is_kept) {
		sl_sio_memory_leave(r.memory, r.pid.id, sl_eio_socket_get_shard(socket)->loop.now_ms);
	}
	sl_buffer_finish(&r.pid_space);
	sl_buffer_finish(&r.kept_space);
	return err == 0 || sl_sio_refusal_is_passing(refusal, err) ? err : SL_ENOENT;
}
