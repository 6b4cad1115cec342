/* Names in a log of NATS JetStream: the subject of a channel, the written form of an event's name, and the id
 * of a message.
 * Owner: values of the caller. Thread: any. Errors: SL_EINVAL, a name does not have its form.
 *
 * A subject is `sluice.<bus>.<channel>`. A byte of the channel that is not a letter, a digit, `_`, `-`, `:` or
 * `.` is written as `=` and two upper-case hexadecimal digits. So is a dot that would make an empty token for
 * NATS: at either end, or behind a dot. Each channel has one subject, and each subject of this form one
 * channel, so one channel never has two orders. */
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

/* Writes the channel's subject and a NUL, and returns the length without the NUL. A channel may have any 1 to
 * SL_CHANNEL_MAX bytes here. */
size_t sl_nats_subject_of(char out[SL_NATS_SUBJECT_MAX], const char *bus, struct sl_span channel);

/* Writes the channel of this subject, with a NUL. It may still be an illegal name (sl_channel_name_valid).
 * Errors: SL_EINVAL, no channel of up to SL_CHANNEL_MAX bytes on this bus has the subject. */
int sl_nats_channel_of(char out[SL_CHANNEL_MAX + 1], size_t *len, const char *bus,
	struct sl_span subject);

/* ---- names of events (Sluice-Event) ---- */

/* Every byte escaped, and a NUL. */
#define SL_NATS_EVENT_MAX (3 * SL_EVENT_MAX + 1)

/* Writes an event's name of 1 to SL_EVENT_MAX bytes for a header's line, and a NUL; returns the length without it.
 * A byte that is not a visible ASCII character is written as `=` and two upper-case hexadecimal digits, and so is
 * `=`: libraries trim blanks and take bytes above 0x7f in different ways. */
size_t sl_nats_event_write(char out[SL_NATS_EVENT_MAX], struct sl_span event);

/* Reads such a value, with a NUL; takes names without escapes by other programs as they are. The result may
 * still be an illegal name (sl_event_name_valid). Errors: SL_EINVAL, it is empty, too long, or has a bad
 * escape. */
int sl_nats_event_read(char out[SL_EVENT_MAX + 1], size_t *len, struct sl_span value);

/* ---- ids of messages (Nats-Msg-Id) ---- */

/* `k/` and a key, or `p/`, eight characters, `/` and a number in base 36; and a NUL. */
#define SL_NATS_ID_MAX (sizeof "k/" + SL_BUS_KEY_MAX)

/* Ids of publishes without a key, unique to one start of a process. Begin with sl_nats_ids_init(). */
struct sl_nats_ids {
	char start[8];
	uint64_t count; /* ids given so far */
};

/* Draws the eight characters. Errors: SL_EIO. */
int sl_nats_ids_init(struct sl_nats_ids *ids);

/* Writes a new id and a NUL; returns its length. */
size_t sl_nats_ids_next(struct sl_nats_ids *ids, char out[SL_NATS_ID_MAX]);

/* The id of a publish with this key (at most SL_BUS_KEY_MAX bytes), the same on every node; returns its
 * length. */
size_t sl_nats_id_of_key(char out[SL_NATS_ID_MAX], struct sl_span key);

#endif
