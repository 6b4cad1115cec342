#include "bus/nats_inquiry.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/err.h"

#define SUBJECT_MAX 128
#define URGENT_MS 200   /* from one question to the next, where something waits for the answer */
#define ANSWERS_MAX 64  /* waiting here; more are dropped */
#define ANSWER_BYTES_MAX (1 << 20)
#define NEXT_MS 1       /* of waiting for an answer that is there */

struct sl_nats_inquiry {
	natsConnection *connection; /* borrows */
	char subject[SUBJECT_MAX];
	natsInbox *inbox;
	natsSubscription *answers;
	uint64_t asked_ms, heard_ms, known_ms;
};

static void
ask(struct sl_nats_inquiry *inquiry, uint64_t now_ms)
{
	natsConnection_PublishRequest(inquiry->connection, inquiry->subject, inquiry->inbox, NULL, 0);
	inquiry->asked_ms = now_ms;
}

int
sl_nats_inquiry_create(struct sl_nats_inquiry **out, natsConnection *connection,
	const char *stream, uint64_t now_ms)
{
	struct sl_nats_inquiry *inquiry = calloc(1, sizeof *inquiry);
	if (!inquiry)
		return SL_ENOMEM;
	inquiry->connection = connection;
	inquiry->heard_ms = inquiry->known_ms = now_ms;
	snprintf(inquiry->subject, sizeof inquiry->subject, "$JS.API.STREAM.INFO.%s", stream);
	natsStatus status = natsInbox_Create(&inquiry->inbox);
	if (status == NATS_OK)
		status = natsConnection_SubscribeSync(&inquiry->answers, connection, inquiry->inbox);
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(inquiry->answers, ANSWERS_MAX, ANSWER_BYTES_MAX);
	if (status != NATS_OK) {
		sl_nats_inquiry_destroy(inquiry);
		return status == NATS_NO_MEMORY ? SL_ENOMEM : SL_EIO;
	}
	ask(inquiry, now_ms);
	*out = inquiry;
	return 0;
}

void
sl_nats_inquiry_destroy(struct sl_nats_inquiry *inquiry)
{
	if (!inquiry)
		return;
	natsSubscription_Destroy(inquiry->answers);
	natsInbox_Destroy(inquiry->inbox);
	free(inquiry);
}

/* True when one was there. */
static bool
take_answer(struct sl_nats_inquiry *inquiry, enum sl_nats_info *info,
	struct sl_nats_stream_state *state)
{
	natsMsg *message = NULL;
	uint64_t queued = 0;
	if (natsSubscription_QueuedMsgs(inquiry->answers, &queued) != NATS_OK || queued == 0)
		return false;
	natsStatus status = natsSubscription_NextMsg(&message, inquiry->answers, NEXT_MS);
	if (status != NATS_OK && status != NATS_NO_RESPONDERS)
		return false;
	struct sl_span body = { NULL, 0 };
	if (status == NATS_OK)
		body = (struct sl_span){ natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message) };
	*info = sl_nats_stream_info_read(state, body);
	natsMsg_Destroy(message);
	return true;
}

bool
sl_nats_inquiry_run(struct sl_nats_inquiry *inquiry, uint64_t now_ms, bool is_urgent,
	enum sl_nats_info *info, struct sl_nats_stream_state *state)
{
	bool is_told = false;
	for (unsigned i = 0; i < ANSWERS_MAX && take_answer(inquiry, info, state); i++) {
		is_told = true;
		inquiry->heard_ms = now_ms;
		if (*info == SL_NATS_INFO_MISSING || (*info == SL_NATS_INFO_STATE && state->has_leader))
			inquiry->known_ms = now_ms;
	}
	if (now_ms - inquiry->asked_ms >= (is_urgent ? URGENT_MS : SL_NATS_INQUIRY_MS))
		ask(inquiry, now_ms);
	return is_told;
}

uint64_t
sl_nats_inquiry_get_silence_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms)
{
	return now_ms - inquiry->heard_ms;
}

uint64_t
sl_nats_inquiry_get_ignorance_ms(const struct sl_nats_inquiry *inquiry, uint64_t now_ms)
{
	return now_ms - inquiry->known_ms;
}
