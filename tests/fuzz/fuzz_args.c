/* Arguments of an event: what is taken as them can be read as such: a list that is an array, attachments whose bytes
 * are there, and no placeholder without its attachment, told here in another way: by walking over members, level by
 * level. The first byte chooses the kind. */
#include "bus/args.h"

#include "tests/fuzz/fuzz.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

#define DEPTH_MAX 8

static bool
is_digits(struct sl_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
	return text.len > 0;
}

static unsigned
number_of(struct sl_span digits)
{
	unsigned number = 0;
	for (size_t i = 0; i < digits.len; i++)
		number = number > 1000 ? number : number * 10 + (unsigned)(digits.bytes[i] - '0');
	return number;
}

static void
expect_placeholders(struct sl_span value, unsigned count)
{
	struct sl_json_members members;
	struct sl_json_member member;
	bool is_placeholder = false, has_attachment = false;
	bool is_object = sl_json_members_open(&members, value.bytes, value.len) == 0;
	if (!is_object && sl_json_elements_open(&members, value.bytes, value.len) != 0)
		return;
	while (sl_json_members_next(&members, &member)) {
		expect_placeholders(member.value, count);
		if (!is_object)
			continue;
		if (sl_json_string_equals(member.name.bytes, member.name.len, "_placeholder"))
			is_placeholder = member.kind == SL_JSON_TRUE;
		if (sl_json_string_equals(member.name.bytes, member.name.len, "num"))
			has_attachment = is_digits(member.value) && number_of(member.value) < count;
	}
	FUZZ_EXPECT(!is_placeholder || has_attachment);
}

static void
expect_binary(struct sl_span data)
{
	struct sl_args_binary binary;
	struct sl_buffer bytes = SL_BUFFER_INIT;
	FUZZ_EXPECT(sl_args_read_binary(&binary, data) == 0);
	FUZZ_EXPECT(binary.count <= SL_ATTACHMENTS_MAX);
	FUZZ_EXPECT(binary.list.bytes >= data.bytes && binary.list.bytes + binary.list.len <= data.bytes + data.len);
	FUZZ_EXPECT(sl_json_check(binary.list.bytes, binary.list.len, DEPTH_MAX) == 0 && binary.list.bytes[0] == '[');
	for (unsigned i = 0; i < binary.count; i++)
		FUZZ_EXPECT(sl_args_decode_attachment(&bytes, binary.attachments[i]) == 0);
	expect_placeholders(binary.list, binary.count);
	sl_buffer_finish(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	enum sl_args args = bytes[0] % 3;
	char *text = fuzz_copy(bytes + 1, --len);
	struct sl_span data = { text, len };
	if (sl_json_check(text, len, DEPTH_MAX) == 0) {
		int err = sl_args_check(args, data);
		FUZZ_EXPECT(err == 0 || (err == SL_EINVAL && args != SL_ARGS_ONE));
		if (err == 0 && args == SL_ARGS_LIST)
			FUZZ_EXPECT(*sl_json_pass_space(text, text + len) == '[');
		if (err == 0 && args == SL_ARGS_BINARY)
			expect_binary(data);
	}
	free(text);
	return 0;
}
