/* A head that is taken comes back as JSON that jansson reads, a line for each of its lines, and no value of
 * Authorization or Cookie in it. */
#include "http/head_echo.h"

#include <jansson.h>

#include "http/head.h"
#include "tests/fuzz/fuzz.h"
#include "util/buffer.h"
#include "util/redact.h"

static size_t
count_lines(const struct sl_head *head)
{
	struct sl_span rest = head->lines, name, value;
	size_t count = 0;
	while (sl_head_next(&rest, &name, &value))
		count++;
	return count;
}

static void
expect_line(const json_t *line)
{
	FUZZ_EXPECT(json_array_size(line) == 2);
	const char *name = json_string_value(json_array_get(line, 0));
	const char *value = json_string_value(json_array_get(line, 1));
	if (!name || !value || !sl_redact_is_secret((struct sl_span){ name, strlen(name) }))
		return;
	for (; *value; value++)
		FUZZ_EXPECT(*value == '*' || *value == ' ' || *value == '\t');
}

static void
expect_echo(const struct sl_head *head)
{
	struct sl_buffer out = SL_BUFFER_INIT;
	sl_head_echo_append(&out, head, "192.0.2.1", false);
	FUZZ_EXPECT(sl_buffer_status(&out) == 0);
	json_t *root = json_loadb(out.bytes, out.len, JSON_ALLOW_NUL, NULL), *line;
	FUZZ_EXPECT(root);
	const json_t *lines = json_object_get(root, "headers");
	json_int_t more = json_integer_value(json_object_get(root, "more"));
	FUZZ_EXPECT(json_array_size(lines) + (size_t)more == count_lines(head));
	size_t i;
	json_array_foreach(lines, i, line)
		expect_line(line);
	json_decref(root);
	sl_buffer_finish(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct sl_head_refusal refusal;
	struct sl_head head;
	size_t scanned = 0;
	char *copy = fuzz_copy(bytes, len);
	ptrdiff_t head_len = sl_head_scan(copy, len, &scanned);
	if (head_len > 0 && sl_head_parse(&head, copy, (size_t)head_len, &refusal))
		expect_echo(&head);
	free(copy);
	return 0;
}
