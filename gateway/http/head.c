#include "http/head.h"

#include <endian.h>

#define EMPTY_LINES_MAX 8 /* before a request */
#define REPEAT(byte) (0x0101010101010101u * (byte))

/* A head being read. Steps return false with `why` when it is malformed. */
struct reading {
	struct sl_head *head;
	const char *at, *end;
	const struct sl_head_refusal *why;
	struct sl_span wrong; /* the value, if `why` shows one */
};

const struct sl_head_refusal sl_head_bad_line = { 400, "bad_request",
	"this is not an HTTP request; end its lines in CRLF (RFC 9112, section 2.1)" };
const struct sl_head_refusal sl_head_too_large = { 431, "too_large",
	"the head of the request is larger than --max-header allows; use shorter headers" };

static const struct sl_head_refusal bad_request_line = { 400, "bad_request",
	"the request line is malformed; use METHOD TARGET HTTP/1.1 (RFC 9112, section 3)" };
static const struct sl_head_refusal bad_version = { 505, "bad_version",
	"is unknown; use HTTP/1.1 or HTTP/1.0", "version" };
static const struct sl_head_refusal bad_target = { 400, "bad_request",
	"the target is malformed; use /path?query, or http://host/path?query (RFC 9112, section 3.2)" };
static const struct sl_head_refusal bad_field = { 400, "bad_request",
	"a header line is malformed; use NAME: VALUE, without a space before the colon, folding or control "
	"characters (RFC 9112, section 5)" };
static const struct sl_head_refusal no_host = { 400, "bad_request", "Host is missing; use host or host:port" };
static const struct sl_head_refusal two_hosts = { 400, "bad_request", "Host is repeated; use one" };
static const struct sl_head_refusal bad_host = { 400, "bad_request", "is malformed; use host or host:port", "Host" };
static const struct sl_head_refusal bad_length = { 400, "bad_request",
	"is not a number, or differs from another Content-Length; use one number", "Content-Length" };
static const struct sl_head_refusal bad_encoding = { 400, "bad_transfer_encoding",
	"is not accepted; use chunked, once and with HTTP/1.1", "Transfer-Encoding" };
static const struct sl_head_refusal two_lengths = { 400, "bad_transfer_encoding",
	"Transfer-Encoding and Content-Length are both there; use one of them (RFC 9112, section 6.1)" };
static const struct sl_head_refusal two_keys = { 400, "bad_request",
	"Sec-WebSocket-Key is repeated; use one" };

static bool
refuse(struct reading *reading, const struct sl_head_refusal *why)
{
	reading->why = why;
	return false;
}

static bool
refuse_value(struct reading *reading, const struct sl_head_refusal *why, struct sl_span value)
{
	reading->wrong = value;
	return refuse(reading, why);
}

/* ---- characters ---- */

/* Tokens (RFC 9110, section 5.6.2), and hosts with their ports (RFC 3986, section 3.2), but no
 * user's name before them. */
enum { TOKEN = 1, AUTHORITY = 2 };

static const uint8_t sets[256] = {
	['0' ... '9'] = TOKEN | AUTHORITY, ['A' ... 'Z'] = TOKEN | AUTHORITY,
	['a' ... 'z'] = TOKEN | AUTHORITY, ['!'] = TOKEN | AUTHORITY, ['$'] = TOKEN | AUTHORITY,
	['%'] = TOKEN | AUTHORITY, ['&'] = TOKEN | AUTHORITY, ['\''] = TOKEN | AUTHORITY,
	['*'] = TOKEN | AUTHORITY, ['+'] = TOKEN | AUTHORITY, ['-'] = TOKEN | AUTHORITY,
	['.'] = TOKEN | AUTHORITY, ['_'] = TOKEN | AUTHORITY, ['~'] = TOKEN | AUTHORITY,
	['#'] = TOKEN, ['^'] = TOKEN, ['`'] = TOKEN, ['|'] = TOKEN,
	['('] = AUTHORITY, [')'] = AUTHORITY, [','] = AUTHORITY, [':'] = AUTHORITY,
	[';'] = AUTHORITY, ['='] = AUTHORITY, ['['] = AUTHORITY, [']'] = AUTHORITY,
};

/* To the first character that is not in the set. */
static const char *
skip_set(const char *at, const char *end, uint8_t set)
{
	while (at < end && (sets[(unsigned char)*at] & set))
		at++;
	return at;
}

bool
sl_head_is_token_char(unsigned char c)
{
	return sets[c] & TOKEN;
}

