#include "bus/nats_notices.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/backend.h"
#include "bus/nats_ack.h"
#include "bus/nats_hearing.h"
#include "bus/nats_inbox.h"
#include "bus/nats_names.h"
#include "bus/nats_pending.h"
#include "config/config.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define FLIGHT_MAX 64
#define FLIGHT_BYTES_MAX ((size_t)1 << 20)
#define NEVER_MS (UINT64_MAX / 4)
#define AGE_SLACK_S 120         /* that clocks may differ */
#define STREAM_MESSAGES 100000  /* the least that the stream has room for */
#define MESSAGES_A_SUBJECT 4    /* of those whom --max-revocations allows */
#define KEPT "Sluice-Kept"
#define BEAT "Nats-Last-Consumer"
#define PREFIX "sluice-nodes."
#define NODES (sizeof PREFIX - sizeof "sluice.") /* what this is longer by than the prefix of channels */

/* One notice on its way. */
struct job {
	struct sl_nats_entry entry; /* first */
	struct sl_publish *publish; /* NULL once it was answered */
	uint64_t answer_ms;         /* when it is, at the latest */
	int64_t kept_s;
	char id[SL_NATS_ID_MAX];
	char subject[SL_NATS_SUBJECT_MAX + NODES];
	size_t len;
	char text[];
};

struct sl_nats_notices {
	struct sl_bus *bus;  /* borrows */
	uint64_t timeout_ms; /* of a publish */
	char bus_name[SL_NATS_BUS_MAX + 1];
	natsConnection *connection;  /* the worker's; borrows */
	struct sl_nats_inbox *inbox; /* the worker's; owns; set with it */
	char told[SL_NATS_PROBLEM_MAX]; /* the worker's: the last trouble that was logged */
	struct sl_nats_inbox *delivered; /* the worker's; owns: what the consumer delivers */

	pthread_mutex_t lock; /* of what follows; never held in a call of libnats, nor of the bus */
	struct sl_nats_ids ids;
	uint64_t last_number;
	struct sl_nats_pending pending;
	struct sl_nats_hearing hearing;
};

static const struct sl_cursor no_id = { 0 };

/* ---- what is heard ---- */

/* The name that a subject stands for. */
static int
read_name(const struct sl_nats_notices *notices, const char *subject, char name[SL_CHANNEL_MAX + 1],
	size_t *len)
{
	char text[SL_NATS_SUBJECT_MAX];
	if (strncmp(subject, PREFIX, sizeof PREFIX - 1) != 0)
		return SL_EINVAL;
	int text_len = snprintf(text, sizeof text, "sluice.%s", subject + sizeof PREFIX - 1);
	if (text_len >= (int)sizeof text)
		return SL_EINVAL;
	return sl_nats_channel_of(name, len, notices->bus_name,
		(struct sl_span){ text, (size_t)text_len });
}

static void
hear(struct sl_nats_notices *notices, natsMsg *message)
{
	char name[SL_CHANNEL_MAX + 1];
	const char *kept;
	size_t name_len;
	uint64_t kept_s;
	struct sl_notice notice = { .text = { natsMsg_GetData(message),
		(size_t)natsMsg_GetDataLength(message) } };
	if (read_name(notices, natsMsg_GetSubject(message), name, &name_len) != 0 ||
			notice.text.len > SL_NATS_NOTICE_BYTES_MAX ||
			natsMsgHeader_Get(message, KEPT, &kept) != NATS_OK ||
			!sl_span_to_number((struct sl_span){ kept, strlen(kept) }, INT64_MAX, &kept_s)) {
		sl_log_limited(SL_LOG_WARNING, "backend.notice", "reason=\"the notice does not have the form of a gateway's\"");
		return;
	}
	notice.name = (struct sl_span){ name, name_len };
	notice.kept_s = (int64_t)kept_s;
	sl_bus_hear(notices->bus, &notice);
}

