#include "clients/socket_io/sio_changes.h"

#include <string.h>

#include "clients/socket_io/sio_client.h"
#include "clients/socket_io/sio_memory.h"
#include "clients/socket_io/sio_names.h"
#include "core/owners.h"
#include "live/fanout.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"

static bool
is_under(const struct sl_subscriber *s, size_t index, struct sl_span label)
{
	struct sl_span its = sl_fanout_get_label(s, index);
	return its.len == label.len && memcmp(its.bytes, label.bytes, label.len) == 0;
}

struct sl_cursor
sl_sio_changes_get_progress(const struct sl_subscriber *s, struct sl_span label)
{
	struct sl_cursor progress = sl_subscriber_get_cursor(s);
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < s->subscription_count; i++)
		if (is_under(s, i, label) && s->subscriptions[i].after < least)
			least = s->subscriptions[i].after;
	if (least != UINT64_MAX && least > progress.seq)
		progress.seq = least;
	return progress;
}

unsigned
sl_sio_changes_count(const struct sl_subscriber *s, struct sl_span label)
{
	unsigned count = 0;
	for (size_t i = 0; i < s->subscription_count; i++)
		count += is_under(s, i, label);
	return count;
}

void
sl_sio_changes_tell(struct sl_eio_socket *socket, const struct sl_sio_namespace *ns,
	const struct sl_sio_names *names, bool has_joined)
{
	struct sl_span channels[SL_CHANNELS_MAX], label = sl_sio_namespace_get_label(ns);
	struct sl_buffer json = SL_BUFFER_INIT;
	char offset[SL_SIO_OFFSET_MAX];
	unsigned count = sl_sio_names_get(names, channels);
	sl_buffer_append_str(&json, has_joined ? "[\"subscribed\",[" : "[\"unsubscribed\",[");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			sl_buffer_append_char(&json, ',');
		sl_buffer_append_json_string(&json, channels[i].bytes, channels[i].len);
	}
	size_t len = sl_sio_label_write_offset(offset, label,
		sl_sio_changes_get_progress(sl_eio_socket_get_subscriber(socket), label));
	sl_buffer_append_str(&json, "],\"");
	sl_buffer_append(&json, offset, len);
	sl_buffer_append_str(&json, "\"]");
	sl_sio_client_send(socket, SL_SIO_EVENT, sl_sio_namespace_get_name(ns), SL_SIO_NO_ID, &json);
	sl_buffer_finish(&json);
}

/* ---- what the memory is told ---- */

static const struct sl_sio_kept_channel *
find(const struct sl_sio_kept *kept, struct sl_span name)
{
	for (unsigned i = 0; i < kept->count; i++)
		if (kept->channels[i].name.len == name.len &&
				memcmp(kept->channels[i].name.bytes, name.bytes, name.len) == 0)
			return &kept->channels[i];
	return NULL;
}

/* Fills what the namespace has now. True where the change is a replay: a new channel begins below what its client has
 * of another one, so the offsets that follow say less than those before. */
static bool
describe(struct sl_sio_kept *out, const struct sl_subscriber *s, const struct sl_sio_namespace *ns,
	const struct sl_sio_kept *before, const struct sl_sio_names *joined)
{
	uint64_t least_new = UINT64_MAX, most_old = 0;
	out->count = 0;
	for (size_t i = 0; i < s->subscription_count; i++) {
		if (!is_under(s, i, sl_sio_namespace_get_label(ns)))
			continue;
		struct sl_span name = sl_fanout_get_span(s->subscriptions[i].channel);
		const struct sl_sio_kept_channel *known = find(before, name);
		uint64_t after = s->subscriptions[i].after;
		bool is_new = joined && sl_sio_names_has(joined, name);
		struct sl_sio_kept_channel channel = { name, is_new ? after : ns->since, is_new ? after : ns->since };
		if (known)
			channel = (struct sl_sio_kept_channel){ name, known->after, known->floor };
		if (is_new && !known)
			least_new = after < least_new ? after : least_new;
		else
			most_old = after > most_old ? after : most_old;
		out->channels[out->count++] = channel;
	}
	return least_new < most_old;
}

static void
raise_floors(struct sl_sio_kept *kept, const struct sl_subscriber *s, const struct sl_sio_namespace *ns)
{
	unsigned at = 0;
	for (size_t i = 0; i < s->subscription_count; i++)
		if (is_under(s, i, sl_sio_namespace_get_label(ns)) &&
				s->subscriptions[i].after > kept->channels[at++].floor)
			kept->channels[at - 1].floor = s->subscriptions[i].after;
}

/* Its events have so many stars from now on. */
static bool
set_stars(struct sl_subscriber *s, struct sl_sio_namespace *ns, unsigned stars, const char *tag)
{
	char text[SL_SIO_LABEL_MAX];
	struct sl_span label = sl_sio_label_write(text, (int)stars, tag, sl_sio_namespace_get_name(ns));
	if (sl_verbs_relabel(s, sl_sio_namespace_get_label(ns), label) != 0)
		return false;
	memcpy(ns->label, text, label.len);
	ns->label_len = (uint16_t)label.len;
	return true;
}

void
sl_sio_changes_note(struct sl_eio_socket *socket, struct sl_sio_namespace *ns,
	const struct sl_sio_names *names, bool has_joined)
{
	struct sl_sio_client *client = sl_sio_client_of(socket);
	struct sl_subscriber *s = sl_eio_socket_get_subscriber(socket);
	struct sl_sio_kept before = { .count = 0 }, now;
	struct sl_buffer space = SL_BUFFER_INIT;
	int stars = sl_sio_label_get_stars(sl_sio_namespace_get_label(ns));
	if (stars == SL_SIO_NO_OFFSET)
		return;
	if (ns->is_kept)
		sl_sio_memory_find(client->memory, ns->id, &before, &space, false, s->shard->loop.now_ms);
	bool is_replay = describe(&now, s, ns, &before, has_joined ? names : NULL);
	/* Without a star left, some messages may come twice to a client that is cut off just then. */
	bool takes_star = stars == 0 || (is_replay && stars < SL_SIO_STARS_MAX);
	if (takes_star)
		raise_floors(&now, s, ns);
	now.stars = (unsigned)stars + takes_star;
	now.epoch = s->epoch;
	if (takes_star && !set_stars(s, ns, now.stars, sl_sio_memory_get_tag(client->memory))) {
		sl_eio_socket_close(socket, SL_END_SLOW_CONSUMER);
	} else {
		unsigned forgotten = sl_sio_memory_keep(client->memory, ns->id, &now, sl_owner_get_id(s->owner),
			!ns->is_kept);
		ns->is_kept = true;
		sl_metrics_add(&s->shard->metrics, SL_COUNTER_SIO_FORGOTTEN, forgotten);
		sl_sio_changes_tell(socket, ns, names, has_joined);
	}
	sl_buffer_finish(&space);
}
