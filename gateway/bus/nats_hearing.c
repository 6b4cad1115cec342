#include "bus/nats_hearing.h"

#include <stdio.h>
#include <string.h>

#include "bus/nats_reply.h"
#include "util/json_check.h"
#include "util/json_members.h"

#define ANSWER_MS 2000  /* for an answer of JetStream's API */
#define AGAIN_MS 250    /* after one that does not help, or none; twice as long each time */
#define AGAIN_MAX_MS 2000
#define BEAT_MS 1000    /* of the consumer */
#define SILENCE_MS 3000
#define GONE_S 10       /* a consumer that nobody listens to is removed after */
#define NO_STREAM 10059 /* stream not found */
#define NS_IN_S 1000000000u
#define MESSAGE_MAX 8192
#define DUPLICATES_S 120
#define DEPTH_MAX 32

void
sl_nats_hearing_init(struct sl_nats_hearing *hearing, const struct sl_nats_hearing_config *config)
{
	*hearing = (struct sl_nats_hearing){ .config = *config };
	if (hearing->config.age_s < DUPLICATES_S)
		hearing->config.age_s = DUPLICATES_S;
	snprintf(hearing->stream, sizeof hearing->stream, "sluice-%s-nodes", config->bus_name);
}

void
sl_nats_hearing_finish(struct sl_nats_hearing *hearing)
{
	sl_buffer_finish(&hearing->settings);
}

static void
plan(struct sl_nats_hearing *hearing, enum sl_nats_hearing_step step, uint64_t due_ms)
{
	hearing->step = step;
	hearing->is_asked = false;
	hearing->due_ms = due_ms;
}

/* From the beginning, but for what was heard. */
static void
begin_again(struct sl_nats_hearing *hearing, uint64_t due_ms, const char *why)
{
	snprintf(hearing->problem, sizeof hearing->problem, "%s", why);
	plan(hearing, SL_NATS_ASK_INFO, due_ms);
}

/* A server that has trouble is asked ever more seldom. */
static void
pause_and_begin_again(struct sl_nats_hearing *hearing, uint64_t now_ms, const char *why)
{
	begin_again(hearing, now_ms + hearing->pause_ms, why);
	hearing->pause_ms = hearing->pause_ms < AGAIN_MAX_MS / 2 ? 2 * hearing->pause_ms : AGAIN_MAX_MS;
}

void
sl_nats_hearing_connect(struct sl_nats_hearing *hearing, const char *prefix, uint64_t now_ms)
{
	snprintf(hearing->prefix, sizeof hearing->prefix, "%s", prefix ? prefix : "");
	hearing->has_caught_up = false;
	hearing->pause_ms = AGAIN_MS;
	begin_again(hearing, now_ms, "");
}

void
sl_nats_hearing_need_age(struct sl_nats_hearing *hearing, uint64_t age_s)
{
	if (age_s <= hearing->config.age_s)
		return;
	hearing->config.age_s = age_s;
	if (hearing->step == SL_NATS_LISTEN || hearing->step == SL_NATS_ASK_CONSUMER)
		plan(hearing, SL_NATS_ASK_INFO, 0);
}

/* ---- questions ---- */

static void
write_stream(const struct sl_nats_hearing *hearing, struct sl_buffer *out)
{
	const struct sl_nats_hearing_config *config = &hearing->config;
	sl_buffer_printf(out, "{\"name\":\"%s\",\"subjects\":[\"sluice-nodes.%s.>\"],"
		"\"description\":\"what gateways tell each other\",\"retention\":\"limits\",\"storage\":\"file\","
		"\"max_consumers\":-1,\"max_msgs\":%llu,\"max_bytes\":-1,\"max_msgs_per_subject\":1,"
		"\"max_msg_size\":%d,\"discard\":\"new\",\"num_replicas\":%u,\"deny_delete\":true,",
		hearing->stream, config->bus_name, (unsigned long long)config->messages_max, MESSAGE_MAX,
		config->replicas);
	sl_buffer_printf(out, "\"duplicate_window\":%llu,\"max_age\":%llu}",
		(unsigned long long)DUPLICATES_S * NS_IN_S, (unsigned long long)config->age_s * NS_IN_S);
}

/* The settings that the stream has, with another age. */
static void
write_update(const struct sl_nats_hearing *hearing, struct sl_buffer *out)
{
	struct sl_json_members members;
	struct sl_json_member member;
	if (sl_json_members_open(&members, hearing->settings.bytes, hearing->settings.len) != 0)
		return;
	sl_buffer_printf(out, "{\"max_age\":%llu", (unsigned long long)hearing->config.age_s * NS_IN_S);
	while (sl_json_members_next(&members, &member)) {
		if (sl_json_string_equals(member.name.bytes, member.name.len, "max_age"))
			continue;
		sl_buffer_printf(out, ",\"%.*s\":", (int)member.name.len, member.name.bytes);
		sl_buffer_append(out, member.value.bytes, member.value.len);
	}
	sl_buffer_append_str(out, "}");
}