static void
handle_delivered(void *arg, natsMsg *message)
{
	struct sl_nats_notices *notices = arg;
	const char *last, *reply = natsMsg_GetReply(message);
	bool is_notice = reply && natsMsg_GetDataLength(message) > 0;
	/* First, so that whoever has caught up has heard all. */
	if (is_notice)
		hear(notices, message);
	bool is_beat = !is_notice && natsMsgHeader_Get(message, BEAT, &last) == NATS_OK;
	uint64_t now_ms = sl_clock_monotonic_ms();
	pthread_mutex_lock(&notices->lock);
	if (is_notice)
		sl_nats_hearing_take(&notices->hearing, (struct sl_span){ reply, strlen(reply) }, now_ms);
	else if (is_beat)
		sl_nats_hearing_beat(&notices->hearing, natsMsg_GetSubject(message), last, now_ms);
	pthread_mutex_unlock(&notices->lock);
}

/* ---- what is announced ---- */

/* The lock is held, and is released; `job` is out of the table, and goes unless it is busy. */
static void
end_job(struct sl_nats_notices *notices, struct job *job, bool is_free, int err)
{
	struct sl_publish *publish = job->publish;
	job->publish = NULL;
	if (is_free)
		free(job);
	pthread_mutex_unlock(&notices->lock);
	if (publish)
		sl_bus_complete(notices->bus, publish, err, no_id);
	else if (err != 0)
		sl_log_limited(SL_LOG_ERROR, "backend.notice", "reason=\"%s\" outcome=\"given up\"",
			sl_strerror(err));
}

static void
handle_reply(void *arg, uint64_t number, const char *status, struct sl_span body)
{
	struct sl_nats_notices *notices = arg;
	struct sl_nats_ack ack;
	uint64_t now_ms = sl_clock_monotonic_ms();
	pthread_mutex_lock(&notices->lock);
	struct job *job = (struct job *)sl_nats_pending_find(&notices->pending, number);
	if (!job) {
		sl_nats_hearing_answer(&notices->hearing, number, status, body, now_ms);
		pthread_mutex_unlock(&notices->lock);
		return;
	}
	sl_nats_ack_read(&ack, status, body, notices->hearing.stream);
	if (ack.kind == SL_NATS_ACK_STORED || ack.kind == SL_NATS_ACK_REFUSED) {
		end_job(notices, job, sl_nats_pending_finish(&notices->pending, &job->entry, now_ms), ack.err);
		return;
	}
	if (ack.kind == SL_NATS_ACK_AGAIN || ack.kind == SL_NATS_ACK_BEGUN)
		sl_nats_pending_postpone(&notices->pending, &job->entry, ack.is_certain, now_ms);
	pthread_mutex_unlock(&notices->lock);
}

static int
add(struct sl_nats_notices *notices, struct job *job)
{
	pthread_mutex_lock(&notices->lock);
	int err = notices->pending.count < SL_NATS_NOTICES_MAX ? 0 : SL_EFULL;
	if (err == 0) {
		job->entry.number = ++notices->last_number;
		job->entry.id_len = sl_nats_ids_next(&notices->ids, job->id);
		err = sl_nats_pending_add(&notices->pending, &job->entry);
	}
	int64_t age_s = job->kept_s - sl_clock_wall_us() / 1000000 + AGE_SLACK_S;
	if (err == 0 && age_s > 0)
		sl_nats_hearing_need_age(&notices->hearing, (uint64_t)age_s);
	pthread_mutex_unlock(&notices->lock);
	return err;
}

int
sl_nats_notices_announce(struct sl_nats_notices *notices, const struct sl_notice *notice,
	struct sl_publish *pending)
{
	char subject[SL_NATS_SUBJECT_MAX];
	if (notice->text.len > SL_NATS_NOTICE_BYTES_MAX || notice->name.len > SL_CHANNEL_MAX)
		return SL_ETOOBIG;
	struct job *job = calloc(1, sizeof *job + notice->text.len);
	if (!job)
		return SL_ENOMEM;
	sl_nats_subject_of(subject, notices->bus_name, notice->name);
	snprintf(job->subject, sizeof job->subject, PREFIX "%s", subject + sizeof "sluice." - 1);
	memcpy(job->text, notice->text.bytes, notice->text.len);
	job->len = notice->text.len;
	job->kept_s = notice->kept_s;
	job->publish = pending;
	job->entry.id = job->id;
	job->entry.bytes = job->len;
	job->entry.since_ms = sl_clock_monotonic_ms();
	job->answer_ms = job->entry.since_ms + notices->timeout_ms;
	int err = add(notices, job);
	if (err == 0)
		return SL_PENDING;
	free(job);
	return err;
}

