#include "live/publication.h"

#include <string.h>

#include "auth/principal.h"
#include "bus/message.h"
#include "config/config.h"
#include "core/owners.h"
#include "live/lease.h"
#include "live/permit.h"
#include "live/shard.h"
#include "util/base64.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/json_check.h"

#define SCOPED_KEY_LEN 44 /* a SHA-256 in base64 */
#define ARGS_FORM "list or binary"
#define DELIVERY_BYTES 1024 /* of payload: each costs as much as one delivery more */

_Static_assert(SCOPED_KEY_LEN <= SL_BUS_KEY_MAX, "a scoped key is one for the bus");

static int
refuse(struct sl_refusal *refusal, int err, const char *code, const char *message)
{
	sl_refusal_set(refusal, code, message);
	return err;
}

static int
refuse_value(struct sl_refusal *refusal, const char *code, const char *where, struct sl_span value, const char *right)
{
	sl_refusal_set_value(refusal, code, where, value, right);
	return SL_EINVAL;
}

/* Shows the JSON of a value that is no string. */
static int
refuse_member(struct sl_refusal *refusal, const char *code, const char *name, const struct sl_json_member *member,
	const char *right)
{
	struct sl_span value = member->value;
	if (member->kind == SL_JSON_STRING)
		value = sl_json_unquote(value);
	return refuse_value(refusal, code, name, value, right);
}

int
sl_publication_read_object(struct sl_span text, unsigned depth_max,
	const struct sl_wanted_member *wanted, size_t wanted_count)
{
	struct sl_json_members members;
	struct sl_json_member member;
	int err = sl_json_check(text.bytes, text.len, depth_max + 1);
	if (err == SL_ESYNTAX || sl_json_members_open(&members, text.bytes, text.len) != 0)
		return SL_ESYNTAX;
	while (sl_json_members_next(&members, &member))
		for (size_t i = 0; i < wanted_count; i++)
			if (sl_json_string_equals(member.name.bytes, member.name.len, wanted[i].name))
				*wanted[i].member = member;
	return err;
}

/* A member that must be a string: what it stands for, decoded into `space` where it has
 * escapes. False when it is none, or too long for any use made of it here. */
static bool
get_string(const struct sl_json_member *member, struct sl_buffer *space, struct sl_span *out)
{
	if (!member->value.bytes || member->kind != SL_JSON_STRING)
		return false;
	*out = sl_json_unquote(member->value);
	if (!memchr(out->bytes, '\\', out->len))
		return true;
	if (out->len > 6 * SL_CHANNEL_MAX ||
			sl_json_string_decode(space, out->bytes, out->len) != 0)
		return false;
	*out = (struct sl_span){ space->bytes, space->len };
	return true;
}

static bool
read_channel(const struct sl_json_member *member, struct sl_buffer *space, struct sl_span *channel)
{
	return (channel->bytes && !member->value.bytes) ||
		(get_string(member, space, channel) &&
			sl_channel_name_valid(channel->bytes, channel->len));
}

bool
sl_publication_key_valid(struct sl_span key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.bytes[i] <= 0x20 || key.bytes[i] >= 0x7f)
			return false;
	return key.len >= SL_KEY_MIN && key.len <= SL_KEY_MAX;
}

static bool
read_key(const struct sl_json_member *member, struct sl_publication *out)
{
	struct sl_buffer space = SL_BUFFER_INIT;
	struct sl_span key;
	if (!member->value.bytes)
		return true;
	bool is_valid = get_string(member, &space, &key) && sl_publication_key_valid(key);
	if (is_valid) {
		memcpy(out->key_bytes, key.bytes, key.len);
		out->key = (struct sl_span){ out->key_bytes, key.len };
	}
	sl_buffer_finish(&space);
	return is_valid;
}

/* False where it is there and neither true nor false. */
static bool
read_compress(const struct sl_json_member *member, struct sl_payload *payload)
{
	payload->uncompressed = member->value.bytes && member->kind == SL_JSON_FALSE;
	return !member->value.bytes || member->kind == SL_JSON_TRUE ||
		member->kind == SL_JSON_FALSE;
}

