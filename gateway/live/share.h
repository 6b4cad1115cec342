/* Share: how much of a turn each connection and each address may have. A step is one request, one frame, or
 * one read for each 4 KiB of it that have begun; the steps of a read pay for as many requests or frames in it.
 * A connection has SL_STEPS_OF_LINK steps a turn. An address has SL_STEPS_OF_SHARE, while another one is
 * served too. Whoever has more to do waits in the shard's line, where addresses take turns.
 * Owner: the shard has the table; a share is its links', freed with the last of them. Thread: the shard's.
 * Errors: SL_ENOMEM from joining.
 *
 * An address is whom limits count (sl_address_get_owner): connections of a Unix socket, and those of a trusted
 * proxy, whose clients nobody knows yet, are shares of their own. */
#ifndef SL_LIVE_SHARE_H
#define SL_LIVE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/rota.h"

struct sl_address;
struct sl_metrics;
struct sl_share;
struct sl_steps;

#define SL_STEPS_OF_LINK 16
#define SL_STEPS_OF_SHARE 64
#define SL_STEPS_OF_LINE 256 /* of all that waited, in one turn: then the rest waits again */
#define SL_STEP_BYTES 4096

struct sl_shares {
	struct sl_rota line;            /* links that wait for their turn, by share */
	struct sl_share *by_key;        /* a table, of those that have an address */
	struct sl_metrics *metrics;     /* borrows */
	void (*go_on)(struct sl_steps *steps); /* the turn of one that waited has come; may end it */
	const struct sl_steps *serving; /* who waited and is asked for, or served, now */
	uint64_t turn;                  /* now; begins at 2, so that 0 was never the last one */
	uint64_t last_turn, last_id;    /* when and to which share the last step was given */
	uint64_t shared_turn;           /* the last one in which two shares were served, or one after another */
	uint64_t next_id;
	unsigned steps;                 /* given in this turn */
};

/* Of one link. Embed it; all zero before it joins. */
struct sl_steps {
	struct sl_rota_place place;     /* first; in the line, while it waits */
	struct sl_share *share;
	uint64_t turn;                  /* the last one in which it had a step */
	uint64_t served_turn;           /* the last one in which it was served out of the line */
	uint8_t taken;                  /* in `turn` */
	uint8_t paid;                   /* requests and frames that a read of `turn` has paid for */
};

void sl_shares_init(struct sl_shares *shares, struct sl_metrics *metrics,
	void (*go_on)(struct sl_steps *steps));

/* The share of `address`; NULL: one of its own. Errors: SL_ENOMEM, it is in none. */
int sl_share_join(struct sl_shares *shares, struct sl_steps *steps, const struct sl_address *address);

/* Out of the line, and out of its share; also for one that is in none. Call it when the turn ends, not before:
 * who leaves and comes again in the same turn would have new steps. */
void sl_share_leave(struct sl_steps *steps);

/* It is another client's from now on. Without memory it stays where it is. */
void sl_share_move(struct sl_steps *steps, const struct sl_address *address);

/* Those who wait for a step of a TLS handshake (core/tls_shard.h). */
struct sl_rota_group *sl_share_get_handshakes(const struct sl_steps *steps);

/* How many steps it may take now; 0 also while it waits. */
unsigned sl_share_count_left(const struct sl_steps *steps);

/* A read took so many steps: at most those that were left, and one at least. */
void sl_share_take_read(struct sl_steps *steps, unsigned count);

/* True when a request or frame may be served now. */
bool sl_share_may_serve(const struct sl_steps *steps);
/* It was. */
void sl_share_take_served(struct sl_steps *steps);

/* So many bytes of history were read to answer it: its address has fewer steps left in this turn, one for each 4 KiB.
 * They count in no metric, since an answer may be more than a turn has. */
void sl_share_take_answer(struct sl_steps *steps, uint64_t bytes);

/* It waits for its turn. */
void sl_share_wait(struct sl_steps *steps);
void sl_share_cancel_wait(struct sl_steps *steps);

static inline bool
sl_share_is_waiting(const struct sl_steps *steps)
{
	return steps->place.group;
}

/* It waits, and nobody else. */
bool sl_share_is_waiting_alone(const struct sl_steps *steps);

/* Serves those that wait. */
void sl_shares_take_turns(struct sl_shares *shares);

/* From here on all have their steps again. True when somebody waits. */
bool sl_shares_end_turn(struct sl_shares *shares);

#endif
