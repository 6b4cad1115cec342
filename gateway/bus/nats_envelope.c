#include "bus/nats_envelope.h"

#include <stdio.h>

#include "bus/message.h"
#include "bus/nats_names.h"
#include "util/err.h"

static natsStatus
set_headers(natsMsg *out, const struct sl_message *message, const char *id)
{
	char owner[17], event[SL_NATS_EVENT_MAX];
	natsStatus status = natsMsgHeader_Set(out, "Nats-Msg-Id", id);
	if (status == NATS_OK && message->type != SL_JSON)
		status = natsMsgHeader_Set(out, "Sluice-Type", message->type == SL_TEXT ? "text" : "binary");
	if (status == NATS_OK && message->uncompressed)
		status = natsMsgHeader_Set(out, "Sluice-Compress", "no");
	if (status == NATS_OK && message->owner) {
		snprintf(owner, sizeof owner, "%016llx", (unsigned long long)message->owner);
		status = natsMsgHeader_Set(out, "Sluice-Owner", owner);
	}
	if (status == NATS_OK && message->event) {
		sl_nats_event_write(event, (struct sl_span){ message->event, message->event_len });
		status = natsMsgHeader_Set(out, "Sluice-Event", event);
	}
	if (status == NATS_OK && message->args != SL_ARGS_ONE)
		status = natsMsgHeader_Set(out, "Sluice-Args", sl_args_get_name(message->args));
	return status;
}

int
sl_nats_envelope_create(natsMsg **out, const char *bus_name, const struct sl_message *message,
	const char *id, const char *reply)
{
	char subject[SL_NATS_SUBJECT_MAX];
	natsMsg *made = NULL;
	sl_nats_subject_of(subject, bus_name,
		(struct sl_span){ message->channel, message->channel_len });
	natsStatus status = natsMsg_Create(&made, subject, reply, message->payload,
		(int)message->payload_len);
	if (status == NATS_OK)
		status = set_headers(made, message, id);
	if (status == NATS_OK)
		*out = made;
	else
		natsMsg_Destroy(made);
	return status == NATS_OK ? 0 : SL_ENOMEM;
}
