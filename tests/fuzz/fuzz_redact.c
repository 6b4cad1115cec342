/* A head of any bytes keeps its length, and what is changed in it are stars. What the gateway would take
 * for a token of it (the fields, and the parameters as http/params.c reads them) is gone. */
#include "http/head.h"
#include "http/params.h"
#include "tests/fuzz/fuzz.h"
#include "util/redact.h"

static bool
is_covered(struct sl_span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.bytes[i] != '*' && !sl_is_blank(value.bytes[i]))
			return false;
	return true;
}

/* Of the redacted head: its parameters are stars, or what the escapes of other ones have become. */
static void
expect_covered(const struct sl_head *head)
{
	static const enum sl_field fields[] = { SL_FIELD_AUTHORIZATION, SL_FIELD_COOKIE };
	struct sl_params params;
	struct sl_params_error error;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		FUZZ_EXPECT(is_covered(head->first[fields[i]]));
	const char *mark = memchr(head->target.bytes, '?', head->target.len);
	if (!mark)
		return;
	size_t len = head->target.len - (size_t)(mark + 1 - head->target.bytes);
	char *query = fuzz_copy((const uint8_t *)mark + 1, len);
	if (sl_params_parse(&params, query, len, 10, &error) == 0)
		FUZZ_EXPECT(is_covered(params.token) && is_covered(params.ticket));
	free(query);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_head_refusal refusal;
	struct sl_head head;
	size_t scanned = 0;
	char *copy = fuzz_copy(bytes, len);
	sl_redact_head(copy, len);
	for (size_t i = 0; i < len; i++)
		FUZZ_EXPECT(copy[i] == (char)bytes[i] || copy[i] == '*');
	ptrdiff_t head_len = sl_head_scan(copy, len, &scanned);
	if (head_len > 0 && sl_head_parse(&head, copy, (size_t)head_len, &refusal))
		expect_covered(&head);
	free(copy);
	return 0;
}
