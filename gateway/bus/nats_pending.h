/* Pending: publishes that a log on NATS JetStream has not answered yet. It decides which one goes to the
 * connection next, and when.
 * Owner: the caller's memory, and its entries. Thread: one at a time. Errors: SL_ENOMEM from adding.
 *
 * Pure: no clock, no network. Entries keep the order in which they were added, and go to the connection in it.
 *
 * If all goes well, entries are on their way up to a limit. The log becomes *stalled* if an answer asks for a
 * retry, if the oldest entry was silent for too long, if the connection has changed, or if the connection takes
 * no more entries. Then only the oldest is sent, repeatedly, until any answer shows that the log stores. After
 * that all others follow, oldest first, under the same ids: also those that were on their way.
 *
 * So a retry comes before entries added after it, unless these were sent before. */
#ifndef SL_BUS_NATS_PENDING_H
#define SL_BUS_NATS_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/cursor.h"
#include "util/table.h"

#define SL_NATS_RETRY_MS 100           /* after an answer that asks for a retry, or if a connection takes nothing */
#define SL_NATS_PATIENCE_MS 1000       /* allowed silence */
#define SL_NATS_PATIENCE_LATER_MS 2000 /* from the third time on */
#define SL_NATS_TRIES_PATIENT 3

/* Embed it first. */
struct sl_nats_entry {
	TAILQ_ENTRY(sl_nats_entry) link;
	UT_hash_handle by_number, by_id;
	uint64_t number;     /* set before adding: rises */
	const char *id;      /* borrows; set before adding */
	size_t id_len;
	size_t bytes;        /* set before adding */
	uint64_t since_ms;   /* set before adding: its time-out begins then */
	struct sl_cursor floor; /* the log's last number when it was first sent, before it could be stored */
	uint64_t sent_ms;    /* time of its last sending */
	unsigned tries;      /* number of sendings */
	unsigned unanswered; /* sendings without a certain answer: it may be stored */
	bool is_on_its_way;  /* counts in flight */
	bool is_busy;        /* taken, and not put back */
	bool is_over;        /* busy, and out of the table: the code that puts it back owns it */
};

struct sl_nats_pending_config {
	uint64_t timeout_ms;
	size_t flight_max, flight_bytes_max; /* limits for entries on their way; one is always allowed */
};

struct sl_nats_pending {
	struct sl_nats_pending_config config;
	TAILQ_HEAD(sl_nats_entries, sl_nats_entry) entries; /* by number */
	struct sl_nats_entry *by_number, *by_id;
	struct sl_nats_entry *next; /* the next entry to send; those before it are on their way */
	size_t count, flight_count, flight_bytes;
	bool is_connected, is_stalled;
	uint64_t probe_ms;          /* the next sending of the oldest, while stalled and it is not on its way */
	uint64_t quiet_ms;          /* start of the time in which nothing was stored, though an entry is on its way; 0:
	                             * none is */
	uint64_t retries;           /* for the metrics: sendings that were not an entry's first */
};

void sl_nats_pending_init(struct sl_nats_pending *pending,
	const struct sl_nats_pending_config *config);

/* Adds an entry at the end. Errors: SL_ENOMEM, it stays the caller's. */
int sl_nats_pending_add(struct sl_nats_pending *pending, struct sl_nats_entry *entry);

/* There is a connection, or another one: all entries are sent again. */
void sl_nats_pending_connect(struct sl_nats_pending *pending, uint64_t now_ms);
void sl_nats_pending_disconnect(struct sl_nats_pending *pending, uint64_t now_ms);

/* Detects silence. Call it before take, and when it is due. */
void sl_nats_pending_run(struct sl_nats_pending *pending, uint64_t now_ms);

/* Returns the time at which run, take or expire is due next; UINT64_MAX: none until an event. */
uint64_t sl_nats_pending_get_due(const struct sl_nats_pending *pending);

/* Returns the next entry to send now, or NULL. It is busy until it is put back. `head` is the highest known
 * number of the log. */
struct sl_nats_entry *sl_nats_pending_take(struct sl_nats_pending *pending, uint64_t now_ms,
	struct sl_cursor head);

/* Puts the entry back; `is_handed` is false if the connection did not take it. True: it was answered meanwhile,
 * is out of the table, and belongs to the caller. */
bool sl_nats_pending_put(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_handed, uint64_t now_ms);

struct sl_nats_entry *sl_nats_pending_find(struct sl_nats_pending *pending, uint64_t number);
struct sl_nats_entry *sl_nats_pending_find_id(struct sl_nats_pending *pending, const char *id,
	size_t id_len);

/* The log's answer is final: takes the entry out. True: it now belongs to the caller. False: it is busy, and
 * belongs to the code that puts it back. */
bool sl_nats_pending_finish(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	uint64_t now_ms);

/* The log asks for a retry. `is_certain`: this sending was not stored. */
void sl_nats_pending_postpone(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_certain, uint64_t now_ms);

/* The log stores, but its answer about one entry cannot be believed yet. That entry stays on its way, and is
 * sent again after a long silence. No other entry waits for it. */
void sl_nats_pending_hear(struct sl_nats_pending *pending, uint64_t now_ms);

/* True if it may have been stored. */
bool sl_nats_pending_is_unclear(const struct sl_nats_entry *entry);

/* Returns the oldest entry whose time is over, or NULL. It stays in the table; drop it. */
struct sl_nats_entry *sl_nats_pending_get_expired(const struct sl_nats_pending *pending,
	uint64_t now_ms);

/* Takes it out without an answer; otherwise as finish. */
bool sl_nats_pending_drop(struct sl_nats_pending *pending, struct sl_nats_entry *entry);

/* Returns for how long nothing was stored, though an entry is on its way; 0: none is. */
uint64_t sl_nats_pending_get_silence_ms(const struct sl_nats_pending *pending, uint64_t now_ms);

#endif
