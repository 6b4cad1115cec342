/* Event: what a client's event says: its name, its arguments, and what of them becomes a message.
 * Owner: it borrows the packet and the attachments. Thread: any. Errors: as each call says.
 *
 * One argument is the data of its message; none, or several, are a list; where attachments stand among them, a list
 * with attachments (bus/args.h). One argument that is an attachment is the bytes alone, so that every other client
 * gets them as bytes. */
#ifndef SL_SOCKET_IO_SIO_EVENT_H
#define SL_SOCKET_IO_SIO_EVENT_H

#include "bus/message.h"
#include "clients/socket_io/sio_packet.h"
#include "util/json_members.h"

#define SL_SIO_EVENT_FIRST 3 /* arguments that a verb may have */

struct sl_sio_event {
	struct sl_span name;  /* legal; in `name_bytes` */
	struct sl_span list;  /* its arguments as written, without brackets */
	unsigned count;       /* of arguments */
	struct sl_json_member first[SL_SIO_EVENT_FIRST];
	struct sl_span attachments[SL_SIO_ATTACHMENTS_MAX];
	unsigned attachment_count;
	char name_bytes[SL_EVENT_MAX];
};

/* `json` is that of an event's packet. Errors: SL_EINVAL, the name is not one that an event may have. */
int sl_sio_event_read(struct sl_sio_event *out, struct sl_span json, const struct sl_span *attachments,
	unsigned attachment_count);

/* Fills type, bytes, event and args of a message with all arguments. What has to be written stands in `space`.
 * Errors: SL_ENOMEM. */
int sl_sio_event_make_payload(const struct sl_sio_event *event, struct sl_buffer *space,
	struct sl_payload *payload);

/* The same with argument `index` alone, as the data of an event `name` (absent: of a message without one). Errors:
 * SL_EINVAL, it has attachments inside, for which a message needs a name; SL_ENOMEM. */
int sl_sio_event_make_data(const struct sl_sio_event *event, unsigned index, struct sl_span name,
	struct sl_buffer *space, struct sl_payload *payload);

#endif
