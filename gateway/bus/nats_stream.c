#include "bus/nats_stream.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus/nats_stream_info.h"
#include "config/config.h"
#include "util/err.h"

#define WAIT_MS 2000
#define SECOND_NS INT64_C(1000000000)
#define DEDUPE_NS (180 * SECOND_NS)         /* what a new stream remembers of keys */
#define DEDUPE_PROMISED_NS (120 * SECOND_NS) /* what PROTOCOL.md promises */
#define BYTES_MIN (INT64_C(64) << 20)
#define HEADERS_ROOM 1024 /* of a message, beside its payload */
#define REPLICAS_SERVERS 3 /* from so many servers on there are three copies */
#define SUBJECT_MAX 64
#define DESCRIPTION_MAX 48

/* What a stream should be. */
struct wanted {
	char name[SL_NATS_STREAM_NAME_MAX], subject[SUBJECT_MAX];
	int64_t max_age_ns, history_age_ns, max_bytes, history_bytes, message_max;
	int64_t replicas, replicas_asked; /* the latter 0: any number is right */
};

struct refusal {
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct refusal refusal, int err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(refusal.text, refusal.size, format, args);
	va_end(args);
	return err;
}

void
sl_nats_stream_name(char out[SL_NATS_STREAM_NAME_MAX], const char *bus)
{
	snprintf(out, SL_NATS_STREAM_NAME_MAX, "sluice-%s", bus);
}

static int64_t
max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void
fill_wanted(struct wanted *out, const struct sl_config *config)
{
	int64_t replicas = (int64_t)config->nats_replicas;
	sl_nats_stream_name(out->name, config->nats_bus);
	snprintf(out->subject, sizeof out->subject, "sluice.%s.>", config->nats_bus);
	out->history_age_ns = (int64_t)config->history_age_ms * 1000000;
	out->max_age_ns = max(out->history_age_ns, DEDUPE_NS);
	out->history_bytes = (int64_t)config->history_total_bytes;
	out->max_bytes = max(out->history_bytes * 2, BYTES_MIN);
	out->message_max = (int64_t)config->max_message_bytes + HEADERS_ROOM;
	out->replicas_asked = replicas;
	out->replicas = replicas ? replicas : config->nats.count >= REPLICAS_SERVERS ? 3 : 1;
}

/* ---- a stream that is there ---- */

static int
refuse_number(struct refusal refusal, const struct wanted *wanted, const char *field, int64_t found,
	const char *right, const char *remedy)
{
	return refuse(refusal, SL_EINVAL, "the stream %s has %s %" PRId64 ", but %s is needed; %s", wanted->name,
		field, found, right, remedy);
}

#define REMAKE "delete the stream, so that the gateway makes a new one, or use another --nats-bus"

/* What would lose messages, or put them out of order. */
static int
check_kind(const jsStreamConfig *found, const struct wanted *wanted, struct refusal refusal)
{
	if (found->SubjectsLen != 1 || strcmp(found->Subjects[0], wanted->subject) != 0)
		return refuse(refusal, SL_EINVAL, "the stream %s has the subjects %s%s, but %s alone is needed; "
			REMAKE, wanted->name, found->SubjectsLen > 0 ? found->Subjects[0] : "",
			found->SubjectsLen > 1 ? " and others" : "", wanted->subject);
	if (found->Retention != js_LimitsPolicy)
		return refuse(refusal, SL_EINVAL, "the stream %s has the retention %s, but limits is needed; " REMAKE,
			wanted->name, found->Retention == js_InterestPolicy ? "interest" : "workqueue");
	if (found->Storage != js_FileStorage)
		return refuse(refusal, SL_EINVAL, "the stream %s has the storage memory, but file is needed, since "
			"the log must outlive its servers; " REMAKE, wanted->name);
	if (found->Discard != js_DiscardOld)
		return refuse(refusal, SL_EINVAL, "the stream %s has the discard policy new, but old is needed; use "
			"'nats stream edit' to set it", wanted->name);
	if (found->NoAck || found->Sealed || found->Mirror || found->SourcesLen > 0)
		return refuse(refusal, SL_EINVAL, "the stream %s acknowledges nothing, is sealed, or copies another one; "
			REMAKE, wanted->name);
	return 0;
}

#define EDIT "use 'nats stream edit' to set it"

static int
check_limits(const jsStreamConfig *found, const struct wanted *wanted, struct refusal refusal)
{
	char right[64];
	if (found->MaxMsgsPerSubject > 0)
		return refuse_number(refusal, wanted, "max_msgs_per_subject", found->MaxMsgsPerSubject,
			"-1 (it makes holes that no reader can tell from losses)", EDIT);
	if (found->Duplicates < DEDUPE_PROMISED_NS)
		return refuse_number(refusal, wanted, "duplicate_window", found->Duplicates / SECOND_NS,
			"120 s or more", EDIT);
	snprintf(right, sizeof right, "%" PRId64 " s or more", wanted->history_age_ns / SECOND_NS);
	if (found->MaxAge > 0 && found->MaxAge < wanted->history_age_ns)
		return refuse_number(refusal, wanted, "max_age", found->MaxAge / SECOND_NS, right,
			EDIT ", or lower --history-age");
	snprintf(right, sizeof right, "%" PRId64 " or more", wanted->history_bytes);
	if (found->MaxBytes > 0 && found->MaxBytes < wanted->history_bytes)
		return refuse_number(refusal, wanted, "max_bytes", found->MaxBytes, right,
			EDIT ", or lower --history-total");
	snprintf(right, sizeof right, "%" PRId64 " or more", wanted->message_max);
	if (found->MaxMsgSize > 0 && found->MaxMsgSize < wanted->message_max)
		return refuse_number(refusal, wanted, "max_msg_size", found->MaxMsgSize, right,
			EDIT ", or lower --max-message");
	snprintf(right, sizeof right, "%" PRId64, wanted->replicas_asked);
	if (wanted->replicas_asked && found->Replicas != wanted->replicas_asked)
		return refuse_number(refusal, wanted, "num_replicas", found->Replicas, right,
			EDIT ", or give its number as --nats-replicas");
	return 0;
}

