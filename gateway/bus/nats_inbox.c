#include "bus/nats_inbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/nats_waste.h"
#include "util/err.h"

/* libnats ends a subscription's thread some time after the subscription was destroyed, and says so by a last
 * call: two share this, and the second one frees it. */
struct sl_nats_inbox {
	_Atomic unsigned refs;
	natsSubscription *subscription;
	size_t prefix_len;
	char prefix[SL_NATS_REPLY_MAX - 20]; /* with a dot at its end */
	pthread_mutex_t lock;     /* held while either of these runs */
	sl_nats_on_reply on_reply; /* one of them, until the owner has let go */
	sl_nats_on_other on_other;
	void *arg;
	struct sl_nats_waste waste; /* under the lock */
};

static void
unref(struct sl_nats_inbox *inbox)
{
	if (atomic_fetch_sub(&inbox->refs, 1) > 1)
		return;
	sl_nats_waste_empty(&inbox->waste);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
}

static void
pass_on(struct sl_nats_inbox *inbox, natsMsg *message)
{
	const char *digits = natsMsg_GetSubject(message) + inbox->prefix_len, *status = NULL;
	struct sl_span body = { natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message) };
	uint64_t number;
	if (!sl_span_to_number((struct sl_span){ digits, strlen(digits) }, UINT64_MAX, &number))
		return;
	/* Only what has no body can be a status of the protocol. */
	if (body.len == 0 && natsMsgHeader_Get(message, "Status", &status) != NATS_OK)
		status = NULL;
	inbox->on_reply(inbox->arg, number, status, body);
}

static void
handle_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
	void *arg)
{
	struct sl_nats_inbox *inbox = arg;
	(void)connection;
	(void)subscription;
	pthread_mutex_lock(&inbox->lock);
	if (inbox->on_reply)
		pass_on(inbox, message);
	else if (inbox->on_other)
		inbox->on_other(inbox->arg, message);
	sl_nats_waste_add(&inbox->waste, message);
	pthread_mutex_unlock(&inbox->lock);
}

static void
handle_end(void *arg)
{
	unref(arg);
}

static int
subscribe(struct sl_nats_inbox *inbox, natsConnection *connection, const char *subject)
{
	natsStatus status = natsConnection_Subscribe(&inbox->subscription, connection, subject,
		handle_message, inbox);
	if (status != NATS_OK)
		return status == NATS_NO_MEMORY ? SL_ENOMEM : SL_EIO;
	/* As many answers as were asked for: whoever asks has the limit. */
	natsSubscription_SetPendingLimits(inbox->subscription, -1, -1);
	atomic_fetch_add(&inbox->refs, 1);
	if (natsSubscription_SetOnCompleteCB(inbox->subscription, handle_end, inbox) == NATS_OK)
		return 0;
	/* It has ended already, with its connection, and may never tell: what little it has is lost. */
	return SL_EIO;
}

static struct sl_nats_inbox *
create(sl_nats_on_reply on_reply, sl_nats_on_other on_other, void *arg)
{
	struct sl_nats_inbox *inbox = calloc(1, sizeof *inbox);
	if (!inbox)
		return NULL;
	atomic_init(&inbox->refs, 1);
	pthread_mutex_init(&inbox->lock, NULL);
	inbox->on_reply = on_reply;
	inbox->on_other = on_other;
	inbox->arg = arg;
	return inbox;
}

/* A name that nobody else has. */
static int
set_prefix(struct sl_nats_inbox *inbox)
{
	natsInbox *name = NULL;
	if (natsInbox_Create(&name) != NATS_OK)
		return SL_ENOMEM;
	int len = snprintf(inbox->prefix, sizeof inbox->prefix, "%s.", name);
	natsInbox_Destroy(name);
	assert(len > 0 && (size_t)len < sizeof inbox->prefix);
	inbox->prefix_len = (size_t)len;
	return 0;
}

int
sl_nats_inbox_create(struct sl_nats_inbox **out, natsConnection *connection,
	sl_nats_on_reply on_reply, void *arg)
{
	char subject[SL_NATS_REPLY_MAX];
	struct sl_nats_inbox *inbox = create(on_reply, NULL, arg);
	if (!inbox)
		return SL_ENOMEM;
	int err = set_prefix(inbox);
	snprintf(subject, sizeof subject, "%s*", inbox->prefix);
	if (err == 0)
		err = subscribe(inbox, connection, subject);
	if (err != 0)
		sl_nats_inbox_destroy(inbox);
	else
		*out = inbox;
	return err;
}

int
sl_nats_inbox_create_at(struct sl_nats_inbox **out, natsConnection *connection,
	const char *subject, sl_nats_on_other on_other, void *arg)
{
	struct sl_nats_inbox *inbox = create(NULL, on_other, arg);
	if (!inbox)
		return SL_ENOMEM;
	int err = subscribe(inbox, connection, subject);
	if (err != 0)
		sl_nats_inbox_destroy(inbox);
	else
		*out = inbox;
	return err;
}

void
sl_nats_inbox_destroy(struct sl_nats_inbox *inbox)
{
	if (!inbox)
		return;
	pthread_mutex_lock(&inbox->lock);
	inbox->on_reply = NULL;
	inbox->on_other = NULL;
	pthread_mutex_unlock(&inbox->lock);
	natsSubscription_Destroy(inbox->subscription); /* NULL is allowed */
	unref(inbox);
}

void
sl_nats_inbox_write_subject(const struct sl_nats_inbox *inbox, uint64_t number,
	char out[SL_NATS_REPLY_MAX])
{
	snprintf(out, SL_NATS_REPLY_MAX, "%s%llu", inbox->prefix, (unsigned long long)number);
}

const char *
sl_nats_inbox_get_prefix(const struct sl_nats_inbox *inbox)
{
	return inbox->prefix;
}
