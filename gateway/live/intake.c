#include "live/intake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "live/link.h"
#include "live/shard.h"
#include "util/err.h"

#define INPUT (EPOLLIN | EPOLLRDHUP)
#define GARBAGE_BYTES 65536    /* what a client with nothing to say may send */
#define BODY_BYTES (16u << 20) /* the same of a body that nobody wants */

/* ---- steps ---- */

bool
sl_intake_may_read(struct sl_link *link)
{
	if (sl_share_count_left(&link->steps) > 0)
		return true;
	sl_share_wait(&link->steps);
	return false;
}

/* As many bytes as its steps allow. What is kept of a read takes memory: a link that had to wait reads little
 * until it has no need to wait. */
static size_t
limit_read(struct sl_link *link, size_t len)
{
	unsigned left = sl_share_count_left(&link->steps);
	size_t most = link->reads_little || left == 0 ? SL_STEP_BYTES : (size_t)left * SL_STEP_BYTES;
	if (link->socket.secure)
		link->socket.secure->records_max = left;
	return len < most ? len : most;
}

static void
take_steps(struct sl_link *link, ssize_t got)
{
	size_t steps = got > 0 ? ((size_t)got + SL_STEP_BYTES - 1) / SL_STEP_BYTES : 1;
	const struct sl_socket_secure *secure = link->socket.secure;
	if (secure && secure->records > steps)
		steps = secure->records;
	sl_share_take_read(&link->steps, (unsigned)steps);
}

/* ---- reading ---- */

/* What a read leaves here, or what it had written, no event tells of. */
static ssize_t
note_read(struct sl_link *link, ssize_t got)
{
	take_steps(link, got);
	if (got > 0)
		link->last_read_ms = link->shard->loop.now_ms;
	if (sl_socket_is_secure(&link->socket)) {
		sl_link_count_secure(link);
		if (sl_socket_has_input(&link->socket) || sl_socket_has_unsent(&link->socket))
			sl_link_add_work(link);
	}
	return got;
}

static ssize_t
count_read(struct sl_link *link, ssize_t got)
{
	sl_link_count_in(link, link->class, got > 0 ? (uint64_t)got : 0);
	return note_read(link, got);
}

ssize_t
sl_intake_read(struct sl_link *link, void *bytes, size_t len)
{
	return count_read(link, sl_socket_read(&link->socket, bytes, limit_read(link, len)));
}

ssize_t
sl_intake_read_quietly(struct sl_link *link, void *bytes, size_t len)
{
	return note_read(link, sl_socket_read_quietly(&link->socket, bytes, limit_read(link, len)));
}

void
sl_intake_discard(struct sl_link *link)
{
	if (!sl_intake_may_read(link))
		return;
	/* The shard's own buffer, since a Unix socket has to be read to be emptied. */
	ssize_t got = count_read(link, sl_socket_discard(&link->socket, link->shard->read_buffer,
		limit_read(link, SL_READ_BUFFER)));
	if (got == SL_EAGAIN)
		return;
	if (got == SL_ECLOSED && link->state == SL_LINK_ENDING && sl_link_has_output(link)) {
		/* Should it be gone altogether, the kernel says so. */
		sl_loop_change(&link->shard->loop, &link->watch, link->watch.events & ~(uint32_t)INPUT);
		return;
	}
	if (got > 0)
		link->garbage_bytes += (uint32_t)got;
	/* The rest of a body or message that is too large is still on its way when it is refused:
	 * after a reset its sender would not see why. */
	bool is_too_much = link->garbage_bytes > (link->lingers_long ? BODY_BYTES : GARBAGE_BYTES);
	if (is_too_much)
		sl_metrics_add(&link->shard->metrics, SL_COUNTER_PROTOCOL_ERRORS, 1);
	if (got < 0 || is_too_much)
		sl_link_close(link);
}

/* ---- waiting ---- */

static void
free_kept(struct sl_link *link, struct sl_kept *kept)
{
	link->shard->framer.pinned_bytes -= kept->len;
	free(kept);
}

void
sl_intake_keep(struct sl_link *link, const char *bytes, size_t len)
{
	if (link->state != SL_LINK_OPEN)
		return;
	struct sl_kept *kept = malloc(sizeof *kept + len);
	if (!kept) {
		sl_link_close(link);
		return;
	}
	*kept = (struct sl_kept){ .len = (uint32_t)len };
	memcpy(kept->bytes, bytes, len);
	link->shard->framer.pinned_bytes += len;
	link->kept = kept;
	link->reads_little = true;
	sl_share_wait(&link->steps);
}

struct sl_kept *
sl_intake_take_kept(struct sl_link *link)
{
	struct sl_kept *kept = link->kept;
	link->kept = NULL;
	return kept;
}

void
sl_intake_give_back(struct sl_link *link, struct sl_kept *kept)
{
	if (link->state != SL_LINK_OPEN || kept->at == kept->len) {
		free_kept(link, kept);
		return;
	}
	link->kept = kept;
	sl_share_wait(&link->steps);
}

void
sl_intake_drop(struct sl_link *link)
{
	sl_share_cancel_wait(&link->steps);
	if (link->kept)
		free_kept(link, link->kept);
	link->kept = NULL;
}

/* An event that would come again each turn is not asked for. A client that has shut its side down is found when all
 * that it has said is read; one that is gone altogether is not waited for. */
bool
sl_intake_rests(struct sl_link *link, uint32_t events)
{
	if (!sl_share_is_waiting(&link->steps))
		return false;
	bool is_gone = events & (EPOLLHUP | EPOLLERR);
	if (!is_gone) {
		sl_loop_change(&link->shard->loop, &link->watch,
			link->watch.events & ~(events & (uint32_t)INPUT));
	} else if (link->state == SL_LINK_OPEN) {
		sl_socket_tell_tap(&link->socket, NULL, SL_ECLOSED);
		sl_link_close(link);
	} else {
		sl_share_cancel_wait(&link->steps);
		sl_intake_watch(link);
	}
	return true;
}

void
sl_intake_watch(struct sl_link *link)
{
	if (sl_share_is_waiting(&link->steps) || link->state == SL_LINK_CLOSED)
		return;
	link->reads_little = false;
	sl_loop_change(&link->shard->loop, &link->watch, link->watch.events | INPUT);
}

void
sl_intake_go_on(struct sl_steps *steps)
{
	struct sl_link *link = (struct sl_link *)((char *)steps - offsetof(struct sl_link, steps));
	if (link->state == SL_LINK_OPEN) {
		link->ops->go_on(link);
		if (sl_link_has_output(link)) /* perhaps it was postponed */
			sl_link_add_work(link);
		return;
	}
	sl_intake_watch(link);
	sl_intake_discard(link);
}