/* ---- the worker ---- */

static bool
send_notice(struct sl_nats_notices *notices, const struct job *job)
{
	char reply[SL_NATS_REPLY_MAX], kept[24];
	natsMsg *message;
	sl_nats_inbox_write_subject(notices->inbox, job->entry.number, reply);
	snprintf(kept, sizeof kept, "%lld", (long long)job->kept_s);
	natsStatus status = natsMsg_Create(&message, job->subject, reply, job->text, (int)job->len);
	if (status != NATS_OK)
		return false;
	status = natsMsgHeader_Set(message, "Nats-Msg-Id", job->id);
	if (status == NATS_OK)
		status = natsMsgHeader_Set(message, KEPT, kept);
	if (status == NATS_OK)
		status = natsConnection_PublishMsg(notices->connection, message);
	natsMsg_Destroy(message);
	return status == NATS_OK;
}

/* False: none is due. */
static bool
run_one(struct sl_nats_notices *notices, uint64_t now_ms)
{
	pthread_mutex_lock(&notices->lock);
	struct sl_nats_entry *entry = sl_nats_pending_take(&notices->pending, now_ms, no_id);
	pthread_mutex_unlock(&notices->lock);
	if (!entry)
		return false;
	bool is_handed = send_notice(notices, (struct job *)entry);
	pthread_mutex_lock(&notices->lock);
	if (sl_nats_pending_put(&notices->pending, entry, is_handed, now_ms))
		free(entry);
	pthread_mutex_unlock(&notices->lock);
	return is_handed;
}

/* One whose time to be answered is over, or which nobody needs any more. False: there is none. */
static bool
end_one(struct sl_nats_notices *notices, uint64_t now_ms, int64_t now_s)
{
	pthread_mutex_lock(&notices->lock);
	for (struct sl_nats_entry *entry = TAILQ_FIRST(&notices->pending.entries); entry;
			entry = TAILQ_NEXT(entry, link)) {
		struct job *job = (struct job *)entry;
		if (job->kept_s < now_s) {
			end_job(notices, job, sl_nats_pending_drop(&notices->pending, entry), SL_EUNKNOWN);
			return true;
		}
		if (job->publish && now_ms >= job->answer_ms) {
			end_job(notices, job, false, SL_EUNKNOWN);
			return true;
		}
	}
	pthread_mutex_unlock(&notices->lock);
	return false;
}

/* Nothing of a consumer before is delivered any more. The worker alone changes `deliver`. */
static void
subscribe(struct sl_nats_notices *notices, const char *deliver)
{
	sl_nats_inbox_destroy(notices->delivered);
	notices->delivered = NULL;
	/* Where it fails there is silence, and another try. */
	sl_nats_inbox_create_at(&notices->delivered, notices->connection, deliver, handle_delivered, notices);
}

static void
ask(struct sl_nats_notices *notices, uint64_t now_ms)
{
	struct sl_nats_question question;
	char reply[SL_NATS_REPLY_MAX], problem[SL_NATS_PROBLEM_MAX];
	pthread_mutex_lock(&notices->lock);
	uint64_t number = ++notices->last_number;
	bool has_question = sl_nats_hearing_ask(&notices->hearing, number, now_ms, &question);
	snprintf(problem, sizeof problem, "%s", notices->hearing.problem);
	pthread_mutex_unlock(&notices->lock);
	if (!has_question)
		return;
	if (problem[0] && strcmp(problem, notices->told) != 0)
		sl_log(SL_LOG_WARNING, "backend.notices", "reason=\"%s\"", problem);
	memcpy(notices->told, problem, sizeof problem);
	sl_nats_inbox_write_subject(notices->inbox, number, reply);
	if (question.deliver)
		subscribe(notices, question.deliver);
	/* Without memory or a connection there is no answer, and it is asked again. */
	if (sl_buffer_status(&question.body) == 0)
		natsConnection_PublishRequest(notices->connection, question.subject, reply,
			question.body.bytes, (int)question.body.len);
	sl_buffer_finish(&question.body);
}

