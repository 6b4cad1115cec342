/* What a connection carries is read as the same requests whether it comes in one piece, in two or byte
 * by byte: the same heads, bodies and end. A head that is taken lies inside its bytes and says what its
 * lines say. The first two bytes choose where it is cut in two. */
#include "http/body.h"
#include "http/head.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"

#define BODY_MAX 100

/* A connection that reads. */
struct reader {
	size_t at;      /* what has been dealt with */
	size_t scanned; /* of the head at `at` */
	bool in_body;
	enum { READING, WAITING, ENDED } state;
	struct sl_body body;
	struct sl_buffer story;
};

/* ---- one head ---- */

static void
expect_inside(struct sl_span span, struct sl_span bytes)
{
	FUZZ_EXPECT(!span.bytes || (span.bytes >= bytes.bytes &&
		span.bytes + span.len <= bytes.bytes + bytes.len));
	for (size_t i = 0; i < span.len; i++)
		FUZZ_EXPECT((unsigned char)span.bytes[i] >= 0x20 || span.bytes[i] == '\t');
}

/* Counts the lines of a name by looking at each. */
static unsigned
count_lines(const struct sl_head *head, const char *wanted)
{
	struct sl_span rest = head->lines, name, value;
	unsigned count = 0;
	while (sl_head_next(&rest, &name, &value)) {
		FUZZ_EXPECT(name.len > 0);
		for (size_t i = 0; i < name.len; i++)
			FUZZ_EXPECT(sl_head_is_token_char((unsigned char)name.bytes[i]));
		expect_inside(value, head->bytes);
		FUZZ_EXPECT(value.len == 0 || (!strchr(" \t", value.bytes[0]) &&
			!strchr(" \t", value.bytes[value.len - 1])));
		count += sl_span_is_word(name, wanted);
	}
	return count;
}

static void
expect_sound(const struct sl_head *head)
{
	static const char *const names[] = { [SL_FIELD_HOST] = "Host", [SL_FIELD_ORIGIN] = "Origin",
		[SL_FIELD_CONTENT_TYPE] = "Content-Type", [SL_FIELD_WS_KEY] = "Sec-WebSocket-Key" };
	const char *end = memmem(head->bytes.bytes, head->bytes.len, "\n\r\n", 3);
	if (head->bytes.bytes[0] != '\r') /* else that is before it */
		FUZZ_EXPECT(end && end + 3 == head->bytes.bytes + head->bytes.len);
	FUZZ_EXPECT(head->method.len > 0);
	expect_inside(head->method, head->bytes);
	FUZZ_EXPECT(head->target.bytes[0] == '/' || sl_span_equals(head->target, "*"));
	for (size_t i = 0; i < head->target.len; i++)
		FUZZ_EXPECT(head->target.bytes[i] > ' ' && head->target.bytes[i] < 0x7f);
	expect_inside(head->authority, head->bytes);
	for (size_t field = 0; field < SL_FIELD_COUNT; field++) {
		expect_inside(head->first[field], head->bytes);
		FUZZ_EXPECT((head->count[field] > 0) == (head->first[field].bytes != NULL));
		if (field < sizeof names / sizeof *names && names[field])
			FUZZ_EXPECT(count_lines(head, names[field]) == head->count[field] ||
				head->count[field] == UINT8_MAX);
	}
	unsigned hosts = head->count[SL_FIELD_HOST], encodings = count_lines(head, "Transfer-Encoding");
	FUZZ_EXPECT(hosts == 1 || (hosts == 0 && head->version == SL_HTTP_1_0));
	FUZZ_EXPECT(head->count[SL_FIELD_WS_KEY] <= 1);
	FUZZ_EXPECT(head->is_chunked ? encodings == 1 : encodings == 0);
	FUZZ_EXPECT(head->has_length == (count_lines(head, "Content-Length") > 0));
	FUZZ_EXPECT(!head->is_chunked || (!head->has_length && head->version == SL_HTTP_1_1));
	FUZZ_EXPECT(head->has_length || head->content_length == 0);
}

/* ---- a connection ---- */

static void
tell_head(struct reader *reader, const struct sl_head *head)
{
	sl_buffer_append(&reader->story, head->method.bytes, head->method.len);
	sl_buffer_append_char(&reader->story, ' ');
	sl_buffer_append(&reader->story, head->target.bytes, head->target.len);
	sl_buffer_printf(&reader->story, " %d%d%d%d%d%d %zu\n", (int)head->version, head->wants_close,
		head->wants_upgrade, head->upgrades_websocket, head->expects_continue, head->is_chunked,
		head->bytes.len);
}

