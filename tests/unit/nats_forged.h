/* Messages as a consumer of JetStream sends them, made by hand, and a subscription that holds them. For programs
 * linked with $(forged_ldflags).
 * Owner: what is returned is the caller's; the subscription is static. Thread: main. Errors: abort. */
#ifndef SL_TESTS_NATS_FORGED_H
#define SL_TESTS_NATS_FORGED_H

#include <inttypes.h>
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void
forged_header(natsMsg *raw, const char *name, const char *value)
{
	if (natsMsgHeader_Set(raw, name, value) != NATS_OK)
		abort();
}

/* A message of the log `sluice-main`; `subject` behind `sluice.main.`. */
static inline natsMsg *
forged_message(uint64_t sseq, uint64_t dseq, int64_t time_ns, const char *subject,
	const char *payload)
{
	natsMsg *raw;
	char full[256], reply[256];
	snprintf(full, sizeof full, "sluice.main.%s", subject);
	snprintf(reply, sizeof reply, "$JS.ACK.sluice-main.c.1.%" PRIu64 ".%" PRIu64 ".%" PRId64 ".0", sseq, dseq,
		time_ns);
	if (natsMsg_Create(&raw, full, reply, payload, (int)strlen(payload)) != NATS_OK)
		abort();
	return raw;
}

/* What has a status. `reply` may be NULL. */
static inline natsMsg *
forged_control(const char *status, const char *reply)
{
	natsMsg *raw;
	if (natsMsg_Create(&raw, "_INBOX.x", reply, NULL, 0) != NATS_OK)
		abort();
	forged_header(raw, "Status", status);
	return raw;
}

static inline natsMsg *
forged_heartbeat(uint64_t dseq)
{
	char number[24];
	natsMsg *raw = forged_control("100", NULL);
	snprintf(number, sizeof number, "%" PRIu64, dseq);
	forged_header(raw, "Nats-Last-Consumer", number);
	return raw;
}

/* ---- the subscription ---- */

static natsMsg *forged_queue[256];
static int forged_queued;
static natsStatus forged_status = NATS_OK; /* of the subscription */

natsStatus __wrap_natsSubscription_GetPending(natsSubscription *sub, int *messages, int *bytes);
natsStatus __wrap_natsSubscription_NextMsg(natsMsg **out, natsSubscription *sub, int64_t timeout);

natsStatus
__wrap_natsSubscription_GetPending(natsSubscription *sub, int *messages, int *bytes)
{
	*messages = forged_queued;
	return forged_status;
}

/* A NULL in the queue is what the library takes for itself. */
natsStatus
__wrap_natsSubscription_NextMsg(natsMsg **out, natsSubscription *sub, int64_t timeout)
{
	if (timeout != 0 || forged_queued == 0)
		abort();
	*out = forged_queue[0];
	forged_queued--;
	memmove(forged_queue, forged_queue + 1, (size_t)forged_queued * sizeof *forged_queue);
	return *out ? NATS_OK : NATS_NO_RESPONDERS;
}

static inline void
forged_send(natsMsg *raw)
{
	forged_queue[forged_queued++] = raw;
}

/* What nobody took. */
static inline void
forged_drop(void)
{
	while (forged_queued > 0)
		natsMsg_Destroy(forged_queue[--forged_queued]);
}

#endif
