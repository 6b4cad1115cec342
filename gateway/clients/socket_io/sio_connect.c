#include "clients/socket_io/sio_connect.h"

#include <stdlib.h>
#include <string.h>

#include "auth/principal.h"
#include "clients/socket_io/sio_changes.h"
#include "clients/socket_io/sio_client.h"
#include "clients/socket_io/sio_memory.h"
#include "clients/socket_io/sio_names.h"
#include "clients/socket_io/sio_refusal.h"
#include "clients/socket_io/sio_rejoin.h"
#include "config/config.h"
#include "http/credentials.h"
#include "live/refusal.h"
#include "live/shard.h"
#include "live/subscriber.h"
#include "live/verbs.h"
#include "util/buffer.h"
#include "util/err.h"
#include "util/json_members.h"

/* One CONNECT. */
struct connecting {
	struct sl_eio_socket *socket;
	struct sl_sio_client *client;
	struct sl_subscriber *subscriber;
	struct sl_span name;                 /* of the namespace */
	struct sl_json_member token, channels, pid, offset; /* of the auth object; absent: none */
	struct sl_buffer token_text, pid_text, offset_text; /* decoded */
	struct sl_sio_names names;
	struct sl_sio_rejoined as;           /* what it becomes */
	bool is_recovered;
	struct sl_refusal refusal;
};

static int
refuse_with(struct connecting *c, int err, const char *code, const char *message)
{
	sl_refusal_set(&c->refusal, code, message);
	return err;
}

/* ---- what it brings ---- */

/* A text of the auth object; anything else counts as none, as null does. */
static int
decode(const struct sl_json_member *member, struct sl_buffer *out)
{
	if (!member->value.bytes || member->kind != SL_JSON_STRING)
		return 0;
	struct sl_span raw = sl_json_unquote(member->value);
	int err = sl_buffer_reserve(out, raw.len + 1);
	return err != 0 ? err : sl_json_string_decode(out, raw.bytes, raw.len);
}

static struct sl_span
get_text(const struct sl_buffer *text)
{
	return (struct sl_span){ text->bytes, text->len };
}

static int
read_auth(struct connecting *c, struct sl_span json)
{
	const struct { const char *name; struct sl_json_member *member; } wanted[] = {
		{ "token", &c->token }, { "channels", &c->channels }, { "pid", &c->pid }, { "offset", &c->offset },
	};
	struct sl_json_members members;
	struct sl_json_member member;
	bool is_there = json.bytes && sl_json_members_open(&members, json.bytes, json.len) == 0;
	while (is_there && sl_json_members_next(&members, &member))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (sl_json_string_equals(member.name.bytes, member.name.len, wanted[i].name))
				*wanted[i].member = member;
	int err = decode(&c->token, &c->token_text);
	if (err == 0)
		err = decode(&c->pid, &c->pid_text);
	if (err == 0)
		err = decode(&c->offset, &c->offset_text);
	return err == SL_EUTF8 ? refuse_with(c, SL_EINVAL, "bad_request", "the auth object holds a lone surrogate; use valid Unicode") : err;
}

static bool
is_namespace_legal(struct sl_span name)
{
	return name.len == 1 || sl_channel_name_valid(name.bytes + 1, name.len - 1);
}

/* The names that the handshake's query has, for the first namespace. */
static int
add_asked(struct connecting *c)
{
	const char *at = c->client->count == 0 ? c->client->asked : NULL;
	int err = 0;
	while (err == 0 && at && *at) {
		const char *end = strchr(at, '\n');
		err = sl_sio_names_add(&c->names, (struct sl_span){ at, (size_t)(end - at) });
		at = end + 1;
	}
	return err;
}

