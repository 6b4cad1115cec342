#include "http/api_probe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/head_echo.h"
#include "http/http.h"
#include "http/request.h"
#include "live/shard.h"
#include "util/table.h"
#include "util/tally.h"

#define NONCE_MAX 64
#define KEPT_MS 60000
#define NOTES_MAX 4096

struct note {
	struct sl_tally_entry tally; /* first: what the tally returns is the note */
	char nonce[NONCE_MAX];
	enum sl_probe_seen seen;
	uint64_t noted_ms;
	UT_hash_handle hh;
};

/* uthash keeps its elements in order of insertion: the oldest is the first. */
struct sl_probe_table {
	pthread_mutex_t lock;
	struct note *notes;
	struct sl_tally tally;
};

struct sl_probe_table *
sl_probe_table_create(void)
{
	struct sl_probe_table *table = calloc(1, sizeof *table);
	if (!table)
		return NULL;
	pthread_mutex_init(&table->lock, NULL);
	sl_tally_init(&table->tally);
	return table;
}

static void
drop_note(struct sl_probe_table *table, struct note *note)
{
	HASH_DEL(table->notes, note);
	sl_tally_leave(&table->tally, &note->tally);
	free(note);
}

void
sl_probe_table_destroy(struct sl_probe_table *table)
{
	if (!table)
		return;
	while (table->notes)
		drop_note(table, table->notes);
	pthread_mutex_destroy(&table->lock);
	free(table);
}

static struct note *
find_note(struct sl_probe_table *table, struct sl_span nonce, uint64_t now_ms)
{
	struct note *note;
	/* Shards read their clocks at different times: a note may be ahead of this one's. */
	while (table->notes && table->notes->noted_ms + KEPT_MS < now_ms)
		drop_note(table, table->notes);
	HASH_FIND(hh, table->notes, nonce.bytes, nonce.len, note);
	return note;
}

static struct note *
add_note(struct sl_probe_table *table, struct sl_span nonce, uint64_t owner, uint64_t now_ms)
{
	struct note *note = calloc(1, sizeof *note);
	if (!note)
		return NULL;
	if (sl_tally_join(&table->tally, &note->tally, owner) != 0) {
		free(note);
		return NULL;
	}
	memcpy(note->nonce, nonce.bytes, nonce.len);
	note->noted_ms = now_ms;
	HASH_ADD_KEYPTR(hh, table->notes, note->nonce, (unsigned)nonce.len, note);
	if (sl_table_holds(note, hh)) {
		sl_tally_list(&table->tally, &note->tally);
		return note;
	}
	sl_tally_leave(&table->tally, &note->tally);
	free(note);
	return NULL;
}

bool
sl_probe_note(struct sl_probe_table *table, struct sl_span nonce, enum sl_probe_seen seen,
	uint64_t owner, uint64_t now_ms)
{
	if (nonce.len > NONCE_MAX)
		return false;
	pthread_mutex_lock(&table->lock);
	struct note *note = find_note(table, nonce, now_ms);
	if (!note)
		note = add_note(table, nonce, owner, now_ms);
	if (note && note->seen < seen)
		note->seen = seen;
	/* With the new one there, since it may be its own owner's oldest that goes. */
	bool is_full = HASH_COUNT(table->notes) > NOTES_MAX;
	if (is_full)
		drop_note(table, (struct note *)sl_tally_get_oldest_of_most(&table->tally));
	pthread_mutex_unlock(&table->lock);
	return is_full;
}

static void
answer_with_body(struct sl_exchange *exchange)
{
	sl_metrics_add(&exchange->shard->metrics, SL_COUNTER_PROBES, 1);
	exchange->reply.body = exchange->body;
	sl_buffer_init(&exchange->body);
}

void
sl_api_probe_echo(struct sl_exchange *exchange)
{
	exchange->reply.head.status = 200;
	exchange->reply.head.content_type = "application/octet-stream";
	answer_with_body(exchange);
}

void
sl_api_probe_prepare_head(struct sl_exchange *exchange, const struct sl_request *request)
{
	const struct sl_connection *c = exchange->connection;
	struct sl_address client = c->link.client;
	char text[SL_ADDRESS_TEXT_MAX];
	client.port = 0;
	sl_address_format(&client, text);
	sl_buffer_clear(&exchange->body);
	sl_head_echo_append(&exchange->body, request->head, text, c->is_secure);
}

void
sl_api_probe_head(struct sl_exchange *exchange)
{
	sl_reply_set_json(&exchange->reply);
	answer_with_body(exchange);
}

void
sl_api_probe_seen(struct sl_exchange *exchange)
{
	static const char *const names[] = {
		[SL_PROBE_UNKNOWN] = "unknown",
		[SL_PROBE_NOTHING] = "nothing",
		[SL_PROBE_PLAIN_GET] = "plain_get",
		[SL_PROBE_UPGRADED_NO_FRAME] = "upgraded_no_frame",
		[SL_PROBE_UPGRADED] = "upgraded",
	};
	struct sl_span nonce = exchange->params.nonce;
	struct sl_reply *reply = &exchange->reply;
	if (!nonce.bytes) {
		sl_reply_set_error(reply, 400, "no_nonce", "the query has no nonce; use ?nonce=NONCE");
		return;
	}
	struct sl_probe_table *table = exchange->http->probes;
	enum sl_probe_seen nothing = sl_bus_has_siblings(exchange->shard->bus) ? SL_PROBE_UNKNOWN : SL_PROBE_NOTHING;
	pthread_mutex_lock(&table->lock);
	struct note *note = find_note(table, nonce, exchange->shard->loop.now_ms);
	enum sl_probe_seen seen = note ? note->seen : nothing;
	pthread_mutex_unlock(&table->lock);
	sl_reply_set_json(reply);
	sl_buffer_printf(&reply->body, "{\"seen\":\"%s\"}\n", names[seen]);
}