int
sl_publication_set_event(struct sl_payload *payload, struct sl_span event, struct sl_span args,
	struct sl_refusal *refusal)
{
	if (event.bytes && !sl_event_name_valid(event.bytes, event.len))
		return refuse_value(refusal, "bad_event", "event", event, SL_EVENT_FORM);
	payload->event = event;
	payload->args = SL_ARGS_ONE;
	if (!args.bytes)
		return 0;
	if (!sl_args_parse(args, &payload->args))
		return refuse_value(refusal, "bad_args", "args", args, ARGS_FORM);
	return event.bytes ? 0 : refuse(refusal, SL_EINVAL, "bad_args", "args: there is no event; use args with event only");
}

void
sl_publication_refuse_payload(struct sl_refusal *refusal, int err)
{
	if (err == SL_EINVAL)
		sl_refusal_set(refusal, "bad_args", "data: the value is not what args says; use a JSON array for list, for binary "
			"{\"list\":[..],\"attachments\":[\"<base64>\",..]}, at most 10 attachments");
	else
		sl_refusal_set_err(refusal, err);
}

/* An object on its way to a message. */
struct reading {
	const struct sl_publication_members *members;
	const struct sl_publication_defaults *defaults;
	const struct sl_config *config;
	struct sl_span channel;
	struct sl_payload payload;
	struct sl_buffer channel_space, event_space, args_space; /* own what has escapes */
};

/* Of another kind, or without a legal value, it is as an empty text. */
static struct sl_span
read_text(const struct sl_json_member *member, struct sl_buffer *space)
{
	struct sl_span text;
	if (!member->value.bytes)
		return (struct sl_span){ 0 };
	return get_string(member, space, &text) ? text : (struct sl_span){ "", 0 };
}

/* Those of the object, or of its request where it has neither. */
static int
read_event(struct reading *reading, struct sl_refusal *refusal)
{
	const struct sl_publication_members *members = reading->members;
	bool is_named = members->event.value.bytes || members->args.value.bytes;
	struct sl_span event = reading->defaults->event, args = reading->defaults->args;
	if (members->event.value.bytes && members->event.kind != SL_JSON_STRING)
		return refuse_member(refusal, "bad_event", "event", &members->event, "a text of " SL_EVENT_FORM);
	if (members->args.value.bytes && members->args.kind != SL_JSON_STRING)
		return refuse_member(refusal, "bad_args", "args", &members->args, ARGS_FORM);
	if (is_named) {
		event = read_text(&members->event, &reading->event_space);
		args = read_text(&members->args, &reading->args_space);
	}
	return sl_publication_set_event(&reading->payload, event, args, refusal);
}

static int
refuse_channel(struct sl_refusal *refusal, const struct sl_json_member *member, struct sl_span name)
{
	if (member->kind == SL_JSON_STRING && name.bytes && !sl_channel_name_valid(name.bytes, name.len))
		sl_refusal_set_channel(refusal, "channel", name);
	else
		sl_refusal_set(refusal, "bad_channel", member->value.bytes ?
			"channel: this is not a text; use " SL_CHANNEL_NAME_FORM :
			"channel: the member is missing; use " SL_CHANNEL_NAME_FORM);
	return SL_EINVAL;
}

static int
read_members(struct sl_publication *out, struct reading *reading, struct sl_refusal *refusal)
{
	const struct sl_publication_members *members = reading->members;
	struct sl_payload *payload = &reading->payload;
	if (!read_channel(&members->channel, &reading->channel_space, &reading->channel))
		return refuse_channel(refusal, &members->channel, reading->channel);
	if (!payload->bytes)
		return refuse(refusal, SL_EINVAL, "no_data", "data: the member is missing; use any JSON value");
	if (payload->len > reading->config->max_message_bytes)
		return refuse(refusal, SL_ETOOBIG, sl_err_code(SL_ETOOBIG),
			"data: the payload is too large; see limits.message_bytes in /transports");
	if (!read_key(&members->key, out))
		return refuse_member(refusal, "bad_key", "key", &members->key,
			members->key.kind == SL_JSON_STRING ? SL_KEY_FORM : "a text of " SL_KEY_FORM);
	if (!read_compress(&members->compress, payload))
		return refuse_member(refusal, "bad_request", "compress", &members->compress, "true or false");
	return read_event(reading, refusal);
}

