#include "bus/args.h"

#include <string.h>

#include "util/base64.h"
#include "util/err.h"
#include "util/json_check.h"
#include "util/json_members.h"

static const char *const names[] = { [SL_ARGS_LIST] = "list", [SL_ARGS_BINARY] = "binary" };

const char *
sl_args_get_name(enum sl_args args)
{
	return names[args];
}

bool
sl_args_parse(struct sl_span word, enum sl_args *args)
{
	for (enum sl_args i = SL_ARGS_LIST; i <= SL_ARGS_BINARY; i++) {
		if (!sl_span_equals(word, names[i]))
			continue;
		*args = i;
		return true;
	}
	return false;
}

/* ---- attachments ---- */

static int
read_attachments(struct sl_args_binary *out, struct sl_span array)
{
	struct sl_json_members elements;
	struct sl_json_member element;
	out->count = 0; /* of a member that is there twice the last one counts */
	if (sl_json_elements_open(&elements, array.bytes, array.len) != 0)
		return SL_EINVAL;
	while (sl_json_members_next(&elements, &element)) {
		if (element.kind != SL_JSON_STRING || out->count == SL_ATTACHMENTS_MAX)
			return SL_EINVAL;
		out->attachments[out->count++] = sl_json_unquote(element.value);
	}
	return 0;
}

int
sl_args_read_binary(struct sl_args_binary *out, struct sl_span data)
{
	struct sl_json_members members;
	struct sl_json_member member, list = { 0 }, attachments = { 0 };
	if (sl_json_members_open(&members, data.bytes, data.len) != 0)
		return SL_EINVAL;
	while (sl_json_members_next(&members, &member)) {
		if (sl_json_string_equals(member.name.bytes, member.name.len, "list"))
			list = member;
		else if (sl_json_string_equals(member.name.bytes, member.name.len, "attachments"))
			attachments = member;
	}
	if (!list.value.bytes || list.kind != SL_JSON_ARRAY || !attachments.value.bytes)
		return SL_EINVAL;
	out->list = list.value;
	return read_attachments(out, attachments.value);
}

int
sl_args_decode_attachment(struct sl_buffer *out, struct sl_span attachment)
{
	struct sl_buffer plain = SL_BUFFER_INIT;
	struct sl_span text = attachment;
	int err = 0;
	if (memchr(text.bytes, '\\', text.len)) { /* some encoders write \/ */
		err = sl_json_string_decode(&plain, text.bytes, text.len);
		text = (struct sl_span){ plain.bytes, plain.len };
	}
	if (err == 0)
		err = sl_base64_decode(out, text);
	sl_buffer_finish(&plain);
	return err == SL_EUTF8 ? SL_EINVAL : err;
}

/* ---- placeholders ---- */

static bool
is_below(struct sl_span digits, unsigned count)
{
	uint64_t number;
	return count > 0 && sl_span_to_number(digits, count - 1, &number);
}

/* Returns the end of the value at `at`, of a JSON text that was checked, and so nests no deeper than such a text
 * may. `*is_legal` becomes false for a placeholder of an attachment that is not there. */
static const char *
check_placeholders(const char *at, const char *end, unsigned count, bool *is_legal)
{
	bool is_object = *at == '{', is_placeholder = false, has_number = false;
	if (!is_object && *at != '[')
		return sl_json_pass_value(at, end);
	at = sl_json_pass_space(at + 1, end);
	while (*at != '}' && *at != ']') {
		struct sl_span name = { at + 1, 0 }, value;
		if (is_object) {
			at = sl_json_pass_string(at + 1, end);
			name.len = (size_t)(at - name.bytes) - 1;
			at = sl_json_pass_space(at, end);     /* to the colon */
			at = sl_json_pass_space(at + 1, end); /* to the value */
		}
		value.bytes = at;
		at = check_placeholders(at, end, count, is_legal);
		value.len = (size_t)(at - value.bytes);
		if (is_object && sl_json_string_equals(name.bytes, name.len, "_placeholder"))
			is_placeholder = sl_span_equals(value, "true");
		else if (is_object && sl_json_string_equals(name.bytes, name.len, "num"))
			has_number = is_below(value, count);
		at = sl_json_pass_space(at, end);
		if (*at == ',')
			at = sl_json_pass_space(at + 1, end);
	}
	if (is_placeholder && !has_number)
		*is_legal = false;
	return at + 1;
}

/* ---- checking ---- */

static int
check_binary(struct sl_span data)
{
	struct sl_args_binary binary;
	struct sl_buffer decoded = SL_BUFFER_INIT;
	bool is_legal = true;
	int err = sl_args_read_binary(&binary, data);
	if (err != 0)
		return err;
	for (unsigned i = 0; err == 0 && i < binary.count; i++) {
		sl_buffer_clear(&decoded);
		err = sl_args_decode_attachment(&decoded, binary.attachments[i]);
	}
	sl_buffer_finish(&decoded);
	check_placeholders(binary.list.bytes, binary.list.bytes + binary.list.len, binary.count,
		&is_legal);
	return err == 0 && !is_legal ? SL_EINVAL : err;
}

int
sl_args_check(enum sl_args args, struct sl_span data)
{
	struct sl_json_members elements;
	switch (args) {
	case SL_ARGS_ONE: return 0;
	case SL_ARGS_LIST: return sl_json_elements_open(&elements, data.bytes, data.len);
	case SL_ARGS_BINARY: break;
	}
	return check_binary(data);
}
