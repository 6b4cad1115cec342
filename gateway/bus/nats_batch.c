#include "bus/nats_batch.h"

#include <assert.h>
#include <string.h>

#include "util/err.h"

static struct sl_span
span_of(const char *text)
{
	return (struct sl_span){ text, text ? strlen(text) : 0 };
}

/* NULL: there is no such header, or headers that the library cannot read. */
static const char *
get_header(natsMsg *raw, const char *name)
{
	const char *value = NULL;
	return natsMsgHeader_Get(raw, name, &value) == NATS_OK ? value : NULL;
}

/* What is no message of the log has a status instead of a number. */
static void
read_control(struct sl_nats_item *item)
{
	const char *status = get_header(item->raw, "Status");
	const char *last = get_header(item->raw, "Nats-Last-Consumer");
	item->kind = SL_NATS_ITEM_UNREADABLE;
	if (!status || strcmp(status, "100") != 0)
		return;
	if (last) {
		if (!sl_span_to_number(span_of(last), UINT64_MAX, &item->reply.dseq))
			return;
		item->kind = SL_NATS_ITEM_HEARTBEAT;
		item->answer_to = get_header(item->raw, "Nats-Consumer-Stalled");
	} else if (natsMsg_GetReply(item->raw)) {
		item->kind = SL_NATS_ITEM_FLOW;
		item->answer_to = natsMsg_GetReply(item->raw);
	}
}

static void
read_message(struct sl_nats_item *item, const struct sl_nats_arrival_limits *limits)
{
	natsMsg *raw = item->raw;
	struct sl_nats_arrival arrival = {
		.subject = span_of(natsMsg_GetSubject(raw)),
		.payload = { natsMsg_GetData(raw), (size_t)natsMsg_GetDataLength(raw) },
		.type = span_of(get_header(raw, "Sluice-Type")),
		.compress = span_of(get_header(raw, "Sluice-Compress")),
		.owner = span_of(get_header(raw, "Sluice-Owner")),
	};
	item->kind = SL_NATS_ITEM_MESSAGE;
	item->msg_id = get_header(raw, "Nats-Msg-Id");
	item->err = sl_nats_arrival_read(&item->message, &arrival, limits);
	if (item->err == SL_ENOMEM)
		item->kind = SL_NATS_ITEM_UNREADABLE;
}

void
sl_nats_batch_add(struct sl_nats_batch *batch, natsMsg *raw,
	const struct sl_nats_arrival_limits *limits)
{
	assert(batch->count < SL_NATS_BATCH_MAX);
	struct sl_nats_item *item = &batch->items[batch->count++];
	*item = (struct sl_nats_item){ .raw = raw };
	struct sl_span reply = span_of(natsMsg_GetReply(raw));
	if (reply.bytes && sl_nats_reply_parse(&item->reply, reply) == 0)
		read_message(item, limits);
	else
		read_control(item);
}

void
sl_nats_batch_finish(struct sl_nats_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		sl_message_unref(batch->items[i].message);
		natsMsg_Destroy(batch->items[i].raw);
	}
	batch->count = 0;
}
