/* Share: the part of a turn that each connection and each address may have. A step is one request, one frame,
 * or one read of up to 4 KiB. A longer read takes a step for each 4 KiB begun; its steps pay for as many
 * requests or frames in it. A connection has SL_STEPS_OF_LINK steps per turn. An address has SL_STEPS_OF_SHARE,
 * while another address is served too. A connection with more to do waits in the shard's line, where addresses
 * take turns.
 * Owner: the shard has the table. A share belongs to its links, and is freed with the last of them. Thread: the
 * shard's. Errors: SL_ENOMEM from joining.
 *
 * An address is the one that limits count (sl_address_get_owner). A connection of a Unix socket is a share of
 * its own. So is one of a trusted proxy, until the proxy names its client. */
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
#define SL_STEPS_OF_LINE 256 /* for all waiting links in one turn; the others wait again */
#define SL_STEP_BYTES 4096

struct sl_shares {
	struct sl_rota line;            /* waiting links, by share */
	struct sl_share *by_key;        /* a table of shares with an address */
	struct sl_metrics *metrics;     /* borrows */
	void (*go_on)(struct sl_steps *steps); /* the turn of a waiting link has come; may end it */
	const struct sl_steps *serving; /* the waiting link that is examined or served now */
	uint64_t turn;                  /* now; begins at 2, so that 0 was never the last one */
	uint64_t last_turn, last_id;    /* turn and share of the last step */
	uint64_t shared_turn;           /* the last turn that served two shares, or one share after another */
	uint64_t next_id;
	unsigned steps;                 /* steps given in this turn */
};

/* Of one link. Embed it; all zero before it joins. */
struct sl_steps {
	struct sl_rota_place place;     /* first; its place in the line, while it waits */
	struct sl_share *share;
	uint64_t turn;                  /* the last turn in which it had a step */
	uint64_t served_turn;           /* the last turn in which the line served it */
	uint8_t taken;                  /* steps taken in `turn` */
	uint8_t paid;                   /* requests and frames that a read in `turn` has paid for */
};

void sl_shares_init(struct sl_shares *shares, struct sl_metrics *metrics,
	void (*go_on)(struct sl_steps *steps));

/* Joins the share of `address`; NULL: a share of its own. Errors: SL_ENOMEM, it is in no share. */
int sl_share_join(struct sl_shares *shares, struct sl_steps *steps, const struct sl_address *address);

/* Leaves the line and its share, if it is in one. Call it when the turn ends, not before: a client that leaves
 * and comes again in the same turn would have new steps. */
void sl_share_leave(struct sl_steps *steps);

/* Moves it to another client's share. Without memory it stays in its share. */
void sl_share_move(struct sl_steps *steps, const struct sl_address *address);

/* The share's group in the line for steps of a TLS handshake (core/tls_shard.h). */
struct sl_rota_group *sl_share_get_handshakes(const struct sl_steps *steps);

/* Returns the number of steps that it may take now; 0 while it waits. */
unsigned sl_share_count_left(const struct sl_steps *steps);

/* A read took `count` steps: at most those that were left, and at least one. */
void sl_share_take_read(struct sl_steps *steps, unsigned count);

/* True if a request or frame may be served now. */
bool sl_share_may_serve(const struct sl_steps *steps);
/* A request or frame was served. */
void sl_share_take_served(struct sl_steps *steps);

/* An answer read `bytes` bytes of history: its address loses one step of this turn for each 4 KiB. These steps
 * count in no metric, since an answer may need more than a turn has. */
void sl_share_take_answer(struct sl_steps *steps, uint64_t bytes);

/* Makes it wait for its turn. */
void sl_share_wait(struct sl_steps *steps);
void sl_share_cancel_wait(struct sl_steps *steps);

static inline bool
sl_share_is_waiting(const struct sl_steps *steps)
{
	return steps->place.group;
}

/* True if it waits and no other link does. */
bool sl_share_is_waiting_alone(const struct sl_steps *steps);

/* Serves waiting links. */
void sl_shares_take_turns(struct sl_shares *shares);

/* Ends the turn: all links have their steps again. True if a link waits. */
bool sl_shares_end_turn(struct sl_shares *shares);

#endif