static bool
is_authority(struct sl_span text)
{
	return skip_set(text.bytes, text.bytes + text.len, AUTHORITY) == text.bytes + text.len;
}

/* To the first control character that is not a tab: the end of a field line's value. Eight bytes
 * are looked at together; the lowest that is marked is one indeed, those above it may not be. */
static const char *
skip_value(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t word, del;
		memcpy(&word, at, sizeof word);
		word = le64toh(word);
		del = word ^ REPEAT(0x7f);
		uint64_t marks = (((word - REPEAT(0x20)) & ~word) | ((del - REPEAT(0x01)) & ~del)) &
			REPEAT(0x80);
		at += marks ? __builtin_ctzll(marks) / 8 : 8;
		if (marks && *at++ != '\t')
			return at - 1;
	}
	while (at < end && ((unsigned char)*at >= 0x20 || *at == '\t') && *at != 0x7f)
		at++;
	return at;
}

/* The next element of a list, trimmed and maybe empty; `rest->bytes` is NULL behind the last. */
static struct sl_span
take_element(struct sl_span *rest)
{
	const char *end = rest->bytes + rest->len;
	const char *comma = memchr(rest->bytes, ',', rest->len);
	struct sl_span element = sl_span_trim(rest->bytes, comma ? comma : end);
	*rest = comma ? (struct sl_span){ comma + 1, (size_t)(end - comma - 1) } :
		(struct sl_span){ 0 };
	return element;
}

static bool
list_has(struct sl_span list, const char *token)
{
	while (list.bytes)
		if (sl_span_is_word(take_element(&list), token))
			return true;
	return false;
}

/* ---- the end of a head ---- */

ptrdiff_t
sl_head_scan(const char *bytes, size_t len, size_t *scanned)
{
	size_t start = 0;
	while (start < len && start < 2 * EMPTY_LINES_MAX && bytes[start] == "\r\n"[start % 2])
		start++;
	if (start == len)
		return 0;
	if (start % 2 || !sl_head_is_token_char((unsigned char)bytes[start]))
		return -1;
	if (*scanned < start)
		*scanned = start;
	for (;;) {
		const char *feed = memchr(bytes + *scanned, '\n', len - *scanned);
		if (!feed) {
			*scanned = len;
			return 0;
		}
		if (feed[-1] != '\r')
			return -1;
		*scanned = (size_t)(feed + 1 - bytes);
		if (feed[-2] == '\n')
			return (ptrdiff_t)*scanned;
	}
}

/* ---- the request line ---- */

static bool
take_version(struct reading *reading, const char *at)
{
	if (reading->end - at < 10 || memcmp(at, "HTTP/", 5) != 0 || at[6] != '.' ||
			at[5] < '0' || at[5] > '9' || at[7] < '0' || at[7] > '9' ||
			memcmp(at + 8, "\r\n", 2) != 0)
		return refuse(reading, &bad_request_line);
	if (at[5] != '1' || at[7] > '1')
		return refuse_value(reading, &bad_version, (struct sl_span){ at, 8 });
	reading->head->version = at[7] == '1' ? SL_HTTP_1_1 : SL_HTTP_1_0;
	reading->at = at + 10;
	return true;
}

/* What stands behind the scheme of an absolute target, or 0 for what is none. */
static size_t
measure_scheme(struct sl_span target)
{
	static const char *const schemes[] = { "http://", "https://", "ws://", "wss://" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t len = strlen(schemes[i]);
		if (target.len > len && strncasecmp(target.bytes, schemes[i], len) == 0)
			return len;
	}
	return 0;
}

/* Leaves the path and the query in `target` (RFC 9112, section 3.2.2). */
static bool
take_absolute(struct reading *reading, struct sl_span target)
{
	struct sl_head *head = reading->head;
	size_t scheme_len = measure_scheme(target);
	const char *authority = target.bytes + scheme_len, *end = target.bytes + target.len;
	const char *path = authority;
	while (path < end && *path != '/' && *path != '?')
		path++;
	head->authority = (struct sl_span){ authority, (size_t)(path - authority) };
	if (scheme_len == 0 || path == authority || !is_authority(head->authority))
		return refuse(reading, &bad_target);
	if (path < end && *path == '/')
		head->target = (struct sl_span){ path, (size_t)(end - path) };
	else if (path == end && sl_head_is_method(head, "OPTIONS"))
		head->target = (struct sl_span){ "*", 1 };
	else /* a query without a path asks the page at the root, which reads none */
		head->target = (struct sl_span){ "/", 1 };
	return true;
}

