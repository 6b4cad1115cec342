/* Offers of extensions. However a list is cut into lines, and whatever stands beside an offer, the same is
 * agreed on; an answer read as an offer agrees on itself. Input: lines of the field. */
#include "http/head.h"
#include "tests/fuzz/fuzz.h"
#include "transports/ws_extension.h"

#define MAX_BYTES 4096
#define FIELD "Sec-WebSocket-Extensions: "

struct outcome {
	bool is_head, is_read;
	struct sl_ws_agreement agreement;
};

/* Reads `before`, then the lines of `text`, then `behind` as lines of the field. */
static struct outcome
read_lines(const char *before, const char *text, size_t len, const char *behind)
{
	struct sl_head head;
	struct sl_head_refusal refusal;
	struct outcome outcome = { 0 };
	size_t lines = 3, at = 0;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	size_t most = len + lines * (sizeof FIELD + 2) + strlen(before) + strlen(behind) + 64;
	char *bytes = malloc(most);
	FUZZ_EXPECT(bytes);
	at = (size_t)snprintf(bytes, most, "GET /ws HTTP/1.1\r\nHost: h\r\n" FIELD "%s\r\n" FIELD, before);
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n')
			bytes[at++] = text[i];
		else
			at += (size_t)snprintf(bytes + at, most - at, "\r\n" FIELD);
	}
	at += (size_t)snprintf(bytes + at, most - at, "\r\n" FIELD "%s\r\n\r\n", behind);
	char *exact = fuzz_copy(bytes, at);
	free(bytes);
	outcome.is_head = sl_head_parse(&head, exact, at, &refusal);
	if (outcome.is_head)
		outcome.is_read = sl_ws_extension_read(&head, &outcome.agreement);
	free(exact);
	return outcome;
}

static void
expect_same(struct outcome one, struct outcome other)
{
	FUZZ_EXPECT(one.is_head == other.is_head && one.is_read == other.is_read);
	FUZZ_EXPECT(one.agreement.window_bits == other.agreement.window_bits);
	FUZZ_EXPECT(one.agreement.names_window == other.agreement.names_window);
}

static void
check_answer(const struct sl_ws_agreement *agreement)
{
	char room[SL_WS_EXTENSION_MAX];
	FUZZ_EXPECT(agreement->window_bits >= 8 && agreement->window_bits <= 15);
	FUZZ_EXPECT(agreement->names_window || agreement->window_bits == 15);
	struct sl_span value = sl_ws_extension_write(agreement, room);
	FUZZ_EXPECT(value.len < SL_WS_EXTENSION_MAX);
	struct outcome again = read_lines("", value.bytes, value.len, "");
	expect_same((struct outcome){ true, true, *agreement }, again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len > MAX_BYTES)
		return 0;
	char *text = fuzz_copy(bytes, len);
	struct outcome outcome = read_lines("", text, len, "");
	if (outcome.is_read && outcome.agreement.window_bits)
		check_answer(&outcome.agreement);
	expect_same(outcome, read_lines("foo; a=\"b\"", text, len, "bar, permessage-deflate; x"));
	struct outcome before = read_lines("permessage-deflate; server_max_window_bits=11", text, len, "");
	struct outcome behind = read_lines("", text, len, "permessage-deflate");
	if (outcome.is_read) {
		FUZZ_EXPECT(before.is_read && before.agreement.window_bits == 11);
		FUZZ_EXPECT(behind.is_read && behind.agreement.window_bits != 0);
		if (outcome.agreement.window_bits)
			expect_same(outcome, behind);
	} else if (outcome.is_head) {
		FUZZ_EXPECT(!before.is_read && !behind.is_read);
	}
	/* Commas do what lines do: not within quotes, where a comma breaks the grammar. */
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			text[i] = ',';
	struct outcome joined = read_lines("", text, len, "");
	if (outcome.is_read)
		expect_same(outcome, joined);
	free(text);
	return 0;
}
