#include "clients/socket_io/sio_packet.h"

#include <string.h>

#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"
#include "util/utf8.h"

#define ENVELOPE_DEPTH 1 /* the array around the arguments */

/* ---- reading ---- */

static bool
is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* The number that begins at `*at`, which is moved behind its digits. False when it has no digits or is too large. */
static bool
read_number(const char **at, const char *end, uint64_t max, uint64_t *out)
{
	const char *start = *at;
	while (is_digit(*at, end))
		++*at;
	return sl_span_to_number((struct sl_span){ start, (size_t)(*at - start) }, max, out);
}

static bool
read_attachments(struct sl_sio_packet *out, const char **at, const char *end)
{
	uint64_t count = 0;
	if (out->type < SL_SIO_BINARY_EVENT)
		return true;
	if (!read_number(at, end, SL_SIO_ATTACHMENTS_MAX, &count) || count == 0 || *at == end || **at != '-')
		return false;
	++*at;
	out->attachments = (unsigned)count;
	return true;
}

static bool
read_namespace(struct sl_sio_packet *out, const char **at, const char *end)
{
	out->nsp = (struct sl_span){ "/", 1 };
	if (*at == end || **at != '/')
		return true;
	const char *comma = memchr(*at, ',', (size_t)(end - *at));
	const char *stop = comma ? comma : end;
	out->nsp = (struct sl_span){ *at, (size_t)(stop - *at) };
	*at = comma ? comma + 1 : end;
	return out->nsp.len <= SL_SIO_NAMESPACE_MAX;
}

static bool
read_id(struct sl_sio_packet *out, const char **at, const char *end)
{
	uint64_t id;
	out->id = SL_SIO_NO_ID;
	if (!is_digit(*at, end))
		return true;
	if (!read_number(at, end, SL_SIO_ID_MAX, &id))
		return false;
	out->id = (int32_t)id;
	return true;
}

bool
sl_sio_packet_is_reserved(struct sl_span name)
{
	static const char *const reserved[] = {
		"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
	};
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (sl_span_equals(name, reserved[i]))
			return true;
	return false;
}

/* The same of a name as JSON has it, which may have escapes. */
static bool
is_reserved_string(struct sl_span value)
{
	static const size_t longest = 6 * sizeof "removeListener";
	struct sl_buffer name = SL_BUFFER_INIT;
	struct sl_span raw = sl_json_unquote(value);
	if (!memchr(raw.bytes, '\\', raw.len))
		return sl_sio_packet_is_reserved(raw);
	bool is_reserved = raw.len <= longest && sl_json_string_decode(&name, raw.bytes, raw.len) != SL_EUTF8 &&
		(name.failed || sl_sio_packet_is_reserved((struct sl_span){ name.bytes, name.len }));
	sl_buffer_finish(&name);
	return is_reserved;
}

static bool
has_event_name(struct sl_span array)
{
	struct sl_json_members elements;
	struct sl_json_member first;
	if (sl_json_elements_open(&elements, array.bytes, array.len) != 0 ||
			!sl_json_members_next(&elements, &first))
		return false;
	return first.kind == SL_JSON_NUMBER ||
		(first.kind == SL_JSON_STRING && !is_reserved_string(first.value));
}

static bool
begins_with(struct sl_span json, char bracket)
{
	const char *at = json.bytes ? sl_json_pass_space(json.bytes, json.bytes + json.len) : NULL;
	return at && at < json.bytes + json.len && *at == bracket;
}

/* Whether the JSON, or that there is none, fits the type. */
static bool
is_payload_valid(const struct sl_sio_packet *packet)
{
	switch (packet->type) {
	case SL_SIO_CONNECT:
		return !packet->json.bytes || begins_with(packet->json, '{');
	case SL_SIO_DISCONNECT:
		return !packet->json.bytes;
	case SL_SIO_EVENT:
	case SL_SIO_BINARY_EVENT:
		return begins_with(packet->json, '[') && has_event_name(packet->json);
	case SL_SIO_ACK:
	case SL_SIO_BINARY_ACK:
		return !packet->json.bytes || begins_with(packet->json, '['); /* without an id it is for nobody */
	case SL_SIO_CONNECT_ERROR: /* no client says that */
		break;
	}
	return false;
}

int
sl_sio_packet_read(struct sl_sio_packet *out, struct sl_span text, unsigned depth_max)
{
	const char *at = text.bytes, *end = text.bytes + text.len;
	int err = 0;
	memset(out, 0, sizeof *out);
	if (text.len == 0 || *at < '0' || *at > '6' || !sl_utf8_valid(text.bytes, text.len))
		return SL_EPROTO;
	out->type = (enum sl_sio_type)(*at++ - '0');
	if (!read_attachments(out, &at, end) || !read_namespace(out, &at, end) || !read_id(out, &at, end))
		return SL_EPROTO;
	if (at < end) {
		out->json = (struct sl_span){ at, (size_t)(end - at) };
		err = sl_json_check(at, out->json.len, depth_max + ENVELOPE_DEPTH);
	}
	if ((err != 0 && err != SL_ETOODEEP) || !is_payload_valid(out))
		return SL_EPROTO;
	return err;
}

/* ---- writing ---- */

void
sl_sio_packet_append_head(struct sl_buffer *out, enum sl_sio_type type, unsigned attachments,
	struct sl_span nsp, int32_t id)
{
	sl_buffer_append_char(out, (char)('0' + type));
	if (type >= SL_SIO_BINARY_EVENT) {
		sl_buffer_append_u64(out, attachments);
		sl_buffer_append_char(out, '-');
	}
	if (!sl_span_equals(nsp, "/")) {
		sl_buffer_append(out, nsp.bytes, nsp.len);
		sl_buffer_append_char(out, ',');
	}
	if (id != SL_SIO_NO_ID)
		sl_buffer_append_u64(out, (uint64_t)id);
}