static void
write_consumer(const struct sl_nats_hearing *hearing, struct sl_buffer *out)
{
	sl_buffer_printf(out, "{\"stream_name\":\"%s\",\"config\":{\"name\":\"%s\",\"deliver_subject\":\"%s\",",
		hearing->stream, hearing->consumer, hearing->deliver);
	if (hearing->heard > 0)
		sl_buffer_printf(out, "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":%llu,",
			(unsigned long long)hearing->heard + 1);
	else
		sl_buffer_append_str(out, "\"deliver_policy\":\"all\",");
	sl_buffer_printf(out, "\"ack_policy\":\"none\",\"replay_policy\":\"instant\",\"idle_heartbeat\":%llu,"
		"\"inactive_threshold\":%llu,\"mem_storage\":true,\"num_replicas\":1}}",
		(unsigned long long)BEAT_MS * 1000000u, (unsigned long long)GONE_S * NS_IN_S);
}

/* Its name and where it delivers are its own, so that nothing of one before can be taken for its. */
static void
name_consumer(struct sl_nats_hearing *hearing)
{
	/* What is random in the prefix names this connection. */
	size_t len = strlen(hearing->prefix), from = len > 9 ? len - 9 : 0;
	hearing->consumers++;
	hearing->dseq = 0;
	snprintf(hearing->consumer, sizeof hearing->consumer, "n%.*s-%u",
		(int)(len > 0 ? len - 1 - from : 0), hearing->prefix + from, hearing->consumers);
	snprintf(hearing->deliver, sizeof hearing->deliver, "%sh%u", hearing->prefix, hearing->consumers);
}

bool
sl_nats_hearing_ask(struct sl_nats_hearing *hearing, uint64_t number, uint64_t now_ms,
	struct sl_nats_question *out)
{
	static const char *const calls[] = {
		[SL_NATS_ASK_INFO] = "STREAM.INFO", [SL_NATS_ASK_CREATE] = "STREAM.CREATE",
		[SL_NATS_ASK_UPDATE] = "STREAM.UPDATE", [SL_NATS_ASK_CONSUMER] = "CONSUMER.CREATE",
	};
	if (!hearing->prefix[0] || now_ms < hearing->due_ms)
		return false;
	if (hearing->step == SL_NATS_LISTEN || hearing->is_asked) {
		if (hearing->is_asked)
			pause_and_begin_again(hearing, now_ms, "no answer");
		else
			begin_again(hearing, now_ms, "silence");
		return false;
	}
	out->body = (struct sl_buffer)SL_BUFFER_INIT;
	out->deliver = NULL;
	int len = snprintf(out->subject, sizeof out->subject, "$JS.API.%s.%s", calls[hearing->step],
		hearing->stream);
	if (hearing->step == SL_NATS_ASK_CREATE)
		write_stream(hearing, &out->body);
	if (hearing->step == SL_NATS_ASK_UPDATE)
		write_update(hearing, &out->body);
	if (hearing->step == SL_NATS_ASK_CONSUMER) {
		name_consumer(hearing);
		out->deliver = hearing->deliver;
		write_consumer(hearing, &out->body);
		snprintf(out->subject + len, sizeof out->subject - (size_t)len, ".%s", hearing->consumer);
	}
	hearing->is_asked = true;
	hearing->number = number;
	hearing->due_ms = now_ms + ANSWER_MS;
	return true;
}

/* ---- answers ---- */

/* The member of an object that is itself somewhere in checked JSON; absent without it. */
static struct sl_span
find(struct sl_span object, const char *name)
{
	struct sl_json_members members;
	struct sl_json_member member;
	if (object.bytes && sl_json_members_open(&members, object.bytes, object.len) == 0)
		while (sl_json_members_next(&members, &member))
			if (sl_json_string_equals(member.name.bytes, member.name.len, name))
				return member.value;
	return (struct sl_span){ NULL, 0 };
}

static uint64_t
find_number(struct sl_span object, const char *name)
{
	uint64_t number;
	return sl_span_to_number(find(object, name), UINT64_MAX, &number) ? number : 0;
}

/* Another stream has another time of creation; of one that ends before what was heard a part was lost. Either
 * is heard from its first number. */
static void
recognize(struct sl_nats_hearing *hearing, struct sl_span body)
{
	struct sl_span created = sl_json_unquote(find(body, "created"));
	if (!created.bytes || created.len >= sizeof hearing->created)
		created = (struct sl_span){ "?", 1 };
	bool is_same = sl_span_equals(created, hearing->created);
	if (!is_same || find_number(find(body, "state"), "last_seq") < hearing->heard)
		hearing->heard = 0;
	snprintf(hearing->created, sizeof hearing->created, "%.*s", (int)created.len, created.bytes);
}