static bool
take_target(struct reading *reading, struct sl_span target)
{
	struct sl_head *head = reading->head;
	head->target = target;
	if (sl_head_is_method(head, "CONNECT"))
		return refuse(reading, &bad_target);
	if (target.bytes[0] == '/')
		return true;
	if (sl_span_equals(target, "*"))
		return sl_head_is_method(head, "OPTIONS") || refuse(reading, &bad_target);
	return take_absolute(reading, target);
}

/* The version is looked at first: who knows how another writes its targets. */
static bool
take_request_line(struct reading *reading)
{
	const char *end = reading->end, *at = skip_set(reading->at, end, TOKEN);
	reading->head->method = (struct sl_span){ reading->at, (size_t)(at - reading->at) };
	if (at == reading->at || at == end || *at != ' ')
		return refuse(reading, &bad_request_line);
	struct sl_span target = { ++at, 0 };
	while (at < end && *at > ' ' && *at < 0x7f && *at != '#')
		at++;
	target.len = (size_t)(at - target.bytes);
	if (target.len == 0 || at == end || *at != ' ')
		return refuse(reading, &bad_request_line);
	return take_version(reading, at + 1) && take_target(reading, target);
}

/* ---- field lines ---- */

static bool
take_connection(struct reading *reading, struct sl_span value)
{
	struct sl_head *head = reading->head;
	while (value.bytes) {
		struct sl_span word = take_element(&value);
		head->wants_close |= sl_span_is_word(word, "close");
		head->wants_upgrade |= sl_span_is_word(word, "upgrade");
	}
	return true;
}

/* Equal numbers are one (RFC 9112, section 6.3). */
static bool
take_length(struct reading *reading, struct sl_span value)
{
	struct sl_head *head = reading->head;
	for (struct sl_span rest = value; rest.bytes;) {
		uint64_t number;
		if (!sl_span_to_number(take_element(&rest), UINT64_MAX, &number) ||
				(head->has_length && number != head->content_length))
			return refuse_value(reading, &bad_length, value);
		head->has_length = true;
		head->content_length = number;
	}
	return true;
}

static bool
take_encoding(struct reading *reading, struct sl_span value)
{
	struct sl_head *head = reading->head;
	if (head->is_chunked || head->version == SL_HTTP_1_0 || !sl_span_is_word(value, "chunked"))
		return refuse_value(reading, &bad_encoding, value);
	head->is_chunked = true;
	return true;
}

static bool
note(struct reading *reading, enum sl_field field, struct sl_span value)
{
	struct sl_head *head = reading->head;
	if (head->count[field] == 0)
		head->first[field] = value;
	if (head->count[field] < UINT8_MAX)
		head->count[field]++;
	return true;
}

/* `lower` is in lower case, `len` its length; `name` holds token characters only. */
static bool
is_name(const char *name, size_t len, const char *lower)
{
	for (size_t i = 0; i < len; i++)
		if ((name[i] | 0x20) != lower[i])
			return false;
	return true;
}

static bool
take_expect(struct reading *reading, struct sl_span value)
{
	struct sl_head *head = reading->head;
	head->expects_continue |= head->version == SL_HTTP_1_1 &&
		sl_span_is_word(value, "100-continue");
	return true;
}

static bool
take_upgrade(struct reading *reading, struct sl_span value)
{
	reading->head->upgrades_websocket |= list_has(value, "websocket");
	return true;
}

/* In the order of their lengths, between two that no line has. */
static const struct field {
	const char *lower;
	uint8_t len;
	uint8_t field; /* it is noted as that, */
	bool (*take)(struct reading *reading, struct sl_span value); /* unless it says more */
} fields[] = {
	{ NULL },
	{ "host", 4, SL_FIELD_HOST },
	{ "origin", 6, SL_FIELD_ORIGIN },
	{ "accept", 6, SL_FIELD_ACCEPT },
	{ "cookie", 6, SL_FIELD_COOKIE },
	{ "expect", 6, .take = take_expect },
	{ "upgrade", 7, .take = take_upgrade },
	{ "connection", 10, .take = take_connection },
	{ "content-type", 12, SL_FIELD_CONTENT_TYPE },
	{ "authorization", 13, SL_FIELD_AUTHORIZATION },
	{ "content-range", 13, SL_FIELD_CONTENT_RANGE },
	{ "last-event-id", 13, SL_FIELD_LAST_EVENT_ID },
	{ "if-none-match", 13, SL_FIELD_IF_NONE_MATCH },
	{ "content-length", 14, .take = take_length },
	{ "sec-fetch-site", 14, SL_FIELD_FETCH_SITE },
	{ "idempotency-key", 15, SL_FIELD_IDEMPOTENCY_KEY },
	{ "content-encoding", 16, SL_FIELD_CONTENT_ENCODING },
	{ "sec-websocket-key", 17, SL_FIELD_WS_KEY },
	{ "transfer-encoding", 17, .take = take_encoding },
	{ "sec-websocket-version", 21, SL_FIELD_WS_VERSION },
	{ "sec-websocket-protocol", 22, SL_FIELD_WS_PROTOCOL },
	{ "sec-websocket-extensions", 24, SL_FIELD_WS_EXTENSIONS },
	{ "access-control-request-private-network", 38, SL_FIELD_PRIVATE_NETWORK },
	{ NULL },
};

