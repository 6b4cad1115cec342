#include "bus/nats_pending.h"

#include <assert.h>

#include "util/err.h"

void
sl_nats_pending_init(struct sl_nats_pending *pending,
	const struct sl_nats_pending_config *config)
{
	*pending = (struct sl_nats_pending){ .config = *config };
	TAILQ_INIT(&pending->entries);
}

int
sl_nats_pending_add(struct sl_nats_pending *pending, struct sl_nats_entry *entry)
{
	HASH_ADD(by_number, pending->by_number, number, sizeof entry->number, entry);
	if (!sl_table_holds(entry, by_number))
		return SL_ENOMEM;
	HASH_ADD_KEYPTR(by_id, pending->by_id, entry->id, (unsigned)entry->id_len, entry);
	if (!sl_table_holds(entry, by_id)) {
		HASH_DELETE(by_number, pending->by_number, entry);
		return SL_ENOMEM;
	}
	TAILQ_INSERT_TAIL(&pending->entries, entry, link);
	if (!pending->next)
		pending->next = entry;
	pending->count++;
	return 0;
}

/* ---- on its way or not ---- */

static void
set_off(struct sl_nats_pending *pending, struct sl_nats_entry *entry)
{
	entry->is_on_its_way = true;
	pending->flight_count++;
	pending->flight_bytes += entry->bytes;
}

static void
call_back(struct sl_nats_pending *pending, struct sl_nats_entry *entry)
{
	if (!entry->is_on_its_way)
		return;
	entry->is_on_its_way = false;
	pending->flight_count--;
	pending->flight_bytes -= entry->bytes;
}

/* All is to be handed over again, the oldest first and alone. */
static void
stall(struct sl_nats_pending *pending, uint64_t probe_ms)
{
	struct sl_nats_entry *entry;
	for (entry = TAILQ_FIRST(&pending->entries); entry != pending->next; entry = TAILQ_NEXT(entry, link))
		call_back(pending, entry);
	pending->next = TAILQ_FIRST(&pending->entries);
	pending->is_stalled = true;
	pending->probe_ms = probe_ms;
}

void
sl_nats_pending_connect(struct sl_nats_pending *pending, uint64_t now_ms)
{
	stall(pending, now_ms);
	pending->is_stalled = pending->count > 0;
	pending->is_connected = true;
	pending->quiet_ms = 0;
}

void
sl_nats_pending_disconnect(struct sl_nats_pending *pending, uint64_t now_ms)
{
	stall(pending, now_ms);
	pending->is_connected = false;
	pending->quiet_ms = 0;
}

static uint64_t
get_patience_ms(const struct sl_nats_entry *entry)
{
	return entry->tries < SL_NATS_TRIES_PATIENT ? SL_NATS_PATIENCE_MS : SL_NATS_PATIENCE_LATER_MS;
}

void
sl_nats_pending_run(struct sl_nats_pending *pending, uint64_t now_ms)
{
	const struct sl_nats_entry *oldest = TAILQ_FIRST(&pending->entries);
	if (oldest && oldest->is_on_its_way && !oldest->is_busy &&
			now_ms >= oldest->sent_ms + get_patience_ms(oldest))
		stall(pending, now_ms);
}

/* ---- what goes next ---- */

static bool
has_room(const struct sl_nats_pending *pending)
{
	return pending->flight_count == 0 || (pending->flight_count < pending->config.flight_max &&
		pending->flight_bytes + pending->next->bytes <= pending->config.flight_bytes_max);
}

/* A busy one is handed over again only once it was put back: its tries are counted by one at a time. */
static bool
may_go(const struct sl_nats_pending *pending)
{
	if (!pending->is_connected || !pending->next || pending->next->is_busy)
		return false;
	return pending->is_stalled ? !TAILQ_FIRST(&pending->entries)->is_on_its_way : has_room(pending);
}

uint64_t
sl_nats_pending_get_due(const struct sl_nats_pending *pending)
{
	const struct sl_nats_entry *oldest = TAILQ_FIRST(&pending->entries);
	if (!oldest)
		return UINT64_MAX;
	uint64_t due_ms = oldest->since_ms + pending->config.timeout_ms;
	uint64_t next_ms = UINT64_MAX;
	if (may_go(pending))
		next_ms = pending->is_stalled ? pending->probe_ms : 0;
	else if (oldest->is_on_its_way && !oldest->is_busy)
		next_ms = oldest->sent_ms + get_patience_ms(oldest);
	return next_ms < due_ms ? next_ms : due_ms;
}