static void
take_state(struct sl_nats_stream_state *out, const jsStreamInfo *info)
{
	*out = (struct sl_nats_stream_state){
		.created_ns = info->Created,
		.generation = sl_nats_stream_info_generation(info->Config->Description),
		.first = info->State.FirstSeq,
		.last = info->State.LastSeq,
		.has_leader = !info->Cluster || (info->Cluster->Leader && *info->Cluster->Leader),
	};
}

/* ---- asking the server ---- */

static jsOptions
make_options(void)
{
	jsOptions options;
	jsOptions_Init(&options);
	options.Wait = WAIT_MS;
	return options;
}

static int
fail(struct refusal refusal, const char *what, const char *stream, natsStatus status, jsErrCode code)
{
	natsStatus last = status;
	const char *text = nats_GetLastError(&last);
	if (status == NATS_NO_MEMORY)
		return SL_ENOMEM;
	if (status == NATS_NO_RESPONDERS || code == JSNotEnabledErr || code == JSNotEnabledForAccountErr)
		return refuse(refusal, SL_EIO, "JetStream is not there; switch it on in the server (jetstream {}), and for this account");
	if (status == NATS_TIMEOUT)
		return refuse(refusal, SL_EIO, "no answer when %s the stream %s; see that a majority of the servers runs, and "
			"that this user may publish to $JS.API.>", what, stream);
	return refuse(refusal, SL_EIO, "%s the stream %s: %.200s (%d)", what, stream,
		text && *text ? text : natsStatus_GetText(status), (int)code);
}

/* Two gateways that start at once may both make it: the second one is told that it is there. */
static int
make(jsCtx *js, const struct wanted *wanted, struct sl_nats_stream_state *out,
	struct refusal refusal)
{
	char description[DESCRIPTION_MAX];
	const char *subjects[] = { wanted->subject };
	jsOptions options = make_options();
	jsStreamConfig config;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	snprintf(description, sizeof description, "sluice generation=1");
	jsStreamConfig_Init(&config);
	config.Name = wanted->name;
	config.Description = description;
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Retention = js_LimitsPolicy;
	config.Storage = js_FileStorage;
	config.Discard = js_DiscardOld;
	config.Replicas = wanted->replicas;
	config.MaxAge = wanted->max_age_ns;
	config.MaxBytes = wanted->max_bytes;
	config.Duplicates = DEDUPE_NS;
	config.DenyDelete = true;
	natsStatus status = js_AddStream(&info, js, &config, &options, &code);
	if (status != NATS_OK)
		return fail(refusal, "making", wanted->name, status, code);
	take_state(out, info);
	jsStreamInfo_Destroy(info);
	return 0;
}

int
sl_nats_stream_open(jsCtx *js, const struct sl_config *config, struct sl_nats_stream_state *out,
	char *error, size_t error_size)
{
	const struct refusal refusal = { error, error_size };
	jsOptions options = make_options();
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	struct wanted wanted;
	fill_wanted(&wanted, config);
	natsStatus status = js_GetStreamInfo(&info, js, wanted.name, &options, &code);
	if (status == NATS_NOT_FOUND)
		return make(js, &wanted, out, refusal);
	if (status != NATS_OK)
		return fail(refusal, "asking for", wanted.name, status, code);
	int err = check_kind(info->Config, &wanted, refusal);
	if (err == 0)
		err = check_limits(info->Config, &wanted, refusal);
	if (err == 0)
		take_state(out, info);
	jsStreamInfo_Destroy(info);
	return err;
}

int
sl_nats_stream_raise_generation(jsCtx *js, const char *stream, uint64_t generation, char *error,
	size_t error_size)
{
	const struct refusal refusal = { error, error_size };
	char description[DESCRIPTION_MAX];
	jsOptions options = make_options();
	jsStreamInfo *info = NULL, *changed = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&info, js, stream, &options, &code);
	if (status != NATS_OK)
		return fail(refusal, "asking for", stream, status, code);
	if (sl_nats_stream_info_generation(info->Config->Description) < generation) {
		const char *kept = info->Config->Description;
		snprintf(description, sizeof description, "sluice generation=%" PRIu64, generation);
		info->Config->Description = description;
		status = js_UpdateStream(&changed, js, info->Config, &options, &code);
		info->Config->Description = kept;
	}
	jsStreamInfo_Destroy(changed);
	jsStreamInfo_Destroy(info);
	return status == NATS_OK ? 0 : fail(refusal, "changing", stream, status, code);
}
