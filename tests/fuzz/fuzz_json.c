/* What jansson reads, sl_json_check accepts; walks and decoded strings agree with jansson's; what
 * is too deep for a lower limit can be walked over too. The first byte chooses that limit. */
#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

/* Whether jansson may be laxer: it nests deeper, and takes a zero byte for the end. */
static int
jansson_may_be_laxer(const char *text, size_t len)
{
	size_t opened = 0;
	if (memchr(text, '\0', len))
		return 1;
	for (size_t i = 0; i < len; i++)
		opened += text[i] == '[' || text[i] == '{';
	return opened > SL_JSON_DEPTH_MAX;
}

static void
expect_string(struct sl_span raw, const json_t *string)
{
	struct sl_buffer decoded = SL_BUFFER_INIT;
	int err = sl_json_string_decode(&decoded, raw.bytes, raw.len);
	if (string && json_is_string(string)) {
		FUZZ_EXPECT(err == 0);
		FUZZ_EXPECT(decoded.len == json_string_length(string));
		FUZZ_EXPECT(decoded.len == 0
			|| memcmp(decoded.bytes, json_string_value(string), decoded.len) == 0);
	}
	sl_buffer_append_char(&decoded, '\0');
	if (err == 0 && strlen(decoded.bytes) == decoded.len - 1)
		FUZZ_EXPECT(sl_json_string_equals(raw.bytes, raw.len, decoded.bytes));
	sl_buffer_finish(&decoded);
}

static void
expect_walk(const char *text, size_t len, const json_t *root)
{
	struct sl_json_members members;
	struct sl_json_member member;
	size_t count = 0;
	if (sl_json_members_open(&members, text, len) != 0
		&& sl_json_elements_open(&members, text, len) != 0)
		return;
	while (sl_json_members_next(&members, &member)) {
		FUZZ_EXPECT(member.value.bytes >= text);
		FUZZ_EXPECT(member.value.bytes + member.value.len < text + len);
		FUZZ_EXPECT(sl_json_check(member.value.bytes, member.value.len, SL_JSON_DEPTH_MAX) == 0);
		if (member.name.bytes)
			expect_string(member.name, NULL);
		if (member.kind == SL_JSON_STRING)
			expect_string(sl_json_unquote(member.value), json_array_get(root, count));
		count++;
	}
	if (json_is_array(root))
		FUZZ_EXPECT(count == json_array_size(root));
	if (json_is_object(root))
		FUZZ_EXPECT(count >= json_object_size(root));
}

/* Below a limit that is lower grammar is not looked at, but nothing is misread for it. */
static void
expect_shallow(const char *text, size_t len, unsigned depth_max, int err)
{
	int shallow = sl_json_check(text, len, depth_max);
	if (err == 0)
		FUZZ_EXPECT(shallow == 0 || shallow == SL_ETOODEEP);
	if (shallow == 0)
		FUZZ_EXPECT(err == 0);
	struct sl_json_members members;
	struct sl_json_member member;
	if (shallow != SL_ETOODEEP || (sl_json_members_open(&members, text, len) != 0
			&& sl_json_elements_open(&members, text, len) != 0))
		return;
	while (sl_json_members_next(&members, &member)) {
		FUZZ_EXPECT(member.value.bytes >= text && member.value.len > 0);
		FUZZ_EXPECT(member.value.bytes + member.value.len < text + len);
		int inner = sl_json_check(member.value.bytes, member.value.len, depth_max - 1);
		FUZZ_EXPECT(inner == 0 || inner == SL_ETOODEEP);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t first;
	char *text = fuzz_copy_rest(bytes, &len, &first);
	if (!text)
		return 0;
	int err = sl_json_check(text, len, SL_JSON_DEPTH_MAX);
	expect_shallow(text, len, 1 + (unsigned)first % 4, err);
	json_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (root && !jansson_may_be_laxer(text, len))
		FUZZ_EXPECT(err == 0);
	if (err == 0)
		expect_walk(text, len, root);
	json_decref(root);
	free(text);
	return 0;
}