struct sl_nats_entry *
sl_nats_pending_take(struct sl_nats_pending *pending, uint64_t now_ms, struct sl_cursor head)
{
	if (!may_go(pending) || (pending->is_stalled && now_ms < pending->probe_ms))
		return NULL;
	struct sl_nats_entry *entry = pending->next;
	pending->next = TAILQ_NEXT(entry, link);
	set_off(pending, entry);
	if (entry->unanswered++ == 0)
		entry->floor = head;
	if (entry->tries++ > 0)
		pending->retries++;
	entry->sent_ms = now_ms;
	entry->is_busy = true;
	return entry;
}

bool
sl_nats_pending_put(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_handed, uint64_t now_ms)
{
	assert(entry->is_busy);
	entry->is_busy = false;
	if (entry->is_over)
		return true;
	if (is_handed) {
		if (pending->quiet_ms == 0 && entry->is_on_its_way)
			pending->quiet_ms = now_ms;
		return false;
	}
	entry->tries--;
	entry->unanswered--;
	stall(pending, now_ms + SL_NATS_RETRY_MS);
	return false;
}

struct sl_nats_entry *
sl_nats_pending_find(struct sl_nats_pending *pending, uint64_t number)
{
	struct sl_nats_entry *found;
	HASH_FIND(by_number, pending->by_number, &number, sizeof number, found);
	return found;
}

struct sl_nats_entry *
sl_nats_pending_find_id(struct sl_nats_pending *pending, const char *id, size_t id_len)
{
	struct sl_nats_entry *found;
	HASH_FIND(by_id, pending->by_id, id, (unsigned)id_len, found);
	return found;
}

/* ---- what is answered ---- */

bool
sl_nats_pending_drop(struct sl_nats_pending *pending, struct sl_nats_entry *entry)
{
	call_back(pending, entry);
	if (pending->next == entry)
		pending->next = TAILQ_NEXT(entry, link);
	TAILQ_REMOVE(&pending->entries, entry, link);
	HASH_DELETE(by_number, pending->by_number, entry);
	HASH_DELETE(by_id, pending->by_id, entry);
	pending->count--;
	if (pending->count == 0)
		pending->quiet_ms = 0;
	entry->is_over = true;
	return !entry->is_busy;
}

bool
sl_nats_pending_finish(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	uint64_t now_ms)
{
	bool is_free = sl_nats_pending_drop(pending, entry);
	pending->is_stalled = false;
	pending->quiet_ms = pending->flight_count > 0 ? now_ms : 0;
	return is_free;
}

/* What comes in for one that is not the oldest changes nothing for a log that is stalled already. */
void
sl_nats_pending_postpone(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_certain, uint64_t now_ms)
{
	if (is_certain && entry->unanswered > 0)
		entry->unanswered--;
	if (!pending->is_stalled || entry == TAILQ_FIRST(&pending->entries))
		stall(pending, now_ms + SL_NATS_RETRY_MS);
}

void
sl_nats_pending_hear(struct sl_nats_pending *pending, uint64_t now_ms)
{
	pending->is_stalled = false;
	pending->quiet_ms = pending->flight_count > 0 ? now_ms : 0;
}

bool
sl_nats_pending_is_unclear(const struct sl_nats_entry *entry)
{
	return entry->unanswered > 0;
}

struct sl_nats_entry *
sl_nats_pending_get_expired(const struct sl_nats_pending *pending, uint64_t now_ms)
{
	struct sl_nats_entry *oldest = TAILQ_FIRST(&pending->entries);
	return oldest && now_ms >= oldest->since_ms + pending->config.timeout_ms ? oldest : NULL;
}

uint64_t
sl_nats_pending_get_silence_ms(const struct sl_nats_pending *pending, uint64_t now_ms)
{
	if (pending->quiet_ms == 0)
		return 0;
	return now_ms > pending->quiet_ms ? now_ms - pending->quiet_ms : 1;
}