/* Where those of a length begin: most lines are told by their length alone. */
static const uint8_t first_of_length[40] = {
	[4] = 1, [6] = 2, [7] = 6, [10] = 7, [12] = 8, [13] = 9, [14] = 13, [15] = 15, [16] =
	16, [17] = 17, [21] = 19, [22] = 20, [24] = 21, [38] = 22,
};

static bool
take_field(struct reading *reading, const char *name, size_t len, struct sl_span value)
{
	size_t first = len < sizeof first_of_length ? first_of_length[len] : 0;
	for (const struct field *field = &fields[first]; field->len == len; field++)
		if (is_name(name, len, field->lower))
			return field->take ? field->take(reading, value) :
				note(reading, field->field, value);
	return true;
}

static bool
take_line(struct reading *reading)
{
	const char *name = reading->at, *end = reading->end, *colon = skip_set(name, end, TOKEN);
	if (colon == name || colon == end || *colon != ':')
		return refuse(reading, &bad_field);
	const char *value_end = skip_value(colon + 1, end);
	if (end - value_end < 2 || memcmp(value_end, "\r\n", 2) != 0)
		return refuse(reading, &bad_field);
	reading->at = value_end + 2;
	return take_field(reading, name, (size_t)(colon - name), sl_span_trim(colon + 1, value_end));
}

/* What only all lines together show. */
static bool
judge(struct reading *reading)
{
	struct sl_head *head = reading->head;
	struct sl_span host = head->first[SL_FIELD_HOST];
	if (head->count[SL_FIELD_HOST] > 1)
		return refuse(reading, &two_hosts);
	if (host.bytes ? !is_authority(host) : head->version == SL_HTTP_1_1)
		return host.bytes ? refuse_value(reading, &bad_host, host) : refuse(reading, &no_host);
	if (!head->authority.bytes)
		head->authority = host;
	if (head->is_chunked && head->has_length)
		return refuse(reading, &two_lengths);
	if (head->count[SL_FIELD_WS_KEY] > 1)
		return refuse(reading, &two_keys);
	return true;
}

/* All lines, the empty one included. */
static bool
take_lines(struct reading *reading)
{
	struct sl_span *lines = &reading->head->lines;
	lines->bytes = reading->at;
	while (reading->end - reading->at > 2)
		if (!take_line(reading))
			return false;
	lines->len = (size_t)(reading->at - lines->bytes);
	return (reading->end - reading->at == 2 && memcmp(reading->at, "\r\n", 2) == 0) ||
		refuse(reading, &bad_field);
}

bool
sl_head_parse(struct sl_head *out, const char *bytes, size_t len, struct sl_head_refusal *refusal)
{
	struct reading reading = { .head = out, .at = bytes, .end = bytes + len };
	memset(out, 0, sizeof *out);
	out->bytes = (struct sl_span){ bytes, len };
	while (reading.end - reading.at >= 2 && memcmp(reading.at, "\r\n", 2) == 0)
		reading.at += 2;
	if (take_request_line(&reading) && take_lines(&reading) && judge(&reading))
		return true;
	*refusal = *reading.why;
	refusal->value = reading.wrong;
	return false;
}

/* ---- what a head says ---- */

bool
sl_head_next(struct sl_span *rest, struct sl_span *name, struct sl_span *value)
{
	if (rest->len == 0)
		return false;
	const char *at = rest->bytes, *colon = memchr(at, ':', rest->len);
	const char *end = memchr(colon, '\r', rest->len - (size_t)(colon - at));
	*name = (struct sl_span){ at, (size_t)(colon - at) };
	*value = sl_span_trim(colon + 1, end);
	*rest = (struct sl_span){ end + 2, rest->len - (size_t)(end + 2 - at) };
	return true;
}