int
sl_publication_make(struct sl_publication *out, const struct sl_publication_members *members,
	const struct sl_publication_defaults *defaults, const struct sl_config *config,
	struct sl_refusal *refusal)
{
	struct reading reading = {
		.members = members, .defaults = defaults, .config = config, .channel = defaults->channel,
		.payload = { SL_JSON, members->data.value.bytes, members->data.value.len,
			(unsigned)config->max_json_depth },
	};
	*out = (struct sl_publication){ 0 };
	int err = read_members(out, &reading, refusal);
	if (err == 0) {
		err = sl_message_create_from(&out->message, reading.channel, &reading.payload);
		if (err != 0)
			sl_publication_refuse_payload(refusal, err);
	}
	sl_buffer_finish(&reading.channel_space);
	sl_buffer_finish(&reading.event_space);
	sl_buffer_finish(&reading.args_space);
	return err;
}

/* A client's key is unique per subject and channel: all three become one key for the bus, which knows
 * no scope. Neither a subject nor a channel has a NUL, so no two triples are alike. */
static int
scope_key(const struct sl_publication *publication, char out[SCOPED_KEY_LEN])
{
	char text[SL_SUBJECT_MAX + 1 + SL_CHANNEL_MAX + 1 + SL_KEY_MAX];
	uint8_t digest[SL_SHA256_LEN];
	const struct sl_message *message = publication->message;
	const char *subject = sl_principal_get_claims(publication->publisher)->subject;
	size_t len = strlen(subject) + 1;
	memcpy(text, subject, len);
	memcpy(text + len, message->channel, message->channel_len + 1u);
	len += message->channel_len + 1u;
	memcpy(text + len, publication->key.bytes, publication->key.len);
	len += publication->key.len;
	int err = sl_crypto_sha256(text, len, digest);
	if (err == 0)
		sl_base64_encode(out, digest, sizeof digest);
	return err;
}

static void
count(struct sl_shard *shard, const struct sl_publication *publication)
{
	struct sl_metrics *metrics = &shard->metrics;
	sl_metrics_add(metrics, SL_COUNTER_PUBLISHES, 1);
	sl_metrics_add_class(metrics, publication->class, SL_CLASS_MESSAGES_IN, 1);
	sl_metrics_add_class(metrics, publication->class, SL_CLASS_PAYLOAD_BYTES_IN,
		publication->message->payload_len);
}

/* ---- what its owner pays ---- */

/* 0, or SL_ELIMITED: of several limits the one that keeps the client waiting longest. */
static int
pay(struct sl_shard *shard, const struct sl_publication *publication, struct sl_refusal *refusal)
{
	static const enum sl_limit limits[] = {
		SL_LIMIT_PUBLISHES, SL_LIMIT_PUBLISHED_BYTES, SL_LIMIT_DELIVERIES,
	};
	struct sl_owner *owner = publication->owner;
	uint64_t now_ms = shard->loop.now_ms, longest_ms = 0;
	enum sl_limit limit = SL_LIMIT_PUBLISHES;
	for (size_t i = 0; owner && i < sizeof limits / sizeof *limits; i++) {
		uint64_t wait_ms = sl_owner_get_wait(owner, limits[i], now_ms);
		if (wait_ms > longest_ms) {
			longest_ms = wait_ms;
			limit = limits[i];
		}
	}
	if (longest_ms > 0) {
		sl_metrics_add(&shard->metrics, sl_limit_counter(limit), 1);
		sl_refusal_set_limit(refusal, limit, longest_ms);
		return SL_ELIMITED;
	}
	sl_owner_spend(owner, SL_LIMIT_PUBLISHES, 1, now_ms);
	sl_owner_spend(owner, SL_LIMIT_PUBLISHED_BYTES, publication->message->payload_len, now_ms);
	return 0;
}

