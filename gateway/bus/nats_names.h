/* Names in a log of NATS JetStream: which subject a channel has, how an event's name is written, and what a message's
 * id is.
 * Owner: values of the caller. Thread: any. Errors: SL_EINVAL where a name is not of the form asked for.
 *
 * A subject is `sluice.<bus>.<channel>`. A byte of the channel that is not a letter, a digit, `_`, `-`, `:`
 * or `.` is written as `=` and two upper-case hexadecimal digits. So is a dot where NATS would see an empty
 * token: at either end, or behind a dot. Each channel has one subject, and each subject of this form one
 * channel, so that nobody can have two orders for one channel. */
#ifndef SL_BUS_NATS_NAMES_H
#define SL_BUS_NATS_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"
#include "bus/message.h"
#include "util/span.h"

#define SL_NATS_BUS_MAX 32 /* bytes of a bus's name */

/* Every byte of the channel escaped, and a NUL. */
#define SL_NATS_SUBJECT_MAX (sizeof "sluice.." + SL_NATS_BUS_MAX + 3 * SL_CHANNEL_MAX)

/* Writes the channel's subject and a NUL, and returns the length without the NUL. Any bytes make a channel
 * here, 1 to SL_CHANNEL_MAX of them. */
size_t sl_nats_subject_of(char out[SL_NATS_SUBJECT_MAX], const char *bus, struct sl_span channel);

/* The channel that has this subject, with a NUL. It may still be no legal name of a channel
 * (sl_channel_name_valid). Errors: SL_EINVAL, no channel of up to SL_CHANNEL_MAX bytes on this bus has it. */
int sl_nats_channel_of(char out[SL_CHANNEL_MAX + 1], size_t *len, const char *bus,
	struct sl_span subject);

/* ---- names of events (Sluice-Event) ---- */

/* Every byte escaped, and a NUL. */
#define SL_NATS_EVENT_MAX (3 * SL_EVENT_MAX + 1)

/* Writes an event's name of 1 to SL_EVENT_MAX bytes for a header's line, and a NUL; returns the length without it.
 * A byte that is not a visible ASCII character is written as `=` and two upper-case hexadecimal digits, and so is
 * `=`: libraries trim blanks and take bytes above 0x7f in different ways. */
size_t sl_nats_event_write(char out[SL_NATS_EVENT_MAX], struct sl_span event);

/* The name that such a value stands for, with a NUL; what others wrote without escapes is taken as it is. It may
 * still be no legal name (sl_event_name_valid). Errors: SL_EINVAL, it is empty, too long, or has a bad escape. */
int sl_nats_event_read(char out[SL_EVENT_MAX + 1], size_t *len, struct sl_span value);

/* ---- ids of messages (Nats-Msg-Id) ---- */

/* `k/` and a key, or `p/`, eight characters, `/` and a number in base 36; and a NUL. */
#define SL_NATS_ID_MAX (sizeof "k/" + SL_BUS_KEY_MAX)

/* Ids of publishes without a key: those of one start of a process, and of nobody else. Start with
 * sl_nats_ids_init(). */
struct sl_nats_ids {
	char start[8];
	uint64_t count; /* of ids given */
};

/* Draws the eight characters. Errors: SL_EIO. */
int sl_nats_ids_init(struct sl_nats_ids *ids);

/* Writes an id that was not given before, and a NUL; returns its length. */
size_t sl_nats_ids_next(struct sl_nats_ids *ids, char out[SL_NATS_ID_MAX]);

/* The id of a publish with this key (at most SL_BUS_KEY_MAX bytes), the same on every node; returns its
 * length. */
size_t sl_nats_id_of_key(char out[SL_NATS_ID_MAX], struct sl_span key);

#endif