static int
collect_names(struct connecting *c)
{
	const char *channel = c->subscriber->shard->config->socketio_channel;
	bool has_channels = c->channels.value.bytes && c->channels.kind != SL_JSON_NULL;
	int err = 0;
	if (c->name.len > 1)
		err = sl_sio_names_add(&c->names, (struct sl_span){ c->name.bytes + 1, c->name.len - 1 });
	else if (channel)
		err = sl_sio_names_add(&c->names, (struct sl_span){ channel, strlen(channel) });
	if (err == 0 && has_channels)
		err = sl_sio_names_add_json(&c->names, &c->channels, true);
	if (err == 0)
		err = add_asked(c);
	if (err == SL_EINVAL) {
		refuse_with(c, err, "bad_channel", "channels: the value is not valid; use an array of names, or a text with commas between");
		if (c->names.wrong[0])
			sl_refusal_format(&c->refusal, "bad_channel", "channels: %s is not the name of a channel; use "
				SL_CHANNEL_NAME_FORM, c->names.wrong);
	}
	if (err == SL_EFULL)
		c->refusal = sl_verbs_too_many_channels;
	return err;
}

/* ---- who it is ---- */

static const char *
get_subject(const struct sl_principal *principal)
{
	return principal ? sl_principal_get_claims(principal)->subject : "";
}

static int
identify(struct connecting *c)
{
	struct sl_subscriber *s = c->subscriber;
	struct sl_principal *principal;
	if (!c->token_text.bytes)
		return 0;
	int err = sl_credentials_identify_text(s->shard, sl_eio_socket_get_address(c->socket), get_text(&c->token_text),
		&principal, &c->refusal);
	if (err != 0)
		return err;
	if (c->client->count == 0)
		err = sl_eio_socket_set_principal(c->socket, principal);
	else if (strcmp(get_subject(principal), get_subject(s->holder.principal)) != 0)
		err = refuse_with(c, SL_EFORBIDDEN, "forbidden", "the token names another subject than the connection; use a token of the same subject");
	sl_principal_unref(principal);
	if (err == SL_ELIMITED)
		return refuse_with(c, err, "too_many_connections",
			"more streams than --max-connections-per-subject allows one subject; try again later");
	return err;
}

/* ---- joining ---- */

static int
begin_anew(struct connecting *c)
{
	char text[SL_SIO_LABEL_MAX];
	struct sl_span names[SL_CHANNELS_MAX];
	c->as.stars = c->client->memory ? 0 : SL_SIO_NO_OFFSET;
	struct sl_verbs_subscription what = {
		.channels = names,
		.count = sl_sio_names_get(&c->names, names),
		.label = sl_sio_label_write(text, c->as.stars, NULL, c->name),
	};
	int err = sl_sio_recovery_make_id(c->as.id);
	if (err == 0)
		err = sl_verbs_subscribe_as(c->subscriber, &what, false, NULL, &c->refusal);
	if (err == 0)
		c->as.since = sl_sio_changes_get_progress(c->subscriber, what.label).seq;
	return err;
}

static int
join(struct connecting *c)
{
	struct sl_metrics *metrics = &c->subscriber->shard->metrics;
	bool may_recover = c->client->memory && c->pid_text.bytes;
	const struct sl_sio_rejoining asked = { c->name, get_text(&c->pid_text), get_text(&c->offset_text), &c->names };
	int err = may_recover ? sl_sio_rejoin(c->socket, &asked, &c->as, &c->refusal) : SL_ENOENT;
	if (sl_eio_socket_is_closing(c->socket)) /* it asked for more than it may */
		return SL_ECLOSED;
	if (err != 0 && err != SL_ENOENT) /* it comes back with what it has, and may be recovered then */
		return err;
	c->is_recovered = err == 0;
	if (may_recover)
		sl_metrics_add(metrics, c->is_recovered ? SL_COUNTER_SIO_RECOVERED : SL_COUNTER_SIO_NOT_RECOVERED, 1);
	return c->is_recovered ? 0 : begin_anew(c);
}

