#include "bus/nats_replies.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* libnats ends a subscription's thread some time after the subscription was destroyed, and says so by a last
 * call: two share this, and the second one frees it. */
struct sl_nats_replies {
	_Atomic unsigned refs;
	natsSubscription *subscription;
	size_t prefix_len;
	char prefix[SL_NATS_REPLY_MAX - 20]; /* with a dot at its end */
	pthread_mutex_t lock;     /* held while on_reply runs */
	sl_nats_on_reply on_reply; /* NULL once the owner has let go */
	void *arg;
};

static void
unref(struct sl_nats_replies *replies)
{
	if (atomic_fetch_sub(&replies->refs, 1) > 1)
		return;
	pthread_mutex_destroy(&replies->lock);
	free(replies);
}

static void
pass_on(struct sl_nats_replies *replies, natsMsg *message)
{
	const char *subject = natsMsg_GetSubject(message), *status = NULL;
	struct sl_span digits = { subject + replies->prefix_len, strlen(subject) - replies->prefix_len };
	struct sl_span body = { natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message) };
	uint64_t number;
	if (!sl_span_to_number(digits, UINT64_MAX, &number))
		return;
	/* Only what has no body can be a status of the protocol. */
	if (body.len == 0 && natsMsgHeader_Get(message, "Status", &status) != NATS_OK)
		status = NULL;
	replies->on_reply(replies->arg, number, status, body);
}

static void
handle_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
	void *arg)
{
	struct sl_nats_replies *replies = arg;
	(void)connection;
	(void)subscription;
	pthread_mutex_lock(&replies->lock);
	if (replies->on_reply)
		pass_on(replies, message);
	pthread_mutex_unlock(&replies->lock);
	natsMsg_Destroy(message);
}

static void
handle_end(void *arg)
{
	unref(arg);
}

static int
subscribe(struct sl_nats_replies *replies, natsConnection *connection)
{
	natsInbox *inbox = NULL;
	char subject[SL_NATS_REPLY_MAX];
	natsStatus status = natsInbox_Create(&inbox);
	if (status != NATS_OK)
		return SL_ENOMEM;
	int len = snprintf(replies->prefix, sizeof replies->prefix, "%s.", inbox);
	natsInbox_Destroy(inbox);
	assert(len > 0 && (size_t)len < sizeof replies->prefix);
	replies->prefix_len = (size_t)len;
	snprintf(subject, sizeof subject, "%s*", replies->prefix);
	status = natsConnection_Subscribe(&replies->subscription, connection, subject, handle_message,
		replies);
	if (status != NATS_OK)
		return status == NATS_NO_MEMORY ? SL_ENOMEM : SL_EIO;
	/* As many answers as were asked for: whoever asks has the limit. */
	natsSubscription_SetPendingLimits(replies->subscription, -1, -1);
	atomic_fetch_add(&replies->refs, 1);
	if (natsSubscription_SetOnCompleteCB(replies->subscription, handle_end, replies) == NATS_OK)
		return 0;
	/* It has ended already, with its connection, and may never tell: what little it has is lost. */
	return SL_EIO;
}

int
sl_nats_replies_create(struct sl_nats_replies **out, natsConnection *connection,
	sl_nats_on_reply on_reply, void *arg)
{
	struct sl_nats_replies *replies = calloc(1, sizeof *replies);
	if (!replies)
		return SL_ENOMEM;
	atomic_init(&replies->refs, 1);
	pthread_mutex_init(&replies->lock, NULL);
	replies->on_reply = on_reply;
	replies->arg = arg;
	int err = subscribe(replies, connection);
	if (err != 0)
		sl_nats_replies_destroy(replies);
	else
		*out = replies;
	return err;
}

void
sl_nats_replies_destroy(struct sl_nats_replies *replies)
{
	if (!replies)
		return;
	pthread_mutex_lock(&replies->lock);
	replies->on_reply = NULL;
	pthread_mutex_unlock(&replies->lock);
	natsSubscription_Destroy(replies->subscription); /* NULL is allowed */
	unref(replies);
}

void
sl_nats_replies_write_subject(const struct sl_nats_replies *replies, uint64_t number,
	char out[SL_NATS_REPLY_MAX])
{
	snprintf(out, SL_NATS_REPLY_MAX, "%s%llu", replies->prefix, (unsigned long long)number);
}
