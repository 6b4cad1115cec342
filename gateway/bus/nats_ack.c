#include "bus/nats_ack.h"

#include <string.h>

#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

#define DEPTH_MAX 8
#define NO_RESPONDERS 503 /* also the code of many errors */

/* Errors of which the server is done before it proposes or stores anything. Any other may come after: a leader
 * that could not write (10077) tells so of a message that the other nodes have stored. */
static const struct { unsigned code; bool is_final; int err; } known[] = {
	{ 10054, true, SL_ETOOBIG },   /* message size exceeds maximum allowed */
	{ 10109, true, SL_EBACKEND },  /* invalid operation on sealed stream */
	{ 10060, true, SL_EBACKEND },  /* expected stream does not match */
	{ 10002, false, 0 },           /* resource limits exceeded for account */
	{ 10008, false, 0 },           /* JetStream system temporarily unavailable */
	{ 10023, false, 0 },           /* insufficient resources */
	{ 10028, false, 0 },           /* insufficient memory resources available */
	{ 10039, false, 0 },           /* JetStream not enabled for account */
	{ 10047, false, 0 },           /* insufficient storage resources available */
	{ 10076, false, 0 },           /* JetStream not enabled */
};

static bool
is_named(const struct sl_json_member *member, const char *name)
{
	return sl_json_string_equals(member->name.bytes, member->name.len, name);
}

static bool
read_number(const struct sl_json_member *member, uint64_t max, uint64_t *out)
{
	return member->kind == SL_JSON_NUMBER && sl_span_to_number(member->value, max, out);
}

static void
judge_error(struct sl_nats_ack *ack, uint64_t http_code, uint64_t code)
{
	ack->code = (unsigned)(code ? code : http_code);
	ack->kind = SL_NATS_ACK_AGAIN;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].code != code)
			continue;
		ack->is_certain = true;
		ack->err = known[i].err;
		ack->kind = known[i].is_final ? SL_NATS_ACK_REFUSED : SL_NATS_ACK_AGAIN;
	}
}

static void
read_error(struct sl_nats_ack *ack, struct sl_span object)
{
	struct sl_json_members members;
	struct sl_json_member member;
	uint64_t http_code = 0, code = 0;
	if (sl_json_members_open(&members, object.bytes, object.len) != 0)
		return;
	while (sl_json_members_next(&members, &member)) {
		if (is_named(&member, "code") && !read_number(&member, UINT32_MAX, &http_code))
			return;
		if (is_named(&member, "err_code") && !read_number(&member, UINT32_MAX, &code))
			return;
		if (is_named(&member, "description") && member.kind == SL_JSON_STRING)
			ack->why = sl_json_unquote(member.value);
	}
	judge_error(ack, http_code, code);
}

/* `stream` as the answer names it, without quotes. */
static void
judge_number(struct sl_nats_ack *ack, struct sl_span stream, const char *expected)
{
	if (!stream.bytes)
		return;
	if (!sl_json_string_equals(stream.bytes, stream.len, expected)) {
		ack->kind = SL_NATS_ACK_REFUSED;
		ack->err = SL_EBACKEND;
		ack->why = stream;
		return;
	}
	if (ack->seq > 0)
		ack->kind = SL_NATS_ACK_STORED;
	else
		ack->kind = ack->is_duplicate ? SL_NATS_ACK_BEGUN : SL_NATS_ACK_AGAIN;
}

static void
read_body(struct sl_nats_ack *ack, struct sl_span body, const char *expected)
{
	struct sl_json_members members;
	struct sl_json_member member, error = { .kind = SL_JSON_NULL };
	struct sl_span stream = { NULL, 0 };
	if (sl_json_members_open(&members, body.bytes, body.len) != 0)
		return;
	while (sl_json_members_next(&members, &member)) {
		if (is_named(&member, "error"))
			error = member;
		else if (is_named(&member, "stream") && member.kind == SL_JSON_STRING)
			stream = sl_json_unquote(member.value);
		else if (is_named(&member, "seq") && !read_number(&member, UINT64_MAX, &ack->seq))
			return;
		else if (is_named(&member, "duplicate"))
			ack->is_duplicate = member.kind == SL_JSON_TRUE;
	}
	if (error.kind != SL_JSON_NULL)
		read_error(ack, error.value);
	else
		judge_number(ack, stream, expected);
}

void
sl_nats_ack_read(struct sl_nats_ack *out, const char *status, struct sl_span body,
	const char *stream)
{
	*out = (struct sl_nats_ack){ .kind = SL_NATS_ACK_NOTHING };
	if (status) {
		if (strcmp(status, "503") == 0 && body.len == 0) {
			out->kind = SL_NATS_ACK_AGAIN;
			out->is_certain = true;
			out->code = NO_RESPONDERS;
		}
		return;
	}
	if (body.len > 0 && sl_json_check(body.bytes, body.len, DEPTH_MAX) == 0)
		read_body(out, body, stream);
}