/* What was not paid beforehand; or too much was. */
static void
pay_deliveries(const struct sl_publishing *publishing, struct sl_owner *owner)
{
	bool is_published = publishing->publish.err == 0;
	uint64_t paid = publishing->foreseen;
	uint64_t due = is_published ? (uint64_t)publishing->publish.receivers * publishing->weight : 0;
	if (due > paid)
		sl_owner_spend(owner, SL_LIMIT_DELIVERIES, due - paid, publishing->began_ms);
	else if (due < paid)
		sl_owner_refund(owner, SL_LIMIT_DELIVERIES, paid - due);
}

static void
pay_beforehand(struct sl_publishing *publishing, struct sl_owner *owner)
{
	publishing->owner = sl_owner_ref(owner);
	publishing->foreseen = (uint64_t)publishing->publish.foreseen * publishing->weight;
	sl_owner_spend(owner, SL_LIMIT_DELIVERIES, publishing->foreseen, publishing->began_ms);
}

static void
on_published(struct sl_publish *publish)
{
	struct sl_publishing *publishing = (struct sl_publishing *)publish;
	pay_deliveries(publishing, publishing->owner);
	sl_owner_unref(publishing->owner);
	publishing->owner = NULL;
	publishing->on_done(publishing);
}

/* ---- publishing ---- */

/* The permission first: who may not use a channel does not spend what others lent. */
static int
admit(struct sl_shard *shard, const struct sl_publication *publication, struct sl_refusal *refusal)
{
	const struct sl_message *message = publication->message;
	struct sl_span channel = { message->channel, message->channel_len };
	int err = publication->asks_client_publish ?
		sl_permit_check_client_publish(shard, publication->publisher, channel, refusal) :
		sl_permit_check(shard, publication->publisher, SL_ACT_PUBLISH, channel, refusal);
	if (err == 0 && sl_channel_name_is_leased(message->channel)) {
		err = sl_lease_spend(shard, message);
		if (err != 0)
			sl_refusal_set_err(refusal, err);
	}
	return err;
}

/* Takes the message. */
static int
publish(struct sl_shard *shard, const struct sl_publication *publication,
	struct sl_publish *pending, struct sl_cursor *id)
{
	char key[SCOPED_KEY_LEN];
	if (!publication->key.bytes)
		return sl_bus_publish(shard->bus, shard->index, publication->message, NULL, 0, pending, id);
	int err = scope_key(publication, key);
	if (err == 0)
		return sl_bus_publish(shard->bus, shard->index, publication->message, key, sizeof key,
			pending, id);
	sl_message_unref(publication->message);
	return err;
}

int
sl_publication_publish(struct sl_shard *shard, const struct sl_publication *publication,
	struct sl_publishing *publishing, struct sl_cursor *id, struct sl_refusal *refusal)
{
	count(shard, publication);
	int err = pay(shard, publication, refusal);
	if (err == 0)
		err = admit(shard, publication, refusal);
	if (err != 0) {
		sl_message_unref(publication->message);
		return err;
	}
	publishing->publish.on_done = on_published;
	publishing->publish.owner = sl_owner_get_id(publication->owner);
	publishing->began_ms = shard->loop.now_ms;
	publishing->weight = 1 + publication->message->payload_len / DELIVERY_BYTES;
	err = publish(shard, publication, &publishing->publish, id);
	publishing->foreseen = 0;
	if (err == SL_PENDING) {
		pay_beforehand(publishing, publication->owner);
	} else if (err == 0) {
		publishing->publish.err = 0;
		pay_deliveries(publishing, publication->owner);
	} else {
		sl_refusal_set_err(refusal, err);
	}
	return err;
}
