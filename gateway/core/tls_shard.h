/* TLS shard: what all TLS sockets of a shard share: the buffers that they read and write through, and the
 * queue of handshakes.
 * Owner: the shard (live/shard.h). Thread: its own. Errors: as each call says.
 *
 * A handshake costs as much as a hundred deliveries, so each turn takes a few steps of them and no more; who
 * comes later waits in line, unread. Addresses take turns there: a crowd from one of them delays no other. */
#ifndef SL_CORE_TLS_SHARD_H
#define SL_CORE_TLS_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buffer.h"
#include "util/rota.h"

struct bio_method_st; /* OpenSSL's */
struct bio_st;
struct sl_metrics;
struct sl_tls;

#define SL_TLS_RECORD 16384 /* bytes that one record carries (RFC 8446, section 5.1) */
#define SL_TLS_INPUT (SL_TLS_RECORD + 512) /* read at a time: such a record, or many small ones */
#define SL_TLS_STEPS_PER_TURN 8

/* A step of a handshake that is due. Embed it; zero it before the first use. */
struct sl_tls_turn {
	struct sl_rota_place place; /* first */
	void (*take)(struct sl_tls_turn *turn); /* may end what embeds it */
};

struct sl_tls_shard {
	struct sl_metrics *metrics;  /* borrows */
	uint64_t *pinned_bytes;      /* borrows; the sum that --outbox-total limits */
	struct bio_method_st *method;
	struct bio_st *bio;          /* which every SSL reads `in` from and writes `out` to */
	struct sl_tls *current;      /* the socket at work */
	const char *in;              /* ciphertext that its SSL has not read yet */
	size_t in_len;
	bool is_shut_off;            /* its SSL gets no more of it */
	struct sl_buffer out;        /* ciphertext that its SSL has written */
	struct sl_rota turns;
	char ciphertext[SL_TLS_INPUT];
	char plaintext[SL_TLS_RECORD]; /* slices that go into one record */
};

/* Returns new in `*out`. Errors: SL_ENOMEM. */
int sl_tls_shard_create(struct sl_tls_shard **out, struct sl_metrics *metrics,
	uint64_t *pinned_bytes);
void sl_tls_shard_destroy(struct sl_tls_shard *shard);

/* Puts a step into the line, behind those of the same client, where it is not there already. */
void sl_tls_shard_queue(struct sl_tls_shard *shard, struct sl_rota_group *client,
	struct sl_tls_turn *turn);
void sl_tls_shard_cancel(struct sl_tls_shard *shard, struct sl_tls_turn *turn);

static inline bool
sl_tls_shard_is_queued(const struct sl_tls_turn *turn)
{
	return turn->place.group;
}

/* Takes the first SL_TLS_STEPS_PER_TURN steps; true when more wait. */
bool sl_tls_shard_take_steps(struct sl_tls_shard *shard);

#endif
