/* Hearing: how a node reads the stream of notices, `sluice-<bus>-nodes`: makes it where it is missing, reads all of
 * it, then hears what is added; begins again, where it was, whenever its consumer falls silent or leaves something out.
 * Owner: the caller's memory. Thread: one at a time. Errors: SL_ENOMEM where a call says so.
 *
 * No network: it yields questions to JetStream's API, and is given the answers and what the consumer delivers. Notices are
 * told again after some faults; hearing one twice does nothing. */
#ifndef SL_BUS_NATS_HEARING_H
#define SL_BUS_NATS_HEARING_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/nats_names.h"
#include "util/buffer.h"
#include "util/span.h"

#define SL_NATS_NODES_MAX (sizeof "sluice--nodes" + SL_NATS_BUS_MAX)
#define SL_NATS_DELIVER_MAX 160 /* bytes of a deliver subject, NUL included */
#define SL_NATS_CREATED_MAX 64
#define SL_NATS_PROBLEM_MAX 96
#define SL_NATS_CONSUMER_MAX 40

struct sl_nats_hearing_config {
	const char *bus_name; /* borrows */
	unsigned replicas;    /* of a stream that is made here */
	uint64_t messages_max; /* likewise */
	uint64_t age_s;       /* the least that it keeps notices; an existing one is made to */
};

enum sl_nats_hearing_step {
	SL_NATS_ASK_INFO, SL_NATS_ASK_CREATE, SL_NATS_ASK_UPDATE, SL_NATS_ASK_CONSUMER, SL_NATS_LISTEN,
};

struct sl_nats_hearing {
	struct sl_nats_hearing_config config;
	char stream[SL_NATS_NODES_MAX];
	char prefix[SL_NATS_DELIVER_MAX - 24]; /* deliver subjects begin so, and go on with an h; "": no connection */
	enum sl_nats_hearing_step step; /* what is to be asked, or what to do */
	bool is_asked;                  /* and an answer may come */
	uint64_t number;                /* of the question asked */
	uint64_t due_ms;                /* ask it not before; or asked, and then the time is over; or when there is silence */
	uint64_t pause_ms;              /* before the next try, if this one fails */
	struct sl_buffer settings;      /* the stream's, as it told them */
	char created[SL_NATS_CREATED_MAX]; /* of the stream that was read; "": none yet */
	uint64_t heard;                 /* its last number that was heard */
	unsigned consumers;             /* made so far */
	uint64_t dseq;                  /* the last number of this one's own */
	char consumer[SL_NATS_CONSUMER_MAX], deliver[SL_NATS_DELIVER_MAX];
	bool has_caught_up;             /* since the connection began */
	char problem[SL_NATS_PROBLEM_MAX]; /* why it does not go on, for the log, or "" */
};

/* A question: what is sent to `subject`. */
struct sl_nats_question {
	char subject[160];
	const char *deliver;   /* where to subscribe before, and no longer where it was; or NULL; borrowed */
	struct sl_buffer body; /* the caller's; sl_buffer_finish() */
};

void sl_nats_hearing_init(struct sl_nats_hearing *hearing, const struct sl_nats_hearing_config *config);
void sl_nats_hearing_finish(struct sl_nats_hearing *hearing);

/* A connection that has all subjects for itself that begin with `prefix`, which ends in a dot; NULL: none. */
void sl_nats_hearing_connect(struct sl_nats_hearing *hearing, const char *prefix, uint64_t now_ms);

/* The stream has to keep notices for longer than it was told before. */
void sl_nats_hearing_need_age(struct sl_nats_hearing *hearing, uint64_t age_s);

/* True, and the question, which is sent under `number`: there is one to be asked now. Errors are those of the body. */
bool sl_nats_hearing_ask(struct sl_nats_hearing *hearing, uint64_t number, uint64_t now_ms,
	struct sl_nats_question *out);

/* The answer to `number`: JSON, or a status of the protocol. False: nothing was asked under it. */
bool sl_nats_hearing_answer(struct sl_nats_hearing *hearing, uint64_t number, const char *status,
	struct sl_span body, uint64_t now_ms);

/* A notice has been heard, which came with this reply subject. */
void sl_nats_hearing_take(struct sl_nats_hearing *hearing, struct sl_span reply, uint64_t now_ms);

/* A heartbeat on `deliver`: the consumer has sent `last`, a number in text, so far. */
void sl_nats_hearing_beat(struct sl_nats_hearing *hearing, const char *deliver, const char *last,
	uint64_t now_ms);

#endif