void
sl_nats_notices_run(struct sl_nats_notices *notices, uint64_t now_ms)
{
	int64_t now_s = sl_clock_wall_us() / 1000000;
	while (end_one(notices, now_ms, now_s)) {}
	if (!notices->connection)
		return;
	pthread_mutex_lock(&notices->lock);
	sl_nats_pending_run(&notices->pending, now_ms);
	pthread_mutex_unlock(&notices->lock);
	while (run_one(notices, now_ms)) {}
	ask(notices, now_ms);
}

int
sl_nats_notices_use(struct sl_nats_notices *notices, natsConnection *connection)
{
	sl_nats_inbox_destroy(notices->inbox);
	sl_nats_inbox_destroy(notices->delivered);
	notices->inbox = notices->delivered = NULL;
	notices->connection = NULL;
	int err = 0;
	if (connection)
		err = sl_nats_inbox_create(&notices->inbox, connection, handle_reply, notices);
	if (err == 0)
		notices->connection = connection;
	uint64_t now_ms = sl_clock_monotonic_ms();
	pthread_mutex_lock(&notices->lock);
	if (notices->connection)
		sl_nats_pending_connect(&notices->pending, now_ms);
	else
		sl_nats_pending_disconnect(&notices->pending, now_ms);
	sl_nats_hearing_connect(&notices->hearing,
		notices->inbox ? sl_nats_inbox_get_prefix(notices->inbox) : NULL, now_ms);
	pthread_mutex_unlock(&notices->lock);
	return err;
}

bool
sl_nats_notices_has_caught_up(struct sl_nats_notices *notices)
{
	pthread_mutex_lock(&notices->lock);
	bool has_caught_up = notices->hearing.has_caught_up;
	pthread_mutex_unlock(&notices->lock);
	return has_caught_up;
}

/* ---- its life ---- */

/* As many as the bus has (bus/nats_stream.c). */
static unsigned
count_replicas(const struct sl_config *config)
{
	if (config->nats_replicas)
		return (unsigned)config->nats_replicas;
	return config->nats.count >= 3 ? 3 : 1;
}

int
sl_nats_notices_create(struct sl_nats_notices **out, struct sl_bus *bus,
	const struct sl_config *config)
{
	const struct sl_nats_pending_config pending = { NEVER_MS, FLIGHT_MAX, FLIGHT_BYTES_MAX };
	struct sl_nats_notices *notices = calloc(1, sizeof *notices);
	if (!notices)
		return SL_ENOMEM;
	int err = sl_nats_ids_init(&notices->ids);
	if (err != 0) {
		free(notices);
		return err;
	}
	notices->bus = bus;
	notices->timeout_ms = config->publish_timeout_ms;
	snprintf(notices->bus_name, sizeof notices->bus_name, "%s", config->nats_bus);
	uint64_t room = config->max_revocations * MESSAGES_A_SUBJECT;
	const struct sl_nats_hearing_config hearing = {
		.bus_name = notices->bus_name,
		.replicas = count_replicas(config),
		.messages_max = room > STREAM_MESSAGES ? room : STREAM_MESSAGES,
		.age_s = config->token_max_age_ms / 1000 + AGE_SLACK_S,
	};
	pthread_mutex_init(&notices->lock, NULL);
	sl_nats_pending_init(&notices->pending, &pending);
	sl_nats_hearing_init(&notices->hearing, &hearing);
	*out = notices;
	return 0;
}

void
sl_nats_notices_destroy(struct sl_nats_notices *notices)
{
	struct sl_nats_entry *entry;
	if (!notices)
		return;
	sl_nats_notices_use(notices, NULL);
	while ((entry = TAILQ_FIRST(&notices->pending.entries))) {
		pthread_mutex_lock(&notices->lock);
		end_job(notices, (struct job *)entry, sl_nats_pending_drop(&notices->pending, entry),
			SL_EDRAINING);
	}
	sl_nats_hearing_finish(&notices->hearing);
	pthread_mutex_destroy(&notices->lock);
	free(notices);
}
