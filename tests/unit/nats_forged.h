/* Messages as a consumer of JetStream sends them, made by hand.
 * Owner: what is returned is the caller's. Thread: any. Errors: abort. */
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

#endif
