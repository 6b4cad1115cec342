/* Hearing: reads the stream of notices, `sluice-<bus>-nodes`. It makes the stream if it is missing, reads all
 * of it, then hears new notices. If its consumer is silent or omits a message, it begins again at its place.
 * Owner: the caller's memory. Thread: one at a time. Errors: SL_ENOMEM if a call says so.
 *
 * No network: it yields questions to JetStream's API, and gets the answers and the consumer's messages. After
 * some faults it hears a notice again; that does nothing. */
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
	uint64_t age_s;       /* the least time that the stream keeps notices; an existing stream is changed to it */
};

enum sl_nats_hearing_step {
	SL_NATS_ASK_INFO, SL_NATS_ASK_CREATE, SL_NATS_ASK_UPDATE, SL_NATS_ASK_CONSUMER, SL_NATS_LISTEN,
};

struct sl_nats_hearing {
	struct sl_nats_hearing_config config;
	char stream[SL_NATS_NODES_MAX];
	char prefix[SL_NATS_DELIVER_MAX - 24]; /* deliver subjects begin with it, then an h; "": no connection */
	enum sl_nats_hearing_step step; /* the next question, or the present state */
	bool is_asked;                  /* the question is sent, and an answer may come */
	uint64_t number;                /* of the question asked */
	uint64_t due_ms;                /* earliest time of the question; once asked, its deadline; or that of silence */
	uint64_t pause_ms;              /* before the next try, if this one fails */
	struct sl_buffer settings;      /* the stream's settings, as it reported them */
	char created[SL_NATS_CREATED_MAX]; /* creation time of the stream that was read; "": none yet */
	uint64_t heard;                 /* the last number heard of the stream */
	unsigned consumers;             /* made so far */
	uint64_t dseq;                  /* the last of this consumer's own numbers */
	char consumer[SL_NATS_CONSUMER_MAX], deliver[SL_NATS_DELIVER_MAX];
	bool has_caught_up;             /* since the connection began */
	char problem[SL_NATS_PROBLEM_MAX]; /* the reason for which it is stuck, for the log, or "" */
};

/* A question, sent to `subject`. */
struct sl_nats_question {
	char subject[160];
	const char *deliver;   /* subscribe there before, and no longer at the old subject; or NULL; borrowed */
	struct sl_buffer body; /* the caller's; sl_buffer_finish() */
};

void sl_nats_hearing_init(struct sl_nats_hearing *hearing, const struct sl_nats_hearing_config *config);
void sl_nats_hearing_finish(struct sl_nats_hearing *hearing);

/* Uses a connection that owns all subjects that begin with `prefix`, which ends in a dot; NULL: none. */
void sl_nats_hearing_connect(struct sl_nats_hearing *hearing, const char *prefix, uint64_t now_ms);

/* The stream must keep notices for longer than before. */
void sl_nats_hearing_need_age(struct sl_nats_hearing *hearing, uint64_t age_s);

/* True with a question to ask now, which is sent under `number`. Errors are those of the body. */
bool sl_nats_hearing_ask(struct sl_nats_hearing *hearing, uint64_t number, uint64_t now_ms,
	struct sl_nats_question *out);

/* Takes the answer to `number`: JSON, or a status of the protocol. False: no question has that number. */
bool sl_nats_hearing_answer(struct sl_nats_hearing *hearing, uint64_t number, const char *status,
	struct sl_span body, uint64_t now_ms);

/* A notice with this reply subject was heard. */
void sl_nats_hearing_take(struct sl_nats_hearing *hearing, struct sl_span reply, uint64_t now_ms);

/* A heartbeat on `deliver`: `last`, in text, is the number of the consumer's last message. */
void sl_nats_hearing_beat(struct sl_nats_hearing *hearing, const char *deliver, const char *last,
	uint64_t now_ms);

#endif
