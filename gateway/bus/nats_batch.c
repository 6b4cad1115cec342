#include "bus/nats_batch.h"

#include <assert.h>
#include <string.h>

#include "bus/nats_headers.h"
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

/* `block` is absent where the library must be asked. */
static struct sl_span
find_header(natsMsg *raw, struct sl_span block, const char *name)
{
	return block.bytes ? sl_nats_headers_get(block, name) : span_of(get_header(raw, name));
}

static void
read_message(struct sl_nats_item *item, const struct sl_nats_arrival_limits *limits)
{
	natsMsg *raw = item->raw;
	struct sl_span block = sl_nats_headers_between(natsMsg_GetReply(raw), natsMsg_GetData(raw));
	struct sl_nats_arrival arrival = {
		.subject = span_of(natsMsg_GetSubject(raw)),
		.payload = { natsMsg_GetData(raw), (size_t)natsMsg_GetDataLength(raw) },
		.type = find_header(raw, block, "Sluice-Type"),
		.compress = find_header(raw, block, "Sluice-Compress"),
		.owner = find_header(raw, block, "Sluice-Owner"),
		.event = find_header(raw, block, "Sluice-Event"),
		.args = find_header(raw, block, "Sluice-Args"),
	};
	struct sl_span msg_id = find_header(raw, block, "Nats-Msg-Id");
	if (msg_id.len > 0 && msg_id.len < sizeof item->msg_id)
		memcpy(item->msg_id, msg_id.bytes, msg_id.len);
	item->kind = SL_NATS_ITEM_MESSAGE;
	item->err = sl_nats_arrival_read(&item->message, &arrival, limits);
	if (item->err == SL_ENOMEM)
		item->kind = SL_NATS_ITEM_UNREADABLE;
}

static void
add(struct sl_nats_batch *batch, natsMsg *raw, const struct sl_nats_arrival_limits *limits)
{
	struct sl_nats_item *item = &batch->items[batch->count++];
	*item = (struct sl_nats_item){ .raw = raw };
	struct sl_span reply = span_of(natsMsg_GetReply(raw));
	if (reply.bytes && sl_nats_reply_parse(&item->reply, reply) == 0)
		read_message(item, limits);
	else
		read_control(item);
}

/* How many wait is asked first: where none does, the library would make an error of it. */
void
sl_nats_batch_fetch(struct sl_nats_batch *batch, natsSubscription *subscription,
	const struct sl_nats_arrival_limits *limits)
{
	int waiting = 0;
	assert(batch->count == 0);
	if (natsSubscription_GetPending(subscription, &waiting, NULL) != NATS_OK)
		return;
	for (; waiting > 0 && batch->count < SL_NATS_BATCH_MAX; waiting--) {
		natsMsg *raw = NULL;
		natsStatus status = natsSubscription_NextMsg(&raw, subscription, 0);
		if (status == NATS_OK)
			add(batch, raw, limits);
		else if (status == NATS_NO_RESPONDERS) /* it has the header of such an answer, and no payload */
			batch->items[batch->count++] = (struct sl_nats_item){ .kind = SL_NATS_ITEM_HIDDEN };
	}
}

void
sl_nats_batch_clear(struct sl_nats_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		sl_message_unref(batch->items[i].message);
		if (batch->items[i].raw)
			sl_nats_waste_add(&batch->waste, batch->items[i].raw);
	}
	batch->count = 0;
}

void
sl_nats_batch_finish(struct sl_nats_batch *batch)
{
	sl_nats_batch_clear(batch);
	sl_nats_waste_empty(&batch->waste);
}
