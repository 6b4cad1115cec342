/* Link: the bytes to and from one client: its socket, outbox, flush, deadline, end.
 * Owner: whoever embeds it first in a struct of its own (http/connection.h), on the heap; freed
 * at the end of the turn in which it closed. Thread: its shard's. Errors: as each call says; a link
 * without memory for what it should send is closed.
 *
 *   OPEN -> ENDING -> LINGERING -> CLOSED
 *
 * ENDING: the last bytes are queued. LINGERING: all is sent, the peer is waited for. What is served
 * on a link is its user's, who has its ops. */
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

/* What happens on a link that is OPEN. All are mandatory. */
struct sl_link_ops {
	/* The socket is readable, or its peer has closed: `events` are EPOLL* bits. */
	void (*on_readable)(struct sl_link *link, uint32_t events);
	/* Its work was done and every byte is with the kernel. */
	void (*on_idle)(struct sl_link *link);
	void (*on_timer)(struct sl_link *link);
	/* It has waited, and has its turn: handles what it kept, and reads (live/intake.h). */
	void (*go_on)(struct sl_link *link);
	/* The gateway ends what is served here (draining, slow consumer). */
	void (*end)(struct sl_link *link, enum sl_end_reason reason);
	/* The bus's backend has gone away or come back: whom it concerns is told (live/outage.h). True if somebody is
	 * served here. */
	bool (*on_outage)(struct sl_link *link);
	/* The link closes, in any state, once: everything that hangs on it lets go. */
	void (*on_close)(struct sl_link *link);
};

struct sl_link {
	/* What every delivery touches stands in the first cache line, what every flush does in the
	 * second. */
	const struct sl_link_ops *ops;
	struct sl_shard *shard;
	struct sl_outbox outbox;
	uint8_t state; /* enum sl_link_state */
	uint8_t class; /* enum sl_class: whom its bytes are accounted to */
	bool has_work;
	bool is_late; /* it is in the shard's list of those */
	bool lingers_long; /* its client may still be sending a body that nobody wants */
	bool reads_little; /* it had to wait with bytes that were read */
	uint32_t garbage_bytes; /* read and thrown away */
	uint32_t request_bytes; /* of a request that is not complete, which its reader keeps */

	STAILQ_ENTRY(sl_link) work; /* while it has_work */
	struct sl_watch watch;
	struct sl_socket socket;
	uint64_t last_write_ms, last_read_ms; /* beside what the socket keeps of TLS, which a flush asks for */

	struct sl_steps steps; /* what it has had of this turn (live/share.h) */
	struct sl_kept *kept;  /* owns; read and not handled; it waits then (live/intake.h); or NULL */
	struct sl_timer timer;
	struct sl_kernel_part kernel; /* what the kernel holds for it */
	struct sl_link *next, **prev; /* the shard's list */
	struct sl_deferred deferred;
	struct sl_address client; /* whom logs tell of: the peer, unless a trusted proxy says otherwise
	                           * (http/trust.h) */
	struct sl_owner *owner;   /* a reference: whom limits count, by the same address; or NULL */
};

/* `link` is all zero; takes `fd`, an accepted socket. Errors: SL_EIO, SL_ENOMEM, nothing was taken. */
int sl_link_open(struct sl_link *link, struct sl_shard *shard, const struct sl_link_ops *ops,
	enum sl_class class, int fd, const struct sockaddr_storage *peer);

/* From now on its bytes are accounted to another class. */
void sl_link_set_class(struct sl_link *link, enum sl_class class);

/* Queues bytes for this client alone, whatever the outbox holds. */
void sl_link_send(struct sl_link *link, const char *bytes, size_t len);

/* The same; a buffer that failed closes the link. */
void sl_link_send_buffer(struct sl_link *link, const struct sl_buffer *buffer);

/* Queues a wire from offset `at`, whatever the outbox holds; true unless that closed the link. */
bool sl_link_push(struct sl_link *link, struct sl_wire *wire, uint32_t at);

/* The same within the limit of an outbox: true unless that ended the link (SL_END_SLOW_CONSUMER).
 * One object always fits, however large. */
bool sl_link_send_wire(struct sl_link *link, struct sl_wire *wire, uint32_t at);

/* Has the link flushed, or its on_idle called, at the end of this turn. */
void sl_link_add_work(struct sl_link *link);

/* That work. */
void sl_link_do_work(struct sl_link *link);

/* Bytes that are not with the kernel: queued, or in a record that it has no room for. */
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

/* What it holds of the memory that --outbox-total limits. */
uint64_t sl_link_count_pinned(const struct sl_link *link);

/* True while the kernel has no room for what is queued. */
bool sl_link_is_blocked(const struct sl_link *link);

/* (Re)sets the timer. */
void sl_link_set_timer(struct sl_link *link, uint64_t due_ms);

/* Nothing more will be read: sends what is queued and closes (at the latest after 5 s). */
void sl_link_end(struct sl_link *link);

/* At once. Allowed in any state, twice too. */
void sl_link_close(struct sl_link *link);

/* The same with RST, so that a shortened answer does not look complete. */
void sl_link_abort(struct sl_link *link);

/* `len` bytes that were read (live/intake.h) are accounted to a class, as what the wire carried for them. */
void sl_link_count_in(struct sl_link *link, enum sl_class class, uint64_t len);

/* In TLS it is the wire that is asked what was sent, not what was written: counts what it tells. */
void sl_link_count_secure(struct sl_link *link);

#endif
