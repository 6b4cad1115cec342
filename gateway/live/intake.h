/* Intake: the bytes from a link's client. It counts reads, and limits them to the steps that the link has in a
 * turn (live/share.h). It keeps bytes that were read and wait for the link's next turn.
 * Owner: the link. Thread: its shard's. Errors: reading returns those of sl_socket_read(); a link without
 * memory for bytes that it should keep is closed.
 *
 * While a link waits its socket is not watched for input. Only the first event of a waiting link changes the
 * watch, so a link that waits until the end of a turn costs no system call. */
#ifndef SL_LIVE_INTAKE_H
#define SL_LIVE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_link;
struct sl_steps;

/* Bytes of a transport's client that were read and not handled. They count in --outbox-total. */
struct sl_kept {
	uint32_t len, at; /* the bytes before `at` have been handled */
	char bytes[];
};

/* True if the link may read now. Otherwise the link waits from now on, and the ops' go_on follows. */
bool sl_intake_may_read(struct sl_link *link);

/* Reads and counts at most `len` bytes, and at most as many as the steps left allow. sl_intake_may_read() was
 * true. If bytes that are already here remain, on_readable is called in the same turn. */
ssize_t sl_intake_read(struct sl_link *link, void *bytes, size_t len);

/* The same, see sl_socket_read_quietly. The caller counts the bytes by sl_link_count_in(). */
ssize_t sl_intake_read_quietly(struct sl_link *link, void *bytes, size_t len);

/* For a client that must not send: discards its bytes. Closes the link if the peer has closed, or if it sends
 * more than 64 KiB (16 MiB if the link `lingers_long`). A client that has only shut its side down still gets
 * the queued last bytes. */
void sl_intake_discard(struct sl_link *link);

/* ---- waiting ---- */

/* Keeps a copy of bytes that cannot be handled in this turn. The link waits. */
void sl_intake_keep(struct sl_link *link, const char *bytes, size_t len);

/* Gives the kept bytes to the caller, until they are given back. NULL: there are none. */
struct sl_kept *sl_intake_take_kept(struct sl_link *link);
/* Takes the rest of these bytes back, and waits. If nothing is left, or the link ends, frees them. */
void sl_intake_give_back(struct sl_link *link, struct sl_kept *kept);

/* The client's bytes are not handled any more: frees kept bytes, and ends the wait. */
void sl_intake_drop(struct sl_link *link);

/* The link has an event of its socket while it waits: true if it continues to wait. */
bool sl_intake_rests(struct sl_link *link, uint32_t events);

/* The wait is over: watches the socket for input again. */
void sl_intake_watch(struct sl_link *link);

/* Called by the shard's line: the link's turn has come. */
void sl_intake_go_on(struct sl_steps *steps);

#endif
