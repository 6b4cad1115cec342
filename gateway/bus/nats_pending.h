/* Pending: publishes that a log on NATS JetStream has not answered yet; which of them is to be handed to the
 * connection, and when.
 * Owner: the caller's memory, and its entries. Thread: one at a time. Errors: SL_ENOMEM from adding.
 *
 * Pure: no clock, no network. Entries keep the order in which they were added, and are handed over in it.
 *   - All goes well: up to a limit of them are on their way at once.
 *   - The log is *stalled* once an answer says "again", the oldest one has been silent for too long, the connection
 *     has changed or has taken one no longer. From then on only the oldest is handed over, time and again, until any
 *     answer shows that the log stores. Then all that are left follow, oldest first: those that were on their way as
 *     well, under the same ids.
 * So a retry comes before what was added after it, as long as that had not been handed over already. */
#ifndef SL_BUS_NATS_PENDING_H
#define SL_BUS_NATS_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/cursor.h"
#include "util/table.h"

#define SL_NATS_RETRY_MS 100           /* after an answer that says so, or a connection that takes nothing */
#define SL_NATS_PATIENCE_MS 1000       /* of silence */
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
	uint64_t since_ms;   /* set before adding: its time-out counts from then */
	struct sl_cursor floor; /* the log's last number when it was handed over, and could not be stored yet */
	uint64_t sent_ms;    /* the last time it was handed over */
	unsigned tries;      /* how often it was */
	unsigned unanswered; /* of those, how many nothing certain is known of: it may be stored */
	bool is_on_its_way;  /* counts in flight */
	bool is_busy;        /* taken, and not put back */
	bool is_over;        /* busy, and out of the table: whoever puts it back gets it */
};

struct sl_nats_pending_config {
	uint64_t timeout_ms;
	size_t flight_max, flight_bytes_max; /* on their way; one is always allowed */
};

struct sl_nats_pending {
	struct sl_nats_pending_config config;
	TAILQ_HEAD(sl_nats_entries, sl_nats_entry) entries; /* by number */
	struct sl_nats_entry *by_number, *by_id;
	struct sl_nats_entry *next; /* to be handed over; those before it are on their way */
	size_t count, flight_count, flight_bytes;
	bool is_connected, is_stalled;
	uint64_t probe_ms;          /* while stalled, and the oldest is not on its way: when it goes */
	uint64_t quiet_ms;          /* since when nothing was stored, though something is on its way; 0: nothing is */
	uint64_t retries;           /* for the metrics: hand-overs that were not an entry's first */
};

void sl_nats_pending_init(struct sl_nats_pending *pending,
	const struct sl_nats_pending_config *config);

/* At the end of the order. Errors: SL_ENOMEM, it stays the caller's. */
int sl_nats_pending_add(struct sl_nats_pending *pending, struct sl_nats_entry *entry);

/* A connection, or another one: all is handed over again. */
void sl_nats_pending_connect(struct sl_nats_pending *pending, uint64_t now_ms);
void sl_nats_pending_disconnect(struct sl_nats_pending *pending, uint64_t now_ms);

/* Notices silence. Before take, and when it is due. */
void sl_nats_pending_run(struct sl_nats_pending *pending, uint64_t now_ms);

/* When run, take or expire has something to do next; UINT64_MAX: not before something happens. */
uint64_t sl_nats_pending_get_due(const struct sl_nats_pending *pending);

/* The next one to be handed to the connection now, or NULL. It is busy until it is put back. `head` is the
 * highest number that the log is known to have given. */
struct sl_nats_entry *sl_nats_pending_take(struct sl_nats_pending *pending, uint64_t now_ms,
	struct sl_cursor head);

/* Afterwards; `is_handed` is false where the connection did not take it. True: it was answered meanwhile and
 * is out of the table: the caller's. */
bool sl_nats_pending_put(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_handed, uint64_t now_ms);

struct sl_nats_entry *sl_nats_pending_find(struct sl_nats_pending *pending, uint64_t number);
struct sl_nats_entry *sl_nats_pending_find_id(struct sl_nats_pending *pending, const char *id,
	size_t id_len);

/* The log has answered for good. Takes the entry out. True: it is the caller's now; false: it is busy, and
 * whoever puts it back gets it. */
bool sl_nats_pending_finish(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	uint64_t now_ms);

/* The log has said "again". `is_certain`: what it answered has not been stored. */
void sl_nats_pending_postpone(struct sl_nats_pending *pending, struct sl_nats_entry *entry,
	bool is_certain, uint64_t now_ms);

/* The log stores, and what it said of one entry cannot be believed yet: that one stays on its way, and is handed over
 * again when it was silent for long enough; it keeps no other waiting. */
void sl_nats_pending_hear(struct sl_nats_pending *pending, uint64_t now_ms);

/* True when it may be stored, as far as anybody knows. */
bool sl_nats_pending_is_unclear(const struct sl_nats_entry *entry);

/* The oldest whose time is over, or NULL; it stays in the table: drop it. */
struct sl_nats_entry *sl_nats_pending_get_expired(const struct sl_nats_pending *pending,
	uint64_t now_ms);

/* Takes it out without an answer; as finish otherwise. */
bool sl_nats_pending_drop(struct sl_nats_pending *pending, struct sl_nats_entry *entry);

/* For how long nothing was stored though something is on its way; 0: nothing is. */
uint64_t sl_nats_pending_get_silence_ms(const struct sl_nats_pending *pending, uint64_t now_ms);

#endif
