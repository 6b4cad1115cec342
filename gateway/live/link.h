/* Link: the bytes to and from one client: its socket, outbox, flush, deadline, end.
 * Owner: the struct that embeds it first (http/connection.h), on the heap; freed at the end of the turn in
 * which it closed. Thread: its shard's. Errors: as each call says; a link without memory for bytes that it
 * should send is closed.
 *
 *   OPEN -> ENDING -> LINGERING -> CLOSED
 *
 * ENDING: the last bytes are queued. LINGERING: all bytes are sent, and the link waits for its peer. The link's
 * user has the ops, and decides what is served on the link. */
#ifndef SL_LIVE_LINK_H
#define SL_LIVE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/loop.h"
#include "core/socket.h"
#include "live/encoder.h"
#include "live/kernel_memory.h"
#include "live/outbox.h"
#include "live/share.h"
#include "util/metrics.h"

struct sl_kept;
struct sl_link;
struct sl_owner;
struct sl_shard;

enum sl_link_state { SL_LINK_OPEN, SL_LINK_ENDING, SL_LINK_LINGERING, SL_LINK_CLOSED };

/* Events of a link that is OPEN. All are mandatory. */
struct sl_link_ops {
	/* The socket is readable, or its peer has closed: `events` are EPOLL* bits. */
	void (*on_readable)(struct sl_link *link, uint32_t events);
	/* Its work is done, and the kernel has every byte. */
	void (*on_idle)(struct sl_link *link);
	void (*on_timer)(struct sl_link *link);
	/* Its turn has come after a wait: handles its kept bytes, and reads (live/intake.h). */
	void (*go_on)(struct sl_link *link);
	/* The gateway ends the service on this link (draining, slow consumer). */
	void (*end)(struct sl_link *link, enum sl_end_reason reason);
	/* The bus's backend is away or back: notifies a subscriber (live/outage.h). True if the link serves one. */
	bool (*on_outage)(struct sl_link *link);
	/* The link closes, in any state, once: every object that refers to it lets go. */
	void (*on_close)(struct sl_link *link);
};

struct sl_link {
	/* The first cache line has the fields that every delivery touches, the second those of every flush. */
	const struct sl_link_ops *ops;
	struct sl_shard *shard;
	struct sl_outbox outbox;
	uint8_t state; /* enum sl_link_state */
	uint8_t class; /* enum sl_class: its bytes are accounted to it */
	bool has_work;
	bool is_late; /* it is in the shard's list of late links */
	bool lingers_long; /* its client may still send a refused body */
	bool reads_little; /* it had to wait with unhandled bytes */
	uint32_t garbage_bytes; /* read and discarded */
	uint32_t request_bytes; /* of an incomplete request, which its reader keeps */

	STAILQ_ENTRY(sl_link) work; /* while it has_work */
	struct sl_watch watch;
	struct sl_socket socket;
	uint64_t last_write_ms, last_read_ms; /* next to the socket's TLS fields, which a flush reads */

	struct sl_steps steps; /* its steps in this turn (live/share.h) */
	struct sl_kept *kept;  /* owns; bytes read and not handled, while it waits (live/intake.h); or NULL */
	struct sl_timer timer;
	struct sl_kernel_part kernel; /* the kernel's bytes for it */
	struct sl_link *next, **prev; /* the shard's list */
	struct sl_deferred deferred;
	struct sl_address client; /* the client in log lines: the peer, or the client that a trusted proxy names
	                           * (http/trust.h) */
	struct sl_owner *owner;   /* a reference: the owner that limits count, by the same address; or NULL */
};

/* `link` is all zero; takes `fd`, an accepted socket. Errors: SL_EIO, SL_ENOMEM, nothing was taken. */
int sl_link_open(struct sl_link *link, struct sl_shard *shard, const struct sl_link_ops *ops,
	enum sl_class class, int fd, const struct sockaddr_storage *peer);

/* Accounts its bytes to another class from now on. */
void sl_link_set_class(struct sl_link *link, enum sl_class class);

/* Queues bytes for this client alone, whatever the outbox holds. */
void sl_link_send(struct sl_link *link, const char *bytes, size_t len);

/* The same; a buffer that failed closes the link. */
void sl_link_send_buffer(struct sl_link *link, const struct sl_buffer *buffer);

/* Queues a wire from offset `at`, whatever the outbox holds; true unless that closed the link. */
bool sl_link_push(struct sl_link *link, struct sl_wire *wire, uint32_t at);

/* The same within the outbox's limit. True unless that ended the link (SL_END_SLOW_CONSUMER). One object always
 * fits, however large. */
bool sl_link_send_wire(struct sl_link *link, struct sl_wire *wire, uint32_t at);

/* Schedules a flush of the link, or a call of its on_idle, for the end of this turn. */
void sl_link_add_work(struct sl_link *link);

/* Does that work. */
void sl_link_do_work(struct sl_link *link);

/* Bytes that the kernel does not have yet: queued, or in a TLS record. */
static inline uint32_t
sl_link_count_output(const struct sl_link *link)
{
	const struct sl_socket_secure *secure = link->socket.secure;
	return link->outbox.queued_bytes + (secure ? secure->unsent_bytes : 0);
}

static inline bool
sl_link_has_output(const struct sl_link *link)
{
	return sl_link_count_output(link) > 0;
}

/* Its part of the memory that --outbox-total limits. */
uint64_t sl_link_count_pinned(const struct sl_link *link);

/* True while the kernel has no room for what is queued. */
bool sl_link_is_blocked(const struct sl_link *link);

/* (Re)sets the timer. */
void sl_link_set_timer(struct sl_link *link, uint64_t due_ms);

/* Ends the link: reads no more, sends the queued bytes and closes (after at most 5 s). */
void sl_link_end(struct sl_link *link);

/* Closes at once. Allowed in any state, and twice. */
void sl_link_close(struct sl_link *link);

/* The same with RST, so that a shortened answer does not look complete. */
void sl_link_abort(struct sl_link *link);

/* Accounts `len` bytes that were read (live/intake.h) to a class, as the bytes that the wire carried for them. */
void sl_link_count_in(struct sl_link *link, enum sl_class class, uint64_t len);

/* In TLS, counts the bytes sent as the wire reports them, not the bytes written. */
void sl_link_count_secure(struct sl_link *link);

#endif
