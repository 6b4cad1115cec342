/* Intake: what a link's client says: counted reads, as many steps of a turn as the link may have (live/share.h),
 * and bytes that were read and wait for the link's next turn.
 * Owner: the link. Thread: its shard's. Errors: reading returns those of sl_socket_read(); a link without memory
 * for what it should keep is closed.
 *
 * While a link waits its socket is not watched for input. That is changed by the first event that comes of it, so
 * that a link which waits until the end of a turn costs no system call. */
#ifndef SL_LIVE_INTAKE_H
#define SL_LIVE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_link;
struct sl_steps;

/* Bytes of a transport's client that were read and not handled: they count in --outbox-total. */
struct sl_kept {
	uint32_t len, at; /* those before `at` have been handled */
	char bytes[];
};

/* True when something may be read now. Else the link waits from now on, and the ops' go_on comes. */
bool sl_intake_may_read(struct sl_link *link);

/* Counted reads, of `len` bytes and as many steps as are left; sl_intake_may_read() has been true. What they leave
 * of what is here already has on_readable called in the same turn. */
ssize_t sl_intake_read(struct sl_link *link, void *bytes, size_t len);

/* The same, see sl_socket_read_quietly; what is read is to be counted by sl_link_count_in(). */
ssize_t sl_intake_read_quietly(struct sl_link *link, void *bytes, size_t len);

/* For a client that has nothing to say: throws bytes away, closes when the peer has closed or
 * will not stop: above 64 KiB, or where it `lingers_long` above 16 MiB. Last bytes that are
 * queued still go to a client that has only shut its side down. */
void sl_intake_discard(struct sl_link *link);

/* ---- waiting ---- */

/* Keeps a copy of what cannot be handled in this turn: the link waits. */
void sl_intake_keep(struct sl_link *link, const char *bytes, size_t len);

/* What is kept is the caller's, until it is given back; NULL: nothing is. */
struct sl_kept *sl_intake_take_kept(struct sl_link *link);
/* Takes what is left of it, and waits; where nothing is left, or the link ends, it is freed. */
void sl_intake_give_back(struct sl_link *link, struct sl_kept *kept);

/* Nothing of what the client has said is handled any more: forgets what is kept, and does not wait. */
void sl_intake_drop(struct sl_link *link);

/* The link has an event of its socket while it waits: true when it goes on to wait. */
bool sl_intake_rests(struct sl_link *link, uint32_t events);

/* It waits no more: its socket is watched for input again. */
void sl_intake_watch(struct sl_link *link);

/* For the shard's line. */
void sl_intake_go_on(struct sl_steps *steps);

#endif
