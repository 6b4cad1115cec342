#include "http/batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/owners.h"
#include "live/shard.h"
#include "util/err.h"
#include "util/utf8.h"

struct entry {
	struct sl_publishing publishing; /* first: on_done gets it; its id is the answer */
	struct sl_batch *batch;
	struct sl_refusal refusal; /* the answer, when there is a code */
};

struct sl_batch {
	struct sl_shard *shard;
	struct sl_batch_waiter *waiter;
	/* Lines without an answer, and one while lines are begun. Once the shard is detached from
	 * the bus, others answer, while main runs what the shard has left. */
	_Atomic unsigned waiting;
	unsigned count;
	struct entry entries[];
};

/* ---- lines ---- */

static bool
is_blank(struct sl_span line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.bytes[i] != ' ' && line.bytes[i] != '\t' && line.bytes[i] != '\r')
			return false;
	return true;
}

struct sl_span
sl_batch_next_line(struct sl_span *rest)
{
	while (rest->len) {
		const char *end = memchr(rest->bytes, '\n', rest->len);
		struct sl_span line = { rest->bytes, end ? (size_t)(end - rest->bytes) : rest->len };
		size_t taken = line.len + (end != NULL);
		*rest = (struct sl_span){ rest->bytes + taken, rest->len - taken };
		if (!is_blank(line))
			return line;
	}
	return (struct sl_span){ 0 };
}

int
sl_batch_read_line(struct sl_publication_members *out, struct sl_span line, unsigned depth_max)
{
	const struct sl_wanted_member wanted[] = {
		{ "channel", &out->channel }, { "data", &out->data }, { "key", &out->key },
		{ "compress", &out->compress }, { "event", &out->event }, { "args", &out->args },
	};
	*out = (struct sl_publication_members){ 0 };
	if (!sl_utf8_valid(line.bytes, line.len))
		return SL_EUTF8;
	return sl_publication_read_object(line, depth_max, wanted, sizeof wanted / sizeof *wanted);
}

/* Stops behind the first line that is too many. */
static unsigned
count_lines(struct sl_span body)
{
	unsigned count = 0;
	while (count <= SL_BATCH_LINES_MAX && sl_batch_next_line(&body).bytes)
		count++;
	return count;
}

/* ---- publishing them ---- */

/* True when nothing is waited for any longer. */
static bool
end_wait(struct sl_batch *batch)
{
	return atomic_fetch_sub(&batch->waiting, 1) == 1;
}

static void
on_published(struct sl_publishing *publishing)
{
	struct entry *entry = (struct entry *)publishing;
	struct sl_batch *batch = entry->batch;
	if (publishing->publish.err != 0)
		sl_refusal_set_err(&entry->refusal, publishing->publish.err);
	if (end_wait(batch))
		batch->waiter->on_done(batch->waiter);
}

/* Fills the message in, or the entry's refusal. */
static int
read_line(struct entry *entry, struct sl_span line, const struct sl_batch_order *order,
	struct sl_publication *publication)
{
	const struct sl_config *config = entry->batch->shard->config;
	struct sl_publication_members members;
	int err = sl_batch_read_line(&members, line, (unsigned)config->max_json_depth);
	if (err == SL_ESYNTAX)
		sl_refusal_set(&entry->refusal, "bad_json", "the line is not one JSON object; use {\"channel\":...,\"data\":...}");
	else if (err != 0)
		sl_refusal_set_err(&entry->refusal, err);
	if (err != 0)
		return err;
	if (order->uncompressed && !members.compress.value.bytes)
		members.compress = (struct sl_json_member){ .value = { "false", 5 }, .kind = SL_JSON_FALSE };
	return sl_publication_make(publication, &members, &order->defaults, config, &entry->refusal);
}

/* Errors, with the entry's refusal filled. */
static int
publish_line(struct entry *entry, struct sl_span line, const struct sl_batch_order *order)
{
	struct sl_batch *batch = entry->batch;
	struct sl_publication publication;
	struct sl_cursor id = { 0 };
	int err = read_line(entry, line, order, &publication);
	if (err != 0)
		return err;
	atomic_fetch_add(&batch->waiting, 1);
	publication.class = SL_CLASS_HTTP;
	publication.publisher = order->publisher;
	publication.owner = order->owner;
	entry->publishing.on_done = on_published;
	err = sl_publication_publish(batch->shard, &publication, &entry->publishing, &id,
		&entry->refusal);
	if (err == SL_PENDING)
		return 0;
	entry->publishing.publish.id = id;
	end_wait(batch);
	return err;
}

static void
publish_lines(struct sl_batch *batch, const struct sl_batch_order *order)
{
	struct sl_span rest = order->body;
	const struct sl_refusal *limited = NULL;
	for (unsigned i = 0; i < batch->count; i++) {
		struct entry *entry = &batch->entries[i];
		struct sl_span line = sl_batch_next_line(&rest);
		entry->batch = batch;
		int err = 0;
		if (limited)
			entry->refusal = *limited;
		else
			err = publish_line(entry, line, order);
		if (err == SL_ELIMITED)
			limited = &entry->refusal;
		/* What a first one that is limited costs is the answer's to say, which is 429. */
		if (err != 0 && !(i == 0 && limited))
			sl_owner_take(order->owner, SL_LIMIT_REQUESTS, 1, batch->shard->loop.now_ms);
	}
}

int
sl_batch_publish(struct sl_batch **out, struct sl_shard *shard,
	const struct sl_batch_order *order, struct sl_batch_waiter *waiter, struct sl_refusal *refusal)
{
	unsigned count = count_lines(order->body);
	if (count == 0)
		return SL_ENOENT;
	if (count > SL_BATCH_LINES_MAX)
		return SL_ETOOBIG;
	struct sl_batch *batch = calloc(1, sizeof *batch + count * sizeof *batch->entries);
	if (!batch)
		return SL_ENOMEM;
	batch->shard = shard;
	batch->waiter = waiter;
	batch->count = count;
	atomic_init(&batch->waiting, 1);
	publish_lines(batch, order);
	if (batch->entries[0].refusal.retry_ms) {
		*refusal = batch->entries[0].refusal;
		sl_batch_destroy(batch);
		return SL_ELIMITED;
	}
	*out = batch;
	return end_wait(batch) ? 0 : SL_PENDING;
}

unsigned
sl_batch_append_answers(const struct sl_batch *batch, struct sl_buffer *out)
{
	unsigned errors = 0;
	for (unsigned i = 0; i < batch->count; i++) {
		const struct entry *entry = &batch->entries[i];
		char id[SL_CURSOR_MAX];
		if (entry->refusal.code) {
			sl_buffer_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":",
				entry->refusal.code);
			sl_buffer_append_json_string(out, entry->refusal.message,
				strlen(entry->refusal.message));
			if (entry->refusal.retry_ms)
				sl_buffer_printf(out, ",\"retry\":%u", entry->refusal.retry_ms);
			sl_buffer_append_str(out, "}}\n");
			errors++;
		} else {
			sl_cursor_format(entry->publishing.publish.id, id);
			sl_buffer_printf(out, "{\"id\":\"%s\"}\n", id);
		}
	}
	return errors;
}

void
sl_batch_destroy(struct sl_batch *batch)
{
	free(batch);
}
