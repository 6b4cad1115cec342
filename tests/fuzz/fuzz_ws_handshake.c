/* An opening handshake has a verdict that its status, code and sentence agree with. One that is taken has a
 * key of 16 bytes, and an answer that is one head. Offers of extensions and protocols count the same in one
 * line and in two that are cut at a comma. Input: a key, extensions, protocols, a line each, and what else a
 * head may have. */
#include "transports/ws_handshake.h"

#include "http/head.h"
#include "http/response.h"
#include "tests/fuzz/fuzz.h"
#include "util/base64.h"
#include "util/buffer.h"

#define EXTENSIONS "Sec-WebSocket-Extensions: "
#define PROTOCOLS "Sec-WebSocket-Protocol: "

struct offer {
	struct sl_span key, extensions, protocols, rest;
};

static struct sl_span
take_line(struct sl_span *rest)
{
	const char *end = memchr(rest->bytes, '\n', rest->len);
	struct sl_span line = { rest->bytes, end ? (size_t)(end - rest->bytes) : rest->len };
	size_t used = line.len + (end != NULL);
	*rest = (struct sl_span){ rest->bytes + used, rest->len - used };
	return line;
}

/* One field, or two where its value has a comma and `cut` is true. */
static void
append_field(struct sl_buffer *out, const char *name, struct sl_span value, bool cut)
{
	const char *comma = cut ? memchr(value.bytes, ',', value.len) : NULL;
	size_t len = comma ? (size_t)(comma - value.bytes) : value.len;
	sl_buffer_append_str(out, name);
	sl_buffer_append(out, value.bytes, len);
	sl_buffer_append_str(out, "\r\n");
	if (comma)
		append_field(out, name, (struct sl_span){ comma + 1, value.len - len - 1 }, false);
}

static void
append_head(struct sl_buffer *out, const struct offer *offer, bool cut)
{
	sl_buffer_append_str(out, "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
	append_field(out, "Sec-WebSocket-Key: ", offer->key, false);
	append_field(out, EXTENSIONS, offer->extensions, cut);
	append_field(out, PROTOCOLS, offer->protocols, cut);
	sl_buffer_append(out, offer->rest.bytes, offer->rest.len);
	sl_buffer_append_str(out, "\r\n\r\n");
}

static void
append_answer(struct sl_buffer *out, const struct sl_head *head)
{
	static const char *const known[] = { SL_WS_HANDSHAKE_PROTOCOL, NULL };
	struct sl_buffer other = SL_BUFFER_INIT;
	struct sl_span key = head->first[SL_FIELD_WS_KEY];
	FUZZ_EXPECT(sl_base64_is_key16(key.bytes, key.len));
	struct sl_span first = sl_ws_handshake_choose(head, NULL);
	FUZZ_EXPECT(first.len < 7 || memcmp(first.bytes, "bearer.", 7) != 0);
	FUZZ_EXPECT(sl_ws_handshake_append(&other, head, first, (struct sl_span){ 0 }) == 0);
	sl_buffer_finish(&other);
	FUZZ_EXPECT(sl_ws_handshake_append(out, head, sl_ws_handshake_choose(head, known), (struct sl_span){ 0 }) == 0);
	FUZZ_EXPECT(out->len > 4 && memcmp(out->bytes, "HTTP/1.1 101 ", 13) == 0);
	const char *end = memmem(out->bytes, out->len, "\r\n\r\n", 4);
	FUZZ_EXPECT(end == out->bytes + out->len - 4);
}

/* The verdict's status, 0 for a head that is none; the answer to one that is taken is appended. */
static unsigned
judge(const struct sl_buffer *text, struct sl_buffer *answer)
{
	struct sl_head_refusal refusal;
	struct sl_head head;
	size_t scanned = 0;
	unsigned status = 0;
	char *copy = fuzz_copy(text->bytes, text->len);
	ptrdiff_t head_len = sl_head_scan(copy, text->len, &scanned);
	if (head_len > 0 && sl_head_parse(&head, copy, (size_t)head_len, &refusal)) {
		struct sl_ws_handshake_verdict verdict = sl_ws_handshake_check(&head);
		status = verdict.status;
		FUZZ_EXPECT((verdict.outcome == SL_WS_HANDSHAKE_OK) == (status == 101));
		FUZZ_EXPECT(status == 101 || status == 400 || status == 426);
		FUZZ_EXPECT((status == 101) == !verdict.code && (status == 101) == !verdict.message);
		if (status == 101)
			append_answer(answer, &head);
	}
	free(copy);
	return status;
}

/* A 101 has no Date, so that answers are compared whole. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_buffer whole = SL_BUFFER_INIT, cut = SL_BUFFER_INIT;
	struct sl_buffer to_whole = SL_BUFFER_INIT, to_cut = SL_BUFFER_INIT;
	struct sl_span rest = { (const char *)bytes, len };
	struct offer offer = { .key = take_line(&rest) };
	offer.extensions = take_line(&rest);
	offer.protocols = take_line(&rest);
	offer.rest = rest;
	append_head(&whole, &offer, false);
	append_head(&cut, &offer, true);
	unsigned status = judge(&whole, &to_whole);
	unsigned status_cut = judge(&cut, &to_cut);
	if (status && status_cut) {
		FUZZ_EXPECT(status == status_cut && to_whole.len == to_cut.len);
		FUZZ_EXPECT(to_whole.len == 0 || memcmp(to_whole.bytes, to_cut.bytes, to_cut.len) == 0);
	}
	sl_buffer_finish(&whole);
	sl_buffer_finish(&cut);
	sl_buffer_finish(&to_whole);
	sl_buffer_finish(&to_cut);
	return 0;
}
