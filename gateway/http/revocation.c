#include "http/revocation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/principals.h"
#include "auth/revocations.h"
#include "bus/bus.h"
#include "http/http.h"
#include "live/shard.h"
#include "util/buffer.h"
#include "util/crypto.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"
#include "util/utf8.h"

#define NAME "revoked." /* and a hash of the subject, which may have bytes that no name has */
#define NAME_LEN (sizeof NAME - 1 + 2 * SL_SHA256_LEN)

bool
sl_revocation_is_subject(const struct sl_buffer *text)
{
	bool fits = text->len > 0 && text->len <= SL_SUBJECT_MAX &&
		sl_utf8_valid(text->bytes, text->len);
	for (size_t i = 0; fits && i < text->len; i++)
		fits = (unsigned char)text->bytes[i] >= 0x20 && text->bytes[i] != 0x7f;
	return fits;
}

/* On its way to one shard. */
struct ending {
	struct sl_task task; /* first: run gets it */
	struct ending *next; /* before they are sent */
	struct sl_shard *shard;
	int64_t until_s;
	size_t len;
	char subject[SL_SUBJECT_MAX];
};

static void
end_streams(struct sl_task *task)
{
	struct ending *ending = (struct ending *)task;
	struct sl_shard *shard = ending->shard;
	if (shard->principals)
		sl_principals_revoke(shard->principals, (struct sl_span){ ending->subject, ending->len },
			ending->until_s);
	free(ending);
}

static void
drop(struct ending *first)
{
	while (first) {
		struct ending *next = first->next;
		free(first);
		first = next;
	}
}

/* One for each shard. Errors: SL_ENOMEM, with none left. */
static int
make_endings(struct ending **out, const struct sl_http *http, unsigned shard_count,
	const struct sl_revocation *revocation)
{
	struct ending *first = NULL;
	for (unsigned i = 0; i < shard_count; i++) {
		struct ending *ending = calloc(1, sizeof *ending);
		if (!ending) {
			drop(first);
			return SL_ENOMEM;
		}
		ending->task.run = end_streams;
		ending->next = first;
		ending->shard = http->shards[i];
		ending->until_s = revocation->until_s;
		ending->len = revocation->subject.len;
		memcpy(ending->subject, revocation->subject.bytes, ending->len);
		first = ending;
	}
	*out = first;
	return 0;
}

/* The table first: from then on nobody is let in, so that nothing is opened behind the back of a shard
 * that has ended what was open. */
static int
apply(const struct sl_http *http, unsigned shard_count, const struct sl_revocation *revocation,
	int64_t now_s)
{
	assert(revocation->subject.len <= SL_SUBJECT_MAX);
	struct ending *next, *ending;
	int err = make_endings(&ending, http, shard_count, revocation);
	if (err != 0)
		return err;
	err = sl_revocations_add(http->revocations, revocation->subject, revocation->until_s,
		revocation->kept_s, now_s);
	if (err != 0) {
		drop(ending);
		return err;
	}
	for (; ending; ending = next) {
		next = ending->next; /* the shard frees it */
		sl_mailbox_post(&ending->shard->mailbox, &ending->task);
	}
	if (http->on_revoked)
		http->on_revoked();
	return 0;
}

int
sl_revocation_apply(const struct sl_http *http, const struct sl_revocation *revocation,
	int64_t now_s)
{
	return apply(http, http->shard_count, revocation, now_s);
}

/* ---- other nodes ---- */

static int
write_name(char name[NAME_LEN + 1], struct sl_span subject)
{
	uint8_t hash[SL_SHA256_LEN];
	int err = sl_crypto_sha256(subject.bytes, subject.len, hash);
	int at = snprintf(name, NAME_LEN + 1, NAME);
	for (size_t i = 0; err == 0 && i < sizeof hash; i++)
		at += snprintf(name + at, NAME_LEN + 1 - (size_t)at, "%02x", hash[i]);
	return err;
}

/* A later notice replaces this one where nodes start later, so it must say no less than what was said before. */
int
sl_revocation_announce(const struct sl_http *http, struct sl_shard *shard,
	const struct sl_revocation *revocation, struct sl_publish *pending)
{
	char name[NAME_LEN + 1];
	struct sl_revocation all = *revocation;
	struct sl_buffer text = SL_BUFFER_INIT;
	sl_revocations_find(http->revocations, all.subject, &all.until_s, &all.kept_s);
	sl_buffer_append_str(&text, "{\"subject\":");
	sl_buffer_append_json_string(&text, all.subject.bytes, all.subject.len);
	sl_buffer_printf(&text, ",\"until\":%lld,\"kept\":%lld}", (long long)all.until_s,
		(long long)all.kept_s);
	int err = sl_buffer_status(&text);
	if (err == 0)
		err = write_name(name, all.subject);
	if (err == 0) {
		const struct sl_notice notice = { { name, NAME_LEN }, { text.bytes, text.len }, all.kept_s };
		err = sl_bus_announce(shard->bus, shard->index, &notice, pending);
	}
	sl_buffer_finish(&text);
	return err;
}

static int
read_member(struct sl_revocation *out, struct sl_buffer *room, const struct sl_json_member *member)
{
	struct sl_span text = sl_json_unquote(member->value);
	uint64_t number;
	if (sl_json_string_equals(member->name.bytes, member->name.len, "subject"))
		return member->kind == SL_JSON_STRING ? sl_json_string_decode(room, text.bytes, text.len) :
			SL_EINVAL;
	if (member->kind != SL_JSON_NUMBER || !sl_span_to_number(member->value, INT64_MAX, &number))
		return SL_EINVAL;
	if (sl_json_string_equals(member->name.bytes, member->name.len, "until"))
		out->until_s = (int64_t)number;
	else if (sl_json_string_equals(member->name.bytes, member->name.len, "kept"))
		out->kept_s = (int64_t)number;
	else
		return SL_EINVAL;
	return 0;
}

/* The members once each, and no other; whoever may write to the bus might write anything. */
int
sl_revocation_read(struct sl_revocation *out, struct sl_buffer *room, const struct sl_notice *notice)
{
	struct sl_span text = notice->text;
	struct sl_json_members members;
	struct sl_json_member member;
	unsigned count = 0;
	*out = (struct sl_revocation){ .until_s = -1, .kept_s = -1 };
	if (notice->name.len != NAME_LEN || memcmp(notice->name.bytes, NAME, sizeof NAME - 1) != 0 ||
			!text.bytes || sl_json_check(text.bytes, text.len, 1) != 0 ||
			sl_json_members_open(&members, text.bytes, text.len) != 0)
		return SL_EINVAL;
	for (; sl_json_members_next(&members, &member); count++) {
		int err = read_member(out, room, &member);
		if (err != 0)
			return err == SL_ENOMEM ? err : SL_EINVAL;
	}
	out->subject = (struct sl_span){ room->bytes, room->len };
	bool is_whole = count == 3 && out->until_s >= 0 && out->kept_s >= 0 && sl_revocation_is_subject(room);
	return is_whole ? 0 : SL_EINVAL;
}

int
sl_revocation_hear(const struct sl_http *http, const struct sl_notice *notice, bool has_shards,
	int64_t now_s)
{
	struct sl_buffer room = SL_BUFFER_INIT;
	struct sl_revocation revocation;
	int err = sl_revocation_read(&revocation, &room, notice);
	if (err == 0 && revocation.kept_s > now_s)
		err = apply(http, has_shards ? http->shard_count : 0, &revocation, now_s);
	sl_buffer_finish(&room);
	return err;
}