/* The same pid again tells the client that it was recovered. */
static int
append_pid(struct connecting *c, struct sl_buffer *json)
{
	uint8_t key[SL_SIO_KEY_LEN];
	struct sl_sio_pid pid = { .nsp = c->name };
	const char *subject = get_subject(c->subscriber->holder.principal);
	if (c->is_recovered) {
		sl_buffer_append(json, c->pid_text.bytes, c->pid_text.len);
		return 0;
	}
	memcpy(pid.id, c->as.id, SL_SIO_ID_LEN);
	pid.cursor = (struct sl_cursor){ sl_subscriber_get_cursor(c->subscriber).epoch, c->as.since };
	pid.subject = (struct sl_span){ subject, strlen(subject) };
	pid.count = sl_sio_names_get(&c->names, pid.channels);
	sl_sio_memory_get_key(c->client->memory, key);
	return sl_sio_recovery_append_pid(json, &pid, key);
}

/* {"sid":..}, to the byte, for clients without recovery. */
static int
write_answer(struct connecting *c, struct sl_buffer *json)
{
	int err = 0;
	sl_buffer_append_str(json, "{\"sid\":\"");
	sl_buffer_append(json, c->as.id, SL_SIO_ID_LEN);
	if (c->client->memory) {
		sl_buffer_append_str(json, "\",\"pid\":\"");
		err = append_pid(c, json);
	}
	sl_buffer_append_str(json, "\"}");
	return err != 0 ? err : sl_buffer_status(json);
}

/* A client that came with stars keeps them until it sees an offset of its new life: it is sent one. */
static void
welcome(struct connecting *c, struct sl_sio_namespace *ns, const struct sl_buffer *answer)
{
	struct sl_span offset = get_text(&c->offset_text);
	bool has_stars = offset.len > 0 && offset.bytes[offset.len - 1] == '*';
	ns->since = c->as.since;
	ns->is_kept = c->as.is_kept;
	sl_metrics_add(&c->subscriber->shard->metrics, SL_COUNTER_SIO_CONNECTS, 1);
	sl_sio_client_send(c->socket, SL_SIO_CONNECT, c->name, SL_SIO_NO_ID, answer);
	if (c->client->memory && !c->is_recovered && has_stars && !sl_eio_socket_is_closing(c->socket))
		sl_sio_changes_tell(c->socket, ns, &c->names, true);
}

static int
connect_it(struct connecting *c, const struct sl_sio_packet *packet)
{
	struct sl_buffer answer = SL_BUFFER_INIT;
	if (!is_namespace_legal(c->name))
		return refuse_with(c, SL_EINVAL, NULL, "Invalid namespace"); /* in the words that clients know */
	if (c->client->count == SL_SIO_NAMESPACES_MAX)
		return refuse_with(c, SL_EINVAL, "too_many_namespaces", "the connection has too many namespaces; use at most 16");
	int err = read_auth(c, packet->json);
	if (err == 0)
		err = identify(c);
	if (err == 0)
		err = collect_names(c);
	if (err == 0)
		err = join(c);
	if (err != 0)
		return err;
	err = write_answer(c, &answer);
	struct sl_sio_namespace *ns = err == 0 ?
		sl_sio_client_add(c->socket, c->name, c->as.id, c->as.stars) : NULL;
	if (ns)
		welcome(c, ns, &answer);
	else
		sl_eio_socket_close(c->socket, SL_END_SLOW_CONSUMER);
	sl_buffer_finish(&answer);
	return 0;
}

void
sl_sio_connect(struct sl_eio_socket *socket, const struct sl_sio_packet *packet)
{
	struct connecting c = {
		.socket = socket,
		.client = sl_sio_client_of(socket),
		.subscriber = sl_eio_socket_get_subscriber(socket),
		.name = packet->nsp,
	};
	int err = connect_it(&c, packet);
	if (err == SL_ENOMEM || err == SL_EIO)
		sl_refusal_set_err(&c.refusal, err);
	if (err != 0 && err != SL_ECLOSED)
		sl_sio_refusal_send(socket, c.name, &c.refusal, err);
	sl_buffer_finish(&c.token_text);
	sl_buffer_finish(&c.pid_text);
	sl_buffer_finish(&c.offset_text);
	sl_sio_names_finish(&c.names);
}
