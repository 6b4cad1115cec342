/* JSON fed in pieces is judged as in one; what jansson reads, sl_json_check accepts; walks
 * and decoded strings agree with jansson's; what is too deep for a lower limit can be walked
 * over too. The first byte chooses the size of the pieces, and that limit. */
#include <jansson.h>

#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

static int
check_within(const char *text, size_t len, size_t piece, unsigned depth_max)
{
	struct sl_json_check check;
	sl_json_check_init(&check, depth_max);
	for (size_t at = 0; at < len; at += piece) {
		int err = sl_json_check_feed(&check, text + at, len - at < piece ? len - at : piece);
		if (err)
			return err;
	}
	return sl_json_check_finish(&check);
}

static int
check_in_pieces(const char *text, size_t len, size_t piece)
{
	return check_within(text, len, piece, SL_JSON_DEPTH_MAX);
}

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
		FUZZ_EXPECT(check_in_pieces(member.value.bytes, member.value.len, SIZE_MAX / 2) == 0);
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
expect_shallow(const char *text, size_t len, size_t piece, int err)
{
	unsigned depth_max = 1 + (unsigned)piece % 4;
	int shallow = check_within(text, len, SIZE_MAX / 2, depth_max);
	FUZZ_EXPECT(check_within(text, len, piece, depth_max) == shallow);
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
		int inner = check_within(member.value.bytes, member.value.len, SIZE_MAX / 2, depth_max - 1);
		FUZZ_EXPECT(inner == 0 || inner == SL_ETOODEEP);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t piece;
	char *text = fuzz_copy_rest(bytes, &len, &piece);
	if (!text)
		return 0;
	int err = check_in_pieces(text, len, SIZE_MAX / 2);
	FUZZ_EXPECT(check_in_pieces(text, len, piece) == err);
	expect_shallow(text, len, piece, err);
	json_t *root = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	if (root && !jansson_may_be_laxer(text, len))
		FUZZ_EXPECT(err == 0);
	if (err == 0)
		expect_walk(text, len, root);
	json_decref(root);
	free(text);
	return 0;
}