static void
handle_info(struct sl_nats_hearing *hearing, struct sl_span body, uint64_t now_ms)
{
	struct sl_span settings = find(body, "config");
	if (!settings.bytes) {
		pause_and_begin_again(hearing, now_ms, "an answer of another form");
		return;
	}
	recognize(hearing, body);
	uint64_t age_ns = find_number(settings, "max_age"); /* 0: for ever */
	if (age_ns == 0 || age_ns / NS_IN_S >= hearing->config.age_s) {
		plan(hearing, SL_NATS_ASK_CONSUMER, now_ms);
		return;
	}
	sl_buffer_clear(&hearing->settings);
	sl_buffer_append(&hearing->settings, settings.bytes, settings.len);
	plan(hearing, SL_NATS_ASK_UPDATE, now_ms);
}

static void
handle_error(struct sl_nats_hearing *hearing, struct sl_span error, uint64_t now_ms)
{
	char why[sizeof hearing->problem];
	struct sl_span text = sl_json_unquote(find(error, "description"));
	if (hearing->step == SL_NATS_ASK_INFO && find_number(error, "err_code") == NO_STREAM) {
		plan(hearing, SL_NATS_ASK_CREATE, now_ms);
		return;
	}
	snprintf(why, sizeof why, "%.*s", (int)(text.len < sizeof why ? text.len : sizeof why),
		text.bytes ? text.bytes : "an error");
	pause_and_begin_again(hearing, now_ms, why);
}

static void
handle_answer(struct sl_nats_hearing *hearing, struct sl_span body, uint64_t now_ms)
{
	switch (hearing->step) {
	case SL_NATS_ASK_INFO:
		handle_info(hearing, body, now_ms);
		break;
	case SL_NATS_ASK_CREATE:
	case SL_NATS_ASK_UPDATE:
		plan(hearing, SL_NATS_ASK_INFO, now_ms);
		break;
	default:
		/* What it had to deliver may have come before its answer. */
		if (find(body, "num_pending").bytes && find_number(body, "num_pending") == 0)
			hearing->has_caught_up = true;
		hearing->problem[0] = '\0';
		hearing->pause_ms = AGAIN_MS;
		plan(hearing, SL_NATS_LISTEN, now_ms + SILENCE_MS);
	}
}

bool
sl_nats_hearing_answer(struct sl_nats_hearing *hearing, uint64_t number, const char *status,
	struct sl_span body, uint64_t now_ms)
{
	if (!hearing->is_asked || hearing->number != number)
		return false;
	if (status || body.len == 0 || sl_json_check(body.bytes, body.len, DEPTH_MAX) != 0) {
		pause_and_begin_again(hearing, now_ms, "JetStream does not answer");
		return true;
	}
	struct sl_span error = find(body, "error");
	if (error.bytes)
		handle_error(hearing, error, now_ms);
	else
		handle_answer(hearing, body, now_ms);
	return true;
}

/* ---- what the consumer delivers ---- */

static bool
is_listening(const struct sl_nats_hearing *hearing)
{
	return hearing->step == SL_NATS_LISTEN ||
		(hearing->step == SL_NATS_ASK_CONSUMER && hearing->is_asked);
}

void
sl_nats_hearing_take(struct sl_nats_hearing *hearing, struct sl_span reply, uint64_t now_ms)
{
	struct sl_nats_reply place;
	if (!is_listening(hearing) || sl_nats_reply_parse(&place, reply) != 0 ||
			!sl_span_equals(place.consumer, hearing->consumer))
		return;
	if (place.dseq != hearing->dseq + 1) {
		begin_again(hearing, now_ms, "a notice was left out");
		return;
	}
	hearing->dseq = place.dseq;
	hearing->heard = place.sseq;
	if (place.pending == 0)
		hearing->has_caught_up = true;
	if (hearing->step == SL_NATS_LISTEN)
		hearing->due_ms = now_ms + SILENCE_MS;
}

void
sl_nats_hearing_beat(struct sl_nats_hearing *hearing, const char *deliver, const char *last,
	uint64_t now_ms)
{
	uint64_t dseq;
	if (hearing->step != SL_NATS_LISTEN || strcmp(deliver, hearing->deliver) != 0)
		return;
	hearing->due_ms = now_ms + SILENCE_MS;
	if (!sl_span_to_number((struct sl_span){ last, strlen(last) }, UINT64_MAX, &dseq))
		return;
	if (dseq != hearing->dseq)
		begin_again(hearing, now_ms, "a notice was left out");
	else
		hearing->has_caught_up = true;
}
