/* Faults of caches (RFC 9111), which keep and share what is marked no-store. */
#include <string.h>

#include "bench/obstacle/active.h"
#include "bench/obstacle/families.h"

#define LOOK_AGAIN_MS 50

static bool
is_get(const struct ob_connection *conn)
{
	return sl_span_equals(ob_head_part(&conn->exchange.request, OB_METHOD), "GET")
		&& strcmp(conn->exchange.transport, "websocket") != 0;
}

static bool
is_same(struct sl_span a, struct sl_span b)
{
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

/* ---- equal requests one after the other ---- */

static bool
somebody_asks_the_same(const struct ob_connection *conn)
{
	struct sl_span target = ob_exchange_target(&conn->exchange);
	for (const struct ob_connection *other = conn->proxy->first; other; other = other->next)
		if (other != conn && other->stage == OB_STAGE_FORWARDING && is_get(other)
			&& is_same(ob_exchange_target(&other->exchange), target))
			return true;
	return false;
}

static enum ob_verdict
wait_for_same(struct ob_active *active)
{
	if (!is_get(active->conn) || active->count >= active->fault->values[0].number
		|| !somebody_asks_the_same(active->conn))
		return OB_GO;
	ob_active_count(active);
	active->count += LOOK_AGAIN_MS;
	ob_active_set_timer(active, LOOK_AGAIN_MS);
	return OB_WAIT;
}

static void
look_for_same(struct ob_active *active)
{
	if (wait_for_same(active) == OB_GO)
		ob_active_resume(active);
}

/* ---- old answers ---- */

/* `kept` gathers what will be stored; it begins with the head. */
static enum ob_verdict
start_storing(struct ob_active *active)
{
	struct ob_exchange *exchange = &active->conn->exchange;
	sl_buffer_clear(&active->kept);
	if (is_get(active->conn) && ob_head_status(&exchange->response) == 200)
		ob_head_write(&exchange->response, &active->kept);
	return OB_GO;
}

static void
store(struct ob_active *active, const struct ob_piece *piece, struct sl_span key)
{
	struct sl_buffer *kept = &active->kept;
	if (kept->len && kept->len <= OB_CACHE_BYTES)
		sl_buffer_append(kept, piece->bytes, piece->len);
	if (piece->end && sl_buffer_status(kept) == 0)
		ob_cache_store(&active->conn->proxy->cache, key,
			(struct sl_span){ kept->bytes, kept->len }, ob_active_now_ms(active));
	ob_active_pass(active, piece);
}

/* Head and content are stored as they came: framed anew, with an end that cannot be missed. */
static void
replay(struct ob_active *active, const struct ob_cache_entry *entry)
{
	struct ob_head head;
	struct sl_buffer answer = SL_BUFFER_INIT;
	char length[24];
	size_t used;
	ob_active_count(active);
	ob_head_init(&head, OB_RESPONSE, OB_HEAD_MAX);
	if (ob_head_feed(&head, entry->answer.bytes, entry->answer.len, &used) == 0) {
		struct sl_buffer digits = SL_BUFFER_INIT;
		sl_buffer_append_u64(&digits, entry->answer.len - used);
		memcpy(length, digits.bytes, digits.len);
		length[digits.len] = '\0';
		sl_buffer_finish(&digits);
		ob_head_remove(&head, "Transfer-Encoding");
		ob_head_set(&head, "Content-Length", length);
		ob_head_set(&head, "Connection", "close");
		ob_head_write(&head, &answer);
		sl_buffer_append(&answer, entry->answer.bytes + used, entry->answer.len - used);
	}
	ob_exchange_answer_bytes(active->conn, answer.bytes, answer.len);
	sl_buffer_finish(&answer);
	ob_head_finish(&head);
}

static enum ob_verdict
answer_stale(struct ob_active *active)
{
	struct ob_connection *conn = active->conn;
	const struct ob_cache_entry *entry =
		ob_cache_find(&conn->proxy->cache, ob_exchange_target(&conn->exchange));
	if (!is_get(conn) || !entry
		|| ob_active_now_ms(active) >= entry->stored_ms + active->fault->values[0].number)
		return OB_GO;
	replay(active, entry);
	return OB_TAKEN;
}

static void
store_by_url(struct ob_active *active, const struct ob_piece *piece)
{
	store(active, piece, ob_exchange_target(&active->conn->exchange));
}

/* Every k-th is given what another was given, whatever its query asks for. */
static enum ob_verdict
answer_another(struct ob_active *active)
{
	struct ob_connection *conn = active->conn;
	const struct ob_cache_entry *entry =
		ob_cache_find(&conn->proxy->cache, ob_exchange_path(&conn->exchange));
	if (!is_get(conn) || ++active->fault->asked % active->fault->values[0].number != 0 || !entry)
		return OB_GO;
	replay(active, entry);
	return OB_TAKEN;
}

static void
store_by_path(struct ob_active *active, const struct ob_piece *piece)
{
	store(active, piece, ob_exchange_path(&active->conn->exchange));
}

const struct ob_fault_type ob_faults_cache[] = {
	{
		.name = "cache-lock", .values = { { OB_TIME, "5s" } }, .on_request_head = wait_for_same,
		.on_timer = look_for_same,
		.sentence = "Forwards one of several GETs of the same URL; the others wait for it, "
			"at most the time.",
		.product = "nginx proxy_cache_lock, varnish's default",
	},
	{
		.name = "cache-stale", .is_of_bodies = true, .values = { { OB_TIME, "30s" } }, .on_request_head = answer_stale,
		.on_response_head = start_storing, .on_down = store_by_url,
		.sentence = "Answers a GET of the same URL within the time with the first answer, "
			"even if it is no-store.",
		.product = "none measured; caches told to ignore Cache-Control",
	},
	{
		.name = "cache-replay", .is_of_bodies = true, .values = { { OB_COUNT, "3" } },
		.on_request_head = answer_another, .on_response_head = start_storing,
		.on_down = store_by_path,
		.sentence = "Answers each k-th GET with an older answer of the same path, and "
			"ignores the query.",
		.product = "none measured; caches that ignore the query",
	},
	{ 0 },
};