static void
end(struct reader *reader, const char *how)
{
	sl_buffer_append_str(&reader->story, how);
	reader->state = ENDED;
}

static void
take_head(struct reader *reader, const char *bytes, size_t len)
{
	struct sl_head head;
	struct sl_head_refusal refusal = { 0 };
	ptrdiff_t head_len = sl_head_scan(bytes + reader->at, len - reader->at, &reader->scanned);
	FUZZ_EXPECT(head_len <= (ptrdiff_t)(len - reader->at));
	if (head_len == 0) {
		reader->state = WAITING;
		return;
	}
	if (head_len < 0) {
		end(reader, "no head\n");
		return;
	}
	const char *original = bytes + reader->at;
	char *copy = fuzz_copy(original, (size_t)head_len);
	if (sl_head_parse(&head, copy, (size_t)head_len, &refusal)) {
		expect_sound(&head);
		tell_head(reader, &head);
		sl_body_begin(&reader->body, &head, BODY_MAX);
		reader->in_body = true;
		reader->at += (size_t)head_len;
	} else {
		FUZZ_EXPECT((refusal.status == 400 || refusal.status == 505) && refusal.code[0]);
		end(reader, refusal.message);
	}
	FUZZ_EXPECT(memcmp(copy, original, (size_t)head_len) == 0);
	free(copy);
}

static void
take_body(struct reader *reader, const char *bytes, size_t len)
{
	struct sl_body *body = &reader->body;
	size_t used = 0;
	char *copy = fuzz_copy(bytes + reader->at, len - reader->at);
	enum sl_body_state state = sl_body_feed(body, copy, len - reader->at, &used);
	free(copy);
	FUZZ_EXPECT(used <= len - reader->at);
	reader->at += used;
	FUZZ_EXPECT(body->received <= body->wire);
	if (sl_body_is_too_long(body))
		FUZZ_EXPECT(!body->bytes.bytes);
	else
		FUZZ_EXPECT(body->bytes.len == body->received);
	if (state == SL_BODY_MORE) {
		FUZZ_EXPECT(reader->at == len);
		reader->state = WAITING;
		return;
	}
	if (state == SL_BODY_DONE) {
		sl_buffer_printf(&reader->story, "%llu of %llu\n", (unsigned long long)body->received,
			(unsigned long long)body->wire);
		sl_buffer_append(&reader->story, body->bytes.bytes, body->bytes.len);
	} else {
		end(reader, "bad body\n");
	}
	sl_body_finish(body);
	reader->in_body = false;
	reader->scanned = 0;
}

/* The first `len` bytes are there now. */
static void
take(struct reader *reader, const char *bytes, size_t len)
{
	reader->state = READING;
	while (reader->state == READING && (reader->at < len || reader->in_body)) {
		if (reader->in_body)
			take_body(reader, bytes, len);
		else
			take_head(reader, bytes, len);
	}
}

static struct sl_buffer
read_in_pieces(const char *bytes, size_t len, size_t cut, size_t piece)
{
	struct reader reader = { .at = 0 };
	size_t there = cut;
	take(&reader, bytes, there);
	while (reader.state != ENDED && there < len) {
		there = there + piece < len ? there + piece : len;
		take(&reader, bytes, there);
	}
	if (reader.in_body)
		sl_body_finish(&reader.body);
	FUZZ_EXPECT(!reader.story.failed);
	return reader.story;
}

static void
expect_equal(const struct sl_buffer *whole, struct sl_buffer other)
{
	FUZZ_EXPECT(whole->len == other.len);
	FUZZ_EXPECT(whole->len == 0 || memcmp(whole->bytes, other.bytes, whole->len) == 0);
	sl_buffer_finish(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	size_t cut = bytes[0] << 8 | bytes[1];
	len -= 2;
	char *copy = fuzz_copy(bytes + 2, len);
	struct sl_buffer whole = read_in_pieces(copy, len, len, 1);
	expect_equal(&whole, read_in_pieces(copy, len, 0, 1));
	expect_equal(&whole, read_in_pieces(copy, len, len ? cut % len : 0, len ? len : 1));
	sl_buffer_finish(&whole);
	free(copy);
	return 0;
}
